"""Run an installation as one of QGIS's tasks, off the main thread."""

from __future__ import annotations

from qgis.core import QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ..common.i18n import tr
from ..environment.errors import InstallCancelledError, InstallError
from ..environment.install import install
from ..environment.plan import Plan
from ..environment.progress import InstallFeedback


class SetupTask(QgsTask):
    """Run the installation off the main thread, as one of QGIS's tasks."""

    said = pyqtSignal(str)
    moved = pyqtSignal(float, str)

    def __init__(self, plan: Plan) -> None:
        super().__init__(tr("Set up the backend of SAR Land Cover (DINO)"), QgsTask.Flag.CanCancel)
        self.plan = plan
        self.python = ""
        self.problem = ""

    def run(self) -> bool:
        try:
            self.python = str(install(self.plan, _TaskFeedback(self)))
        except InstallError as error:
            self.problem = str(error)
        except InstallCancelledError:
            self.problem = tr("Cancelled. Nothing was changed.")
        except Exception as error:  # QGIS drops what a task raises, and the dialog would wait forever
            self.problem = tr("Unexpected {}: {}").format(type(error).__name__, error)
        return not self.problem


class _TaskFeedback(InstallFeedback):
    def __init__(self, task: SetupTask) -> None:
        self._task = task

    def log(self, line: str) -> None:
        self._task.said.emit(line)

    def progress(self, fraction: float, text: str) -> None:
        self._task.setProgress(100 * fraction)
        self._task.moved.emit(fraction, text)

    def cancelled(self) -> bool:
        return self._task.isCanceled()
