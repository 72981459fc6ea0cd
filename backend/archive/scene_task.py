"""Map a scene of an archive, and write its STAC item beside the result."""

from __future__ import annotations

import json

from backend.archive.attempts import Held
from backend.archive.items import scene_item
from backend.archive.task import TaskOptions
from backend.archive.units import Unit
from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.atomic_files import refusing, write_files
from backend.maps.request import MapContext
from backend.raster.errors import RASTER_ERRORS


class SceneTask:
    """Maps a scene and writes its STAC item beside it.

    Args:
        options: Of the task.
        worker: Name of this process.
    """

    def __init__(self, options: TaskOptions, worker: str) -> None:
        self._options, self._worker = options, worker
        self._card = ModelCard.load(model_folder(options.model) / CARD)

    def __call__(self, unit: Unit, held: Held, context: MapContext) -> None:
        facts = self._options.run(unit, held.work, context)
        made = {"task": self._options.task, "attempt": held.number, "worker": self._worker}
        path = held.work / f"{unit.name}.json"
        with refusing(path, *RASTER_ERRORS):
            item = scene_item(unit, facts, self._card, made)
            write_files({path: (json.dumps(item, allow_nan=False) + "\n").encode()}, context.cancel)
