"""Map a scene of an archive, and write its STAC item next to the result."""

from __future__ import annotations

import json

from backend.archive.attempts import Held
from backend.archive.folder import ArchiveFolder
from backend.archive.items import scene_item
from backend.archive.scene_run import SceneReporter
from backend.archive.task import TaskOptions
from backend.archive.units import Unit
from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.atomic_files import refusing, write_files
from backend.core.errors import InputError, ModelError
from backend.maps.request import MapContext
from backend.raster.errors import RASTER_ERRORS


class SceneTask:
    """Map a scene and write its STAC item next to it, as long as options and model are those of the archive.

    Args:
        options: Options of the task.
        worker: Name of this process.
        folder: Of the archive.
    """

    def __init__(self, options: TaskOptions, worker: str, folder: ArchiveFolder) -> None:
        self._options, self._worker, self._folder = options, worker, folder

    def __call__(self, unit: Unit, held: Held, context: MapContext) -> None:
        self._card()
        facts = self._options.run(unit, held.work, context)
        card = self._card()  # unchanged, also while the scene was mapped
        reporter = context.reporter
        warnings = reporter.warnings if isinstance(reporter, SceneReporter) else []
        made = {"task": self._options.task, "attempt": held.number, "worker": self._worker, "warnings": warnings}
        path = held.work / f"{unit.name}.json"
        with refusing(path, *RASTER_ERRORS):
            item = scene_item(unit, facts, card, made)
            write_files({path: (json.dumps(item, allow_nan=False) + "\n").encode()}, context.cancel)

    def _card(self) -> ModelCard:
        """Return the model's card.

        Raises:
            ModelError: It has changed since the archive was begun, or this computer has another one of that name.
        """
        card = ModelCard.load(model_folder(self._options.model) / CARD)
        try:
            self._folder.check(self._options.recorded(card))
        except InputError as error:
            raise ModelError(error.message, "Give every worker the model that the archive was begun with.") from error
        return card
