"""Run the task of an archive on one scene: one of the commands that map with a model."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from backend.archive.told_bands import told_bands
from backend.archive.units import Unit, is_remote, without_query
from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.errors import InputError
from backend.core.plain_json import parse_json
from backend.engines.choice import check_engine
from backend.grd.request import Slopes
from backend.maps.request import MapContext, Request
from backend.maps.uncertainty import MEASURES
from backend.radiometry.units import Units

# Further outputs of each task, and the option of its command that names them.
FURTHER: Mapping[str, Sequence[str]] = {
    "landcover": ("confidence", "probabilities", *MEASURES),
    "attention": ("masks",),
    "embed": ("pca",),
}
TASKS = tuple(FURTHER)
# Those of land cover that can be stored in eight bits.
_IN_BYTES = {"confidence", "probabilities"}
# Keys of a card without any effect on a map.
_DESCRIPTIONS = {"title", "trained_on", "metrics", "limits", "licence"}


@dataclass(frozen=True)
class TaskOptions:
    """Hold the task for every scene. The fields have the meaning of the options of the task's own command.

    Attributes:
        task: One of TASKS.
        also: Further outputs, of FURTHER.
        model: Name or folder of the model.
        bands: Band numbers in the card's order.
        units: Unit of the values.
        accept_values: Whether values that can't be backscatter are mapped all the same.
        extent: In the CRS of each raster.
        slopes: Treatment of the terrain under products; without a file of orbits, which belongs to one product.
        device: Device of this process alone: workers may differ.
        engine: Library that runs the model.
        batch_size: Batch size of this process alone.
        bits: 32 for floats, 8 for bytes: of probabilities and confidence, or of embeddings.
        heads: Heads of attention: mean, all or log.
        block: Block of attention and embeddings.
        grid: Grid of embeddings: patch or input.
    """

    task: str = "landcover"
    also: Sequence[str] = ()
    model: str | None = None
    bands: Sequence[int] | None = None
    units: str = Units.AUTO.value
    accept_values: bool = False
    extent: Sequence[float] | None = None
    slopes: Slopes = field(default_factory=Slopes)
    device: str = "auto"
    engine: str = "auto"
    batch_size: int = 0
    bits: int = 32
    heads: str = "mean"
    block: int = -1
    grid: str = "patch"

    def check(self) -> ModelCard:
        """Check the options as far as possible before a scene is read; return the model's card.

        Raises:
            InputError: The task has no such output, or an option has no effect on it.
            ModelError: There is no such model.
            ResourceError: The engine can't run.
        """
        unknown = [name for name in self.also if name not in FURTHER[self.task]]
        if unknown:
            raise InputError(
                f"{self.task} has no output called {unknown[0]}.",
                f"Its further outputs are: {', '.join(FURTHER[self.task])}.",
            )
        default = TaskOptions()
        idle = {"heads": ("attention",), "block": ("attention", "embed"), "grid": ("embed",)}
        for name, tasks in idle.items():
            if self.task not in tasks and getattr(self, name) != getattr(default, name):
                raise InputError(f"--{name} has no effect on {self.task}.", "Leave it out.")
        idle_bits = self.task == "landcover" and _IN_BYTES.isdisjoint(self.also)
        if self.bits == 8 and (self.task == "attention" or idle_bits):
            needed = " without confidence or probabilities" if idle_bits else ""
            raise InputError(f"--bits 8 has no effect on {self.task}{needed}.", "Leave it out.")
        dem = self.slopes.dem
        if dem is not None and not (is_remote(dem) or dem.startswith("/vsi") or os.path.exists(dem)):
            raise InputError(f"There is no elevation model {dem}.", "Check the path.")
        card = ModelCard.load(model_folder(self.model) / CARD)
        check_engine(self.engine, self.device, card)
        return card

    def recorded(self, card: ModelCard) -> dict[str, Any]:
        """Return the options that the results depend on, in plain JSON types, with the model by its hash."""
        return {
            "task": self.task, "also": sorted(self.also), "model": card.name, "model_sha256": card.weights_sha256,
            "card_sha256": self._card_digest(),
            "bands": list(self.bands) if self.bands else None, "units": self.units,
            "accept_values": self.accept_values, "extent": list(self.extent) if self.extent else None,
            "slopes": self._recorded_slopes(), "engine": self.engine, "bits": self.bits, "heads": self.heads,
            "block": self.block, "grid": self.grid,
            "classes": [[item.value, item.name, item.color, item.group] for item in card.classes],
        }  # fmt: skip

    def _recorded_slopes(self) -> dict[str, Any] | None:
        """Return how the terrain is taken into account, its elevation model by path and size; None without one."""
        dem = self.slopes.dem
        if dem is None:
            return None
        if not os.path.exists(dem):
            return {**asdict(self.slopes), "dem": without_query(dem)}
        return {**asdict(self.slopes), "dem": os.path.abspath(dem), "dem_bytes": os.path.getsize(dem)}

    def _card_digest(self) -> str:
        """Return what tells a card from others that make other maps with the same weights."""
        card = parse_json((model_folder(self.model) / CARD).read_bytes())
        facts = {key: value for key, value in card.items() if key not in _DESCRIPTIONS}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def run(self, unit: Unit, work: Path, context: MapContext) -> dict[str, Any]:
        """Map one scene into a folder.

        Args:
            unit: The scene.
            work: Folder to write into.
            context: Reporter, cancel, and the model that stays loaded.

        Returns:
            The facts of the command's result, whose outputs are paths by role.

        Raises:
            SarDinoError: Refused or cancelled.
        """
        first, *further = unit.files
        bands = self.bands or told_bands(unit, ModelCard.load(model_folder(self.model) / CARD))
        request = Request(
            first, work / f"{unit.name}_{self.task}.tif", self.model, bands, Units(self.units), self.extent,
            self.device, self.engine, self.batch_size, accept_values=self.accept_values, further=further,
            slopes=self.slopes,
        )  # fmt: skip
        paths = {role: work / f"{unit.name}_{role}.tif" for role in self.also}
        return _COMMANDS[self.task](self, request, paths, context)


def _landcover(
    options: TaskOptions, request: Request, paths: Mapping[str, Path], context: MapContext
) -> dict[str, Any]:
    from backend.maps.landcover import landcover

    more = {role: path for role, path in paths.items() if role not in _IN_BYTES}
    return landcover(request, paths.get("confidence"), paths.get("probabilities"), context, more, options.bits)


def _attention(
    options: TaskOptions, request: Request, paths: Mapping[str, Path], context: MapContext
) -> dict[str, Any]:
    from backend.maps.attention import attention

    return attention(request, options.heads, options.block, None, paths.get("masks"), context)


def _embed(options: TaskOptions, request: Request, paths: Mapping[str, Path], context: MapContext) -> dict[str, Any]:
    from backend.maps.embeddings import embed

    return embed(request, options.block, options.grid, paths.get("pca"), context, bits=options.bits)


_COMMANDS = {"landcover": _landcover, "attention": _attention, "embed": _embed}
