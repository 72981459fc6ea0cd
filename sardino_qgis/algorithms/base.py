"""Define the base of all algorithms: identity, parameters with help, and runs of the backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFileDestination,
)
from qgis.PyQt.QtGui import QIcon

from ..client.events import WorkerCancelledError, WorkerError
from ..client.run import run_worker
from ..common.cancelled import CancelledError
from ..common.last_used import offer
from ..common.plugin_files import help_page, resource
from ..environment import locate
from ..layers.reloading import reload_layers
from .parameters import ADVANCED


class BackendAlgorithm(QgsProcessingAlgorithm):
    """Run one command of the backend in a separate process; the base of all algorithms."""

    COMMAND = ""
    PROGRAM: tuple[str, ...] = ()  # module and arguments before the inputs; the backend and COMMAND if empty
    WARM = False  # whether a warm worker may run it
    ICON = "sardino.svg"
    HELP: tuple[str, ...] = ("algorithms",)  # help page, and a section of it

    _written: Sequence[str] = ()  # rasters that the last run wrote

    # Called by QGIS

    def name(self) -> str:
        return self.COMMAND

    def createInstance(self):
        return type(self)()

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return resource("icons", self.ICON)

    def helpUrl(self) -> str:
        return help_page(*self.HELP)

    def canExecute(self) -> tuple[bool, str]:
        """Return whether the backend is set up, and a message; on the desktop a message bar offers to set it up."""
        offer = self.provider().offer_setup if self.provider() is not None else None
        problem = offer() if offer is not None else locate.problem()
        return not problem, problem

    def checkParameterValues(self, parameters, context) -> tuple[bool, str]:
        """Refuse unusable inputs before the run, while the dialog is still open."""
        good, why = super().checkParameterValues(parameters, context)
        if not good:
            return good, why
        try:
            self.read_inputs(parameters, context, QgsProcessingFeedback(False))
        except QgsProcessingException as refusal:
            return False, str(refusal)
        return True, ""

    def processAlgorithm(self, parameters, context, feedback) -> dict:
        """Run, and tell a cancel from a failure, which QGIS reports in red.

        A desktop gets an empty result after a cancel, as from QGIS's own algorithms; `qgis_process` would report
        success for it, and gets an error.
        """
        try:
            return self.process(parameters, context, feedback)
        except CancelledError as cancelled:
            if self.provider() is None or self.provider().offer_setup is None:
                # QGIS logs a traceback for any other class.
                raise QgsProcessingException(str(cancelled)) from None
            feedback.pushInfo(str(cancelled))
            return {}

    def postProcessAlgorithm(self, context, feedback) -> dict:
        """Reload layers of older results under these names."""
        for path in self._written:
            reload_layers(context.project(), path)
        return {}

    # For subclasses

    def process(self, parameters: dict, context: Any, feedback: Any) -> dict:
        """Do the work, and return the outputs.

        Raises:
            CancelledError: The run was cancelled.
            QgsProcessingException: It failed.
        """
        raise NotImplementedError

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> Any:
        """Read the layers on the main thread, which owns them.

        Raises:
            QgsProcessingException: They can't be used.
        """
        return None

    def add(self, parameter: QgsProcessingParameterDefinition, text: str, advanced: bool = False) -> None:
        """Declare `parameter` with its help `text`."""
        parameter.setHelp(text)
        if advanced:
            parameter.setFlags(parameter.flags() | ADVANCED)
        offer(self.name(), parameter)
        self.addParameter(parameter)

    def add_file(self, name: str, description: str, kinds: str, text: str, main: bool) -> None:
        """Declare a file that is written; the main one by default, others on request."""
        parameter = QgsProcessingParameterFileDestination(
            name, description, kinds, optional=not main, createByDefault=main
        )
        self.add(parameter, text)

    def add_numbers(self, numbers: Sequence[tuple[str, str, str]]) -> None:
        """Declare number outputs: name, description, and key in the result event."""
        for name, description, _ in numbers:
            self.addOutput(QgsProcessingOutputNumber(name, description))

    def raster(self, parameters: dict, name: str, context: Any) -> Any:
        """Return the raster layer of a parameter.

        Raises:
            QgsProcessingException: There is none, or it can't be opened.
        """
        layer = self.parameterAsRasterLayer(parameters, name, context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, name))
        return layer

    def features(self, parameters: dict, name: str, context: Any) -> Any:
        """Return the source of features of a parameter.

        Raises:
            QgsProcessingException: There is none, or it can't be opened.
        """
        source = self.parameterAsSource(parameters, name, context)
        if source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, name))
        return source

    def chosen(self, parameters: dict, context: Any, options: dict[str, str]) -> list[str]:
        """Return options of the backend with the values of choices; `options` has the parameter of each."""
        choices = {option: self.parameterAsEnumString(parameters, name, context) for option, name in options.items()}
        return [word for pair in choices.items() for word in pair]

    def backend_command(self) -> list[str]:
        """Return interpreter, module and command, to which the arguments are added.

        Raises:
            QgsProcessingException: There is no interpreter.
        """
        try:
            return [locate.find_interpreter(), "-m", *(self.PROGRAM or ("backend", self.COMMAND))]
        except locate.BackendMissingError as missing:
            raise QgsProcessingException(str(missing)) from missing

    def run_backend(self, command: list[str], feedback: Any) -> dict:
        """Run a command of the backend to its end, and return its result event.

        Raises:
            QgsProcessingException: The backend refused or failed, or the run was cancelled.
        """
        command = [*command, "--progress", "json", "--overwrite"]
        feedback.pushDebugInfo(" ".join(command))
        pool = self.provider().warm_pool if self.WARM and self.provider() is not None else None
        try:
            # The words after "python -m backend".
            result = pool.run(command[3:], feedback, self.displayName()) if pool is not None else None
            if result is not None:
                return result
            return run_worker(command, str(locate.backend_root()), feedback, self.displayName())
        except WorkerCancelledError:
            raise CancelledError() from None
        except (WorkerError, locate.BackendMissingError) as trouble:
            raise QgsProcessingException(str(trouble)) from trouble
