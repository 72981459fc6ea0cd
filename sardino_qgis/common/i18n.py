"""Translate texts in the plugin's one translation context."""

from __future__ import annotations

try:
    from qgis.PyQt.QtCore import QCoreApplication
except ImportError:  # the environment's shell command also runs in a Python without QGIS
    QCoreApplication = None

CONTEXT = "SarDino"


def tr(text: str) -> str:
    """Return `text` in the user's language, or unchanged where no translation is loaded."""
    return QCoreApplication.translate(CONTEXT, text) if QCoreApplication else text
