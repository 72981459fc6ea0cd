"""Describe this installation, a raster, a Sentinel-1 product or a model, as plain types."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from backend import __version__
from backend.card.model_card import ModelCard
from backend.card.registry import CARD, installed_models, model_folder
from backend.core.errors import InputError, SarDinoError
from backend.grd.container import is_product
from backend.grd.product import open_product
from backend.radiometry.units import decide_units, nodata_doubt, units_doubt
from backend.raster.band_names import acquisition
from backend.raster.sampling import sample_values
from backend.raster.source import RasterSource, gdal_environment

PACKAGES = ("torch", "timm", "rasterio", "numpy", "safetensors")


def describe(target: str | None) -> dict[str, Any]:
    """Describe a raster, a Sentinel-1 product, a model (name or folder), or the installation if there is no target.

    Raises:
        SarDinoError: The target is none of these.
    """
    if target is None:
        return describe_installation()
    if target in installed_models() or os.path.isfile(Path(target) / CARD):
        folder = model_folder(target)
        return {"model": _model(folder, ModelCard.load(folder / CARD)), "card": ModelCard.load(folder / CARD).to_dict()}
    if is_product(target):
        return {"product": describe_product(target)}
    return {"raster": describe_raster(target)}


def describe_checked(target: str | None) -> dict[str, Any]:
    """Load a model (name, folder, or None for the default) to check that it can be used, and describe it.

    Raises:
        ModelError: There is no such model, or its card, hash or tensors are invalid.
    """
    folder = model_folder(target)
    card = ModelCard.load(folder / CARD)  # an invalid card is refused before PyTorch is imported
    from backend.network.weights import load_model

    load_model(folder)
    return {"model": _model(folder, card), "card": card.to_dict()}


def describe_product(path: str) -> dict[str, Any]:
    """Describe a Sentinel-1 GRD product."""
    product = open_product(path)
    lines, samples = product.channels[0].shape
    return {
        "name": product.name,
        "mode": product.mode,
        "start": product.start,
        "processor": product.processor,
        "polarisations": list(product.polarisations),
        "lines": lines,
        "samples": samples,
        "pixel_metres": product.channels[0].spacing,
    }


def describe_installation() -> dict[str, Any]:
    """List versions, devices and installed models; a model whose card can't be read is listed with its error."""
    facts: dict[str, Any] = {"versions": {"sardino": __version__, "python": platform.python_version()}}
    for package in PACKAGES:
        try:
            facts["versions"][package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            facts["versions"][package] = None
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


def describe_raster(path: str) -> dict[str, Any]:
    """Describe size, bands, CRS, bounds, pixel size and likely units of a raster."""
    with gdal_environment(), RasterSource(path) as source:
        grid = source.grid
        values, valid = sample_values(source)
        # As a run does: the bands of the first acquisition decide the units.
        dates = [acquisition(band["description"]) for band in source.describe_bands()]
        values = values[[date == dates[0] for date in dates]]
        doubts: list[str | None] = []
        try:
            decided = decide_units(values, valid)
            units = decided.value
            doubts = [units_doubt(values, valid), nodata_doubt(decided, values, valid)]
        except InputError as error:
            units = f"unknown: {error.message}"
        return {
            "path": path,
            "width": grid.width,
            "height": grid.height,
            "crs": grid.crs.to_string() if grid.crs else None,
            "bounds": grid.bounds(),
            "pixel_metres": source.pixel_metres,
            "bands": source.describe_bands(),
            "units": units,
            "notes": [*(message for _, message in source.notes), *filter(None, doubts)],
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
