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


class ModelWidget(QWidget):
    """An editable list of the installed models, with a button that takes any folder."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.choice = QComboBox()
        self.choice.setEditable(True)
        self.choice.addItem(tr("Bundled model"), "")
        for model in installed_models():
            self.choice.addItem(model.title, model.name)
        browse = QToolButton()
        browse.setText("…")
        browse.setToolTip(tr("Choose the folder of a model"))
        browse.clicked.connect(self._browse)
        layout.addWidget(self.choice, 1)
        layout.addWidget(browse)

    def _browse(self) -> None:
        start = str(QgsSettings().value(LAST_FOLDER, "") or "")
        folder = QFileDialog.getExistingDirectory(self, tr("Folder of a model"), start)
        if folder:
            QgsSettings().setValue(LAST_FOLDER, folder)
            self.set_value(folder)

    def value(self) -> str:
        """The name of an installed model, a folder, or an empty string for the bundled model."""
        text = self.choice.currentText().strip()
        index = self.choice.findText(text)
        return text if index < 0 else self.choice.itemData(index)

    def set_value(self, value) -> None:
        """Show a name, a folder, or (None or empty) the bundled model."""
        text = str(value or "")
        index = self.choice.findData(text)
        if index < 0:
            self.choice.setEditText(text)
        else:
            self.choice.setCurrentIndex(index)


class ModelWidgetWrapper(QgsAbstractProcessingParameterWidgetWrapper):
    """Binds ModelWidget to the parameter; named in the parameter's metadata, made by QGIS."""

    def __init__(self, param, dialog, row=0, col=0, **kwargs) -> None:
        # Called as QGIS calls it: `row` and `col` belong to its older API.
        kind = _DIALOG_TYPES.get(dialog.__class__.__name__, QgsProcessingGui.WidgetType.Standard)
        super().__init__(param, kind)
        self._widget = None

    def createWidget(self):
        """Make the control, showing the parameter's default."""
        self._widget = ModelWidget()
        self._widget.set_value(self.parameterDefinition().defaultValue())
        self._widget.choice.currentTextChanged.connect(lambda _text: self.widgetValueHasChanged.emit(self))
        return self._widget

    def setWidgetValue(self, value, context) -> None:
        """Show `value`."""
        if self._widget is not None:
            self._widget.set_value(value)

    def widgetValue(self):
        """The chosen value."""
        return "" if self._widget is None else self._widget.value()
