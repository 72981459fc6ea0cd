"""Provide the panel of the outline tool: class, threshold, and a button that adds the sample."""

from __future__ import annotations

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QDockWidget, QFormLayout, QLabel, QPushButton, QSlider, QWidget

from ..common.i18n import tr


class OutlinePanel(QDockWidget):
    """Ask for the class and the threshold of an outline.

    Signals:
        moved: The user moved the slider.
        wanted: The user wants the outline as a sample.
    """

    moved = pyqtSignal()
    wanted = pyqtSignal()

    def __init__(self, parent=None) -> None:
        super().__init__(tr("Samples by a click"), parent)
        self.setObjectName("SarDinoOutlinePanel")
        self.classes = QComboBox()
        self.classes.setEditable(True)
        self.classes.lineEdit().setPlaceholderText(tr("Name of the class"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(-100, 100)  # of a cosine, in hundredths
        self.slider.setToolTip(tr("To the left the outline grows, to the right it shrinks."))
        self.share, self.size = QLabel(), QLabel(tr("Click on a place in the map."))
        self.button = QPushButton(tr("Add sample"))
        self.button.setEnabled(False)
        form = QFormLayout()
        form.addRow(tr("Class"), self.classes)
        form.addRow(tr("Least similarity"), self.slider)
        form.addRow("", self.share)
        form.addRow(tr("Outline"), self.size)
        form.addRow(self.button)
        body = QWidget()
        body.setLayout(form)
        self.setWidget(body)
        self.slider.valueChanged.connect(self._changed)
        self.button.clicked.connect(self.wanted)
        self.classes.lineEdit().returnPressed.connect(self.wanted)
        self._setting = False
        self._changed()

    def threshold(self) -> float:
        return self.slider.value() / 100

    def set_threshold(self, value: float) -> None:
        """Move the slider without `moved`."""
        self._setting = True
        self.slider.setValue(round(100 * value))
        self._setting = False

    def class_name(self) -> str:
        return " ".join(self.classes.currentText().split())

    def offer_classes(self, names: list) -> None:
        """List the classes that there are, and keep what is typed."""
        typed = self.classes.currentText()
        self.classes.clear()
        self.classes.addItems(names)
        self.classes.setEditText(typed)

    def show_size(self, text: str, usable: bool) -> None:
        self.size.setText(text)
        self.button.setEnabled(usable)

    def _changed(self) -> None:
        self.share.setText(f"{self.threshold():.2f}")
        if not self._setting:
            self.moved.emit()
