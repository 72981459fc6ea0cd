"""Show the dialog that sets up the backend: first the plan, then the progress."""

from __future__ import annotations

import html
import os
from pathlib import Path

from qgis.core import QgsApplication
from qgis.gui import QgsCollapsibleGroupBox, QgsFileWidget
from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
)

from ..common.i18n import tr
from ..environment import locate
from ..environment.errors import InstallError
from ..environment.kinds import Kind, kind_of
from ..environment.plan import Plan, make_plan, offers
from ..environment.proxy import proxy_variables
from ..environment.request import SOURCE_VARIABLE, InstallRequest
from ..environment.store import current_interpreter
from .setup_task import SetupTask
from .setup_widgets import file_widget, intro_label, offer_label


class SetupDialog(QDialog):
    """Show the modeless dialog. When closed during an installation, it only hides, and the task continues.

    `changing` is emitted before an installation, and after a successful one.
    """

    changing = pyqtSignal()

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Set up backend: SAR Land Cover (DINO)"))
        self.resize(760, 600)
        self.task: SetupTask | None = None
        self.plan: Plan | None = None
        layout = QVBoxLayout(self)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.kinds = {kind: QRadioButton(kind.title) for kind in Kind}
        self.offers = {kind: offer_label(kind, radio) for kind, radio in self.kinds.items()}
        choices = [widget for kind in Kind for widget in (self.kinds[kind], self.offers[kind])]
        for widget in (intro_label(), *choices, self.summary, self._choices()):
            layout.addWidget(widget)
        self.step = QLabel()
        self.step.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(5000)
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        for widget in (self.step, self.bar, self.log):
            layout.addWidget(widget)
        buttons = QDialogButtonBox()
        self.install_button = QPushButton(tr("Install"))
        self.cancel_button = QPushButton(tr("Cancel installation"))
        buttons.addButton(self.install_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.cancel_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.install_button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self.cancel)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self._show_running(False)

    def _choices(self) -> QgsCollapsibleGroupBox:
        box = QgsCollapsibleGroupBox(tr("Other choices"))
        box.setCollapsed(True)
        form = QFormLayout(box)
        self.folder = file_widget(tr("Folder of the environment"), str(locate.managed_folder()))
        self.python = file_widget(tr("Found automatically"), "", QgsFileWidget.StorageMode.GetFile)
        self.wheels = file_widget(tr("None: packages are downloaded"), "")
        self._preselect()
        self.source = QLineEdit(os.environ.get(SOURCE_VARIABLE, ""))
        self.source.setPlaceholderText(tr("The default build"))
        self.source.setToolTip(
            tr(
                "Address of a package index, or a folder, with another build of PyTorch: for the CPU only, which is "
                "smaller, or for CUDA on Windows. PyTorch's installation page lists the addresses."
            )
        )
        self.wheels.setToolTip(
            tr(
                "For machines without a connection: a folder filled on a machine with the same system and Python with "
                "'pip download --require-hashes --no-deps -d FOLDER -r requirements-mapping-locked.txt' (or "
                "requirements-pytorch-locked.txt)."
            )
        )
        form.addRow(tr("Folder"), self.folder)
        form.addRow(tr("Python to build on"), self.python)
        form.addRow(tr("Folder of wheels"), self.wheels)
        form.addRow(tr("Source of PyTorch"), self.source)
        # Not at every key press: a plan starts interpreters.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(700)
        self._soon.timeout.connect(self.look)
        for changed in (*(w.fileChanged for w in (self.folder, self.python, self.wheels)), self.source.textChanged):
            changed.connect(lambda _: self._soon.start())
        self.kinds[Kind.MAPPING].toggled.connect(self._change_kind)
        box.collapsedStateChanged.connect(lambda _: QTimer.singleShot(0, self._fit))
        return box

    def _preselect(self) -> None:
        """Choose the kind that is installed now, so that an upgrade takes nothing away; else that for mapping."""
        installed = kind_of(current_interpreter(Path(self.folder.filePath() or locate.managed_folder())))
        self.kinds[installed or Kind.MAPPING].setChecked(True)

    def _change_kind(self) -> None:
        self.source.setEnabled(self.kind() is Kind.PYTORCH)
        self._soon.start(0)

    def kind(self) -> Kind:
        """Return the kind of installation that is chosen."""
        return Kind.PYTORCH if self.kinds[Kind.PYTORCH].isChecked() else Kind.MAPPING

    def request(self) -> InstallRequest:
        """Return the choices in the fields."""
        return InstallRequest(
            Path(self.folder.filePath() or locate.managed_folder()),
            self.python.filePath(),
            self.wheels.filePath(),
            self.source.text().strip() if self.kind() is Kind.PYTORCH else "",
            proxy_variables(),
            self.kind(),
        )

    def showEvent(self, event) -> None:
        super().showEvent(event)
        if self.task is None:
            self.look()

    def look(self) -> None:
        """Make a plan for the choices, and show it."""
        request = self.request()
        if self.task is not None or (self.plan is not None and self.plan.request == request):
            return
        QgsApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            self.plan = make_plan(request)
            for kind, offer in offers(self.plan).items():
                self.offers[kind].setText(offer)
            text = "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in self.plan.lines()) + "</ul>"
        except InstallError as error:
            self.plan, text = None, html.escape(str(error))
        finally:
            QgsApplication.restoreOverrideCursor()
        self.summary.setText(text)
        self.install_button.setEnabled(self.plan is not None)
        self._fit()

    def _fit(self) -> None:
        """Make the dialog high enough for its wrapped texts, which Qt would cut."""
        wanted = self.layout().minimumHeightForWidth(self.width())
        self.resize(self.width(), min(max(self.height(), wanted), self.screen().availableGeometry().height()))

    def start(self) -> None:
        self.look()
        if self.plan is None or self.task is not None:
            return
        self.log.clear()
        self.changing.emit()
        self.task = SetupTask(self.plan)
        self.task.said.connect(self.log.appendPlainText)
        self.task.moved.connect(self._move)
        self.task.taskCompleted.connect(self._succeed)
        self.task.taskTerminated.connect(self._fail)
        self._show_running(True)
        QgsApplication.taskManager().addTask(self.task)

    def cancel(self) -> None:
        """Ask the running installation to stop; the dialog shows when it has ended."""
        if self.task is not None:
            self.step.setText(tr("Cancelling…"))
            self.task.cancel()

    def _move(self, fraction: float, text: str) -> None:
        self.bar.setValue(int(1000 * fraction))
        self.step.setText(text)

    def _succeed(self) -> None:
        folder = self.task.plan.request.folder
        # Use the new environment. The folder is stored, since an upgrade changes the interpreter's path.
        locate.store_interpreter("" if folder == locate.managed_folder() else str(folder))
        self.changing.emit()
        text = tr("The backend is set up. You can run the algorithms now.")
        if os.environ.get(locate.VARIABLE):
            text += " " + tr("The environment variable {} names another environment, which is used instead.").format(
                locate.VARIABLE
            )
        self._end(text)

    def _fail(self) -> None:
        self._end(self.task.problem or tr("Cancelled. Nothing was changed."))
        self.bar.setValue(0)

    def _end(self, text: str) -> None:
        self.task = None
        self.plan = None
        self.log.appendPlainText(text)
        self.step.setText(text.splitlines()[0])
        self._show_running(False)

    def _show_running(self, running: bool) -> None:
        self.install_button.setVisible(not running)
        self.cancel_button.setVisible(running)
        for widget in (*self.kinds.values(), self.folder, self.python, self.wheels):
            widget.setEnabled(not running)
        self.source.setEnabled(not running and self.kind() is Kind.PYTORCH)
