"""Show the dialog of installed models: their cards, and buttons to add and remove folders."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication, QgsProcessingFeedback, QgsSettings, QgsTask
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QVBoxLayout,
)

from ..client.events import WorkerCancelledError, WorkerError
from ..common.i18n import tr
from ..environment.locate import BackendMissingError
from ..models.card_page import card_page
from ..models.installed import InstalledModel, add_folder, check_model, find_model, forget_folder, installed_models
from .card_dialog import card_browser
from .model_control import LAST_FOLDER


class ModelsDialog(QDialog):
    """Show the modeless dialog. A folder is added only after the backend has loaded its model, which takes seconds."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Models: SAR Land Cover (DINO)"))
        self.resize(940, 620)
        self._check: QgsTask | None = None
        self._feedback: QgsProcessingFeedback | None = None  # of the running check
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.card = card_browser()
        halves = QSplitter(Qt.Orientation.Horizontal)
        halves.addWidget(self.list)
        halves.addWidget(self.card)
        halves.setSizes([290, 650])
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)  # names of files are untrusted
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.addWidget(halves, 1)
        layout.addWidget(self.status)
        layout.addWidget(self._buttons())
        self.list.currentItemChanged.connect(self._selected)
        self.fill()

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox()
        self.add_button = QPushButton(QgsApplication.getThemeIcon("/mActionAdd.svg"), tr("Add folder…"))
        self.add_button.setToolTip(tr("Add a model: a folder that holds card.json and model.safetensors"))
        self.forget_button = QPushButton(QgsApplication.getThemeIcon("/mActionRemove.svg"), tr("Forget"))
        self.forget_button.setToolTip(tr("Remove the model from this list. Its files are not deleted."))
        for button, slot in ((self.add_button, self.add), (self.forget_button, self.forget)):
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked, slot=slot: slot())
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        return buttons

    def fill(self, chosen: str = "") -> None:
        """Refresh the list. Select the model in the folder `chosen`, else the previous selection, else the default."""
        default, before = find_model(""), self.current() or find_model("")
        chosen = chosen or (before.folder if before is not None else "")
        self.list.clear()
        for model in installed_models():
            item = QListWidgetItem(tr("{} (default)").format(model.title) if model == default else model.title)
            item.setData(Qt.ItemDataRole.UserRole, model)
            self.list.addItem(item)
            if model.folder == chosen:
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None:
            self.list.setCurrentRow(0)

    def current(self) -> InstalledModel | None:
        item = self.list.currentItem()
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else None

    def _selected(self, *_items: Any) -> None:
        model = self.current()
        self.card.setHtml(card_page(model) if model is not None else "")
        self.forget_button.setEnabled(model is not None and model.added)

    def forget(self) -> None:
        """Remove the selected model from the list."""
        model = self.current()
        if model is not None and model.added:
            forget_folder(model.folder)
            self.fill()
            self.status.setText(tr("Removed from the list: {}. The folder was not changed.").format(model.folder))

    def add(self) -> None:
        """Ask for a folder, have the backend check it, and add it."""
        start = str(QgsSettings().value(LAST_FOLDER, "") or "")
        folder = QFileDialog.getExistingDirectory(self, tr("Folder of a model"), start)
        if not folder or self._check is not None:
            return
        QgsSettings().setValue(LAST_FOLDER, folder)
        self.add_button.setEnabled(False)
        self.status.setText(tr("The backend is checking {}; this takes some seconds…").format(folder))
        feedback = self._feedback = QgsProcessingFeedback(False)
        self._check = QgsTask.fromFunction(
            tr("Checking the model"), lambda _task: _ask(folder, feedback), on_finished=self._checked
        )
        QgsApplication.taskManager().addTask(self._check)

    def _checked(self, problem: Any, answer: tuple[str, str] | None = None) -> None:
        if sip.isdeleted(self):  # the plugin was unloaded in the meantime
            return
        self._check = self._feedback = None
        self.add_button.setEnabled(True)
        folder, trouble = answer or ("", str(problem))
        if trouble:
            self.status.setText(tr("Not added: {}").format(trouble))
            return
        self.fill(add_folder(folder))
        self.status.setText(tr("Added: {}. Dialogs that are opened from now on offer it.").format(folder))

    def cancel(self) -> None:
        if self._feedback is not None:
            self._feedback.cancel()


def _ask(folder: str, feedback: QgsProcessingFeedback) -> tuple[str, str]:
    """Check a model in a task's thread; return the folder, and why the model can't be used (empty where it can)."""
    try:
        check_model(folder, feedback)
    except (WorkerError, BackendMissingError) as trouble:
        return folder, str(trouble)
    except WorkerCancelledError:
        return folder, tr("Cancelled.")
    return folder, ""
