"""Provide the control for the model in Processing dialogs: installed models, any folder, and the model's card."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication, QgsSettings
from qgis.gui import QgsAbstractProcessingParameterWidgetWrapper, QgsGui, QgsProcessingGui
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from ..common.i18n import tr
from ..common.last_used import keep
from ..models.installed import DEFAULT_MODEL, find_model, installed_models, labelled_models
from .card_dialog import CardDialog

LAST_FOLDER = "sardino/lastModelFolder"


class ModelControl:
    """Make the control for each kind of dialog. QGIS calls it, since the parameter's metadata names it."""

    def __new__(cls, param: Any, dialog: Any, row: int = 0, col: int = 0, **kwargs: Any) -> Any:
        """Return a control for `param` that fits `dialog`."""
        kind = dialog.__class__.__name__
        if kind == "ModelerParametersDialog":
            return _designer_control(param, dialog)
        if kind == "BatchAlgorithmDialog":
            return ModelWidgetWrapper(param, QgsProcessingGui.WidgetType.Batch)
        wrapper = ModelWidgetWrapper(param, QgsProcessingGui.WidgetType.Standard)
        if hasattr(dialog, "algorithmFinished"):
            dialog.algorithmFinished.connect(lambda good, _results: good and _keep(dialog))
        return wrapper


def _keep(dialog: Any) -> None:
    # Not `createProcessingParameters`, which raises if an input was removed in the meantime.
    wrappers = getattr(dialog.mainWidget(), "wrappers", {})
    keep(dialog.algorithm(), {name: wrapper.parameterValue() for name, wrapper in wrappers.items()})


def _designer_control(param: Any, dialog: Any) -> Any:
    """Return QGIS's control for a text, which also takes expressions and model inputs, with proposed models."""
    registry = QgsGui.processingGuiRegistry()
    control = registry.createModelerParameterWidget(dialog.model, dialog.childId, param, dialog.context)
    control.setDialog(dialog)
    for line in control.findChildren(QLineEdit):
        if isinstance(line.parent(), QStackedWidget):  # others are for expressions and inputs
            completer = QCompleter([model.value for model in installed_models()], line)
            completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            line.setCompleter(completer)
            line.setPlaceholderText(tr("Default model; or the name or folder of another"))
    return control


class ModelWidgetWrapper(QgsAbstractProcessingParameterWidgetWrapper):
    """Offer an editable list of the installed models, with buttons to choose a folder and to show the card.

    The control is a plain QWidget: QGIS takes ownership of it, and the Python part of a subclass would be deleted. So
    its parts and their slots are kept here.
    """

    def __init__(self, param: Any, kind: Any) -> None:
        super().__init__(param, kind)
        self._choice = None

    def createWidget(self):
        """Create the control, with the parameter's default."""
        widget = QWidget()
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        self._choice = _Models()
        self._choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._choice.setMinimumContentsLength(8)
        layout.addWidget(self._choice, 1)
        layout.addWidget(_button("browse", "…", tr("Choose the folder of a model"), self._browse))
        card = _button(
            "card", tr("Model card"), tr("What the model was trained on, its accuracy and limits"), self._show
        )
        card.setIcon(QgsApplication.getThemeIcon("/mActionPropertiesWidget.svg"))
        if self.type() != QgsProcessingGui.WidgetType.Batch:
            card.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        layout.addWidget(card)
        self.setWidgetValue(self.parameterDefinition().defaultValueForGui(), None)
        self._choice.currentTextChanged.connect(lambda _text: self.widgetValueHasChanged.emit(self))
        return widget

    def setWidgetValue(self, value, context) -> None:
        """Show a name, a folder, or (None or empty) the default model."""
        if self._choice is None:
            return
        text = str(value or "")
        known = find_model(text)
        if text == DEFAULT_MODEL:
            text = ""
        elif known is not None and text in (known.name, known.folder):
            text = known.value
        index = self._choice.findData(text)
        if index < 0:
            self._choice.setEditText(text)
        else:
            self._choice.setCurrentIndex(index)
        self._choice.lineEdit().home(False)  # show a long title from its beginning

    def widgetValue(self) -> str:
        """Return the name of an installed model, a folder, or an empty string for the default model."""
        if self._choice is None:
            return ""
        text = self._choice.currentText().strip()
        index = self._choice.findText(text, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchCaseSensitive)
        return text if index < 0 else self._choice.itemData(index)

    def _browse(self) -> None:
        start = str(QgsSettings().value(LAST_FOLDER, "") or "")
        folder = QFileDialog.getExistingDirectory(self._choice, tr("Folder of a model"), start)
        if folder:
            QgsSettings().setValue(LAST_FOLDER, folder)
            self.setWidgetValue(folder, None)

    def _show(self) -> None:
        CardDialog.show_for(self.widgetValue(), self._choice.window())


class _Models(QComboBox):
    """Offer an editable list of models, read again whenever it is opened: a run may have made one meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditable(True)
        self.fill()

    def fill(self) -> None:
        """List the models again, and keep the entry that is chosen or written."""
        models = labelled_models()
        if models == [(self.itemText(row), self.itemData(row)) for row in range(self.count())]:
            return
        text, blocked = self.currentText(), self.blockSignals(True)
        self.clear()
        for label, value in models:
            self.addItem(label, value)
        if text:
            self.setCurrentText(text)
        self.blockSignals(blocked)

    def showPopup(self) -> None:
        self.fill()
        super().showPopup()


def _button(name: str, text: str, help_text: str, slot: Any) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setToolTip(help_text)
    button.clicked.connect(slot)
    return button
