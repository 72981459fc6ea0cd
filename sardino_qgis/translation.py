"""The one translation context of the plugin."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication

CONTEXT = "SarDino"


def tr(text: str) -> str:
    """`text` in the language of the user; the same text where no translation is loaded."""
    return QCoreApplication.translate(CONTEXT, text)
