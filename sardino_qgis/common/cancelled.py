"""Define the exception of a run that the user cancelled."""

from __future__ import annotations

from qgis.core import QgsProcessingException

from .i18n import tr


class CancelledError(QgsProcessingException):
    """Signal that the user cancelled the run; nothing was written."""

    def __init__(self) -> None:
        super().__init__(tr("Cancelled."))
