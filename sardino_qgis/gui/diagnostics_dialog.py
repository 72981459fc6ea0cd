"""Show the diagnostics, to be copied and sent to those who help."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QPushButton, QVBoxLayout

from ..common.i18n import tr
from ..environment.diagnose import report


class DiagnosticsDialog(QDialog):
    """Show the report once the backend has answered, which takes some seconds."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Diagnostics: SAR Land Cover (DINO)"))
        self.resize(720, 460)
        layout = QVBoxLayout(self)
        self.text = QPlainTextEdit(tr("Asking the backend; this takes some seconds…"))
        self.text.setReadOnly(True)
        layout.addWidget(self.text)
        buttons = QDialogButtonBox()
        self.copy_button = QPushButton(tr("Copy to clipboard"))
        self.copy_button.setEnabled(False)
        self.copy_button.clicked.connect(lambda: QgsApplication.clipboard().setText(self.text.toPlainText()))
        buttons.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.task = QgsTask.fromFunction(tr("Diagnostics"), lambda _: report(), on_finished=self._show_report)
        QgsApplication.taskManager().addTask(self.task)

    def _show_report(self, problem, text: str = "") -> None:
        if sip.isdeleted(self):  # the plugin was unloaded in the meantime
            return
        self.text.setPlainText(str(problem) if problem else text)
        self.copy_button.setEnabled(True)
