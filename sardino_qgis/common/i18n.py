"""The one translation context of the plugin."""

from __future__ import annotations

try:
    from qgis.PyQt.QtCore import QCoreApplication
except ImportError:  # the environment's shell command also runs in a Python without QGIS
    QCoreApplication = None

CONTEXT = "SarDino"


def tr(text: str) -> str:
    """`text` in the language of the user; the same text where no translation is loaded."""
    return QCoreApplication.translate(CONTEXT, text) if QCoreApplication else text
