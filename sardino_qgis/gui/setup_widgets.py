"""Make the widgets of the set-up dialog."""

from __future__ import annotations

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtWidgets import QLabel, QRadioButton, QStyle

from ..common.i18n import tr
from ..environment.kinds import Kind


def offer_label(kind: Kind, radio: QRadioButton) -> QLabel:
    """Return the text below a choice: a radio button wraps no lines, and would make the dialog as wide as its text."""
    label = QLabel(kind.use)
    label.setWordWrap(True)
    label.setIndent(radio.style().pixelMetric(QStyle.PixelMetric.PM_ExclusiveIndicatorWidth) + 8)
    return label


def intro_label() -> QLabel:
    """Return the text at the top of the dialog."""
    intro = QLabel(
        tr(
            "The algorithms run in a separate Python environment. It is set up once, in your QGIS profile; QGIS's "
            "own Python is not changed. Nothing is installed before you press Install."
        )
    )
    intro.setWordWrap(True)
    return intro


def file_widget(hint: str, path: str, mode=QgsFileWidget.StorageMode.GetDirectory) -> QgsFileWidget:
    """Return a field for a path, with a hint where it is empty."""
    widget = QgsFileWidget()
    widget.setStorageMode(mode)
    widget.lineEdit().setPlaceholderText(hint)
    widget.setFilePath(path)
    return widget
