"""The control for a model in Processing dialogs: installed models by title, or a folder."""

from __future__ import annotations

from qgis.core import QgsSettings
from qgis.gui import QgsAbstractProcessingParameterWidgetWrapper, QgsProcessingGui
from qgis.PyQt.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QToolButton, QWidget

from .models import installed_models
from .translation import tr

LAST_FOLDER = "sardino/lastModelFolder"
_DIALOG_TYPES = {
    "BatchAlgorithmDialog": QgsProcessingGui.WidgetType.Batch,
    "ModelerParametersDialog": QgsProcessingGui.WidgetType.Modeler,
}


class ModelWidgetWrapper(QgsAbstractProcessingParameterWidgetWrapper):
    """An editable list of the installed models, with a button that takes any folder.

    Named in the parameter's metadata, made by QGIS. The control is a plain QWidget: QGIS takes it over, and the Python
    side of a subclass would be gone by then. So its parts and their slots are kept here.
    """

    def __init__(self, param, dialog, row=0, col=0, **kwargs) -> None:
        # Called as QGIS calls it: `row` and `col` belong to its older API.
        kind = _DIALOG_TYPES.get(dialog.__class__.__name__, QgsProcessingGui.WidgetType.Standard)
        super().__init__(param, kind)
        self._choice = None

    def createWidget(self):
        """Make the control, showing the parameter's default."""
        widget = QWidget()
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        self._choice = QComboBox()
        self._choice.setEditable(True)
        self._choice.addItem(tr("Bundled model"), "")
        for model in installed_models():
            self._choice.addItem(model.title, model.name)
        browse = QToolButton()
        browse.setText("…")
        browse.setToolTip(tr("Choose the folder of a model"))
        layout.addWidget(self._choice, 1)
        layout.addWidget(browse)
        self.setWidgetValue(self.parameterDefinition().defaultValue(), None)
        browse.clicked.connect(self._browse)
        self._choice.currentTextChanged.connect(lambda _text: self.widgetValueHasChanged.emit(self))
        return widget

    def setWidgetValue(self, value, context) -> None:
        """Show a name, a folder, or (None or empty) the bundled model."""
        if self._choice is None:
            return
        text = str(value or "")
        index = self._choice.findData(text)
        if index < 0:
            self._choice.setEditText(text)
        else:
            self._choice.setCurrentIndex(index)

    def widgetValue(self) -> str:
        """The name of an installed model, a folder, or an empty string for the bundled model."""
        if self._choice is None:
            return ""
        text = self._choice.currentText().strip()
        index = self._choice.findText(text)
        return text if index < 0 else self._choice.itemData(index)

    def _browse(self) -> None:
        start = str(QgsSettings().value(LAST_FOLDER, "") or "")
        folder = QFileDialog.getExistingDirectory(self._choice, tr("Folder of a model"), start)
        if folder:
            QgsSettings().setValue(LAST_FOLDER, folder)
            self.setWidgetValue(folder, None)
