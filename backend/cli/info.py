"""Describe this installation, a raster, a Sentinel-1 product or a model, as plain types."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from backend import __version__
from backend.card.model_card import ModelCard
from backend.card.registry import CARD, installed_models, model_folder
from backend.core.errors import InputError, ModelError, NothingValidError, SarDinoError, UnreadableError
from backend.engines.choice import ENGINES, installed
from backend.engines.graphics import may_find_card
from backend.grd.container import is_product
from backend.grd.for_model import polarisations_for
from backend.grd.product import Product, open_product
from backend.maps.scene import check_inputs
from backend.maps.values import product_checks
from backend.radiometry.checks import OK, REFUSED
from backend.radiometry.units import Units
from backend.raster.source import RasterSource, gdal_environment
from backend.raster.virtual import scene_files
from backend.stream.judged import judge_source

PACKAGES = ("openvino", "onnxruntime", "torch", "timm", "rasterio", "numpy", "safetensors")


@dataclass(frozen=True)
class Asked:
    """Hold the options by which a run would read a raster.

    Attributes:
        model: Name or folder; None for the default.
        further: As for `backend.maps.request.Request`; so are bands and units.
        bands: Band numbers.
        units: Unit of the values.
    """

    model: str | None = None
    further: Sequence[str] = ()
    bands: Sequence[int] | None = None
    units: Units = Units.AUTO

    def check_no_raster(self) -> None:
        """Refuse options that say how a raster is read, where none is described.

        Raises:
            InputError: There is one.
        """
        given = {"--with": self.further, "--bands": self.bands, "--units": self.units != Units.AUTO}
        for option in (option for option, value in given.items() if value):
            raise InputError(
                f"{option} has an effect on rasters only.", "Name a raster without --check, or leave it out."
            )


def describe(target: str | None, asked: Asked | None = None) -> dict[str, Any]:
    """Describe a raster, a Sentinel-1 product, a model (name or folder), or the installation if there is no target.

    Args:
        target: Raster, product or model to describe; a pattern stands for several files of one scene.
        asked: Options by which a run would read a raster or product.

    Raises:
        SarDinoError: The target is none of these.
    """
    asked = asked or Asked()
    target = target or asked.model
    if target is None:
        asked.check_no_raster()
        return describe_installation()
    if target in installed_models() or os.path.isfile(Path(target) / CARD):
        asked.check_no_raster()
        folder = model_folder(target)
        return {"model": _model(folder, ModelCard.load(folder / CARD)), "card": ModelCard.load(folder / CARD).to_dict()}
    files = scene_files(target, asked.further)
    if len(files) == 1 and is_product(files[0]):
        return {"product": describe_product(files[0], asked.model)}
    return {"raster": describe_raster(files, asked)}


def describe_checked(target: str | None, asked: Asked | None = None) -> dict[str, Any]:
    """Load a model (name, folder, or None for that of `asked`, else the default), and describe it if it can be used.

    Raises:
        InputError: Options say how a raster is read.
        ModelError: There is no such model, or its card, hash or tensors are invalid.
    """
    asked = asked or Asked()
    asked.check_no_raster()
    folder = model_folder(target or asked.model)
    card = ModelCard.load(folder / CARD)  # an invalid card is refused before anything is read
    from backend.cli.checked import check_model

    check_model(folder, card)
    return {"model": _model(folder, card), "card": card.to_dict()}


def describe_product(path: str, model: str | None = None) -> dict[str, Any]:
    """Describe a Sentinel-1 GRD product, and say why a model (None for the default) would refuse it."""
    product = open_product(path)
    lines, samples = product.channels[0].shape
    return {
        "name": product.name,
        "mode": product.mode,
        "start": product.start,
        "processor": product.processor,
        "polarisations": list(product.polarisations),
        **({"left_out": list(product.left_out)} if product.left_out else {}),
        "lines": lines,
        "samples": samples,
        "pixel_metres": product.channels[0].spacing,
        **_taken(product, model),
    }


def _taken(product: Product, model: str | None) -> dict[str, str]:
    try:
        card = ModelCard.load(model_folder(model) / CARD)
        used = polarisations_for(product, card)
    except (InputError, ModelError) as error:
        return {"refused": f"{error.message} {error.hint}".strip()}
    return {"model": f"{card.name}, with {', '.join(used)}"}


def describe_installation() -> dict[str, Any]:
    """List versions, devices and installed models; a model whose card can't be read is listed with its error."""
    facts: dict[str, Any] = {"versions": {"sardino": __version__, "python": platform.python_version()}}
    for package in PACKAGES:
        try:
            facts["versions"][package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            facts["versions"][package] = None
    facts["device"], facts["devices"], facts["engines"] = "cpu", ["cpu"], [e for e in ENGINES[1:] if installed(e)]
    if may_find_card():  # PyTorch takes seconds to import
        from backend.engines.pytorch import available_devices, choose_device, device_name

        facts["device"] = device_name(choose_device("auto"))
        facts["devices"] = available_devices()
    facts["models"] = []
    for name, folder in installed_models().items():
        try:
            facts["models"].append(_model(folder, ModelCard.load(folder / CARD)))
        except SarDinoError as error:
            facts["models"].append({"name": name, "path": str(folder), "error": error.message})
    return facts


def describe_raster(files: Sequence[str], asked: Asked) -> dict[str, Any]:
    """Describe the raster of some files of a scene, and judge its values as a run with a model would."""
    with gdal_environment(), RasterSource(files) as source:
        grid = source.grid
        facts = {
            "path": source.path,
            "width": grid.width,
            "height": grid.height,
            "crs": grid.crs.to_string() if grid.crs else None,
            "bounds": grid.bounds(),
            "pixel_metres": source.pixel_metres,
            "bands": source.describe_bands(),
        }
        notes = [message for _, message in source.notes]
    try:
        folder = model_folder(asked.model)
        card = ModelCard.load(folder / CARD)
        return {**facts, **judged(files, card, asked, notes)}
    except (UnreadableError, NothingValidError):
        raise
    except (InputError, ModelError) as error:
        said = f"{error.message} {error.hint}".strip()
        return {**facts, "units": f"unknown: {error.message}", "notes": notes, "refused": said}


def judged(files: Sequence[str], card: ModelCard, asked: Asked, notes: list[str]) -> dict[str, Any]:
    """Return the unit, the checks with their verdicts, and notes: what a run with a model finds before it starts.

    Raises:
        InputError: The bands can't be found, or the values fit no unit.
    """
    names = [band.name for band in card.bands]
    check_inputs(list(files))
    with RasterSource(files, asked.bands, None, names, allows_missing=card.allows_missing_bands) as source:
        bands = [card.bands[position] for position in source.present]
        units, checks = judge_source(source, bands, asked.units, False)
        checks += product_checks(source, card)
        more = [message for _, message in source.notes if message not in notes]
        taken = [f"{band.name} is band {number}" for band, number in zip(bands, source.bands)]
    doubts = [check.text for check in checks if check.verdict != OK]
    refused = [check.text for check in checks if check.verdict == REFUSED]
    return {
        "units": units.value if units is not Units.AUTO else "unknown",
        "model": card.name,
        "taken": taken,
        "checks": [check.to_dict() for check in checks],
        "notes": [*notes, *more, *doubts],
        **({"refused": refused[0]} if refused else {}),
    }


def as_lines(facts: dict[str, Any]) -> list[str]:
    """Format facts for reading: one a line, nested ones indented."""
    lines: list[str] = []
    for key, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{key}:", *("  " + line for line in as_lines(value))]
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
            lines.append(f"{key}:")
            for item in value:
                lines += ["  " + line for line in as_lines(item)] + [""]
            lines.pop()
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
            lines.append(f"{key}: {shown}")
    return lines


def _model(folder: Path, card: ModelCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        "path": str(folder),
        "bands": [band.name for band in card.bands],
        "gsd_m": card.gsd_m,
        "heads": card.arch.heads,
        "blocks": card.arch.depth,
        "classes": [{"value": c.value, "name": c.name, "color": c.color} for c in card.classes],
        "metrics": card.metrics,
    }
