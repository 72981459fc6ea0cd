"""Compare the maps of a graphics card with those of the processor, and measure both.

    python -m benchmarks.checks.card [--device cuda] [--megapixels 16] [--engine auto] [--model NAME|DIR]
        [--folder DIR] [--json PATH]

For each way of storing backscatter (dB, hundredths of dB with holes, linear power, amplitude) a scene is mapped on the
processor and twice on the card, the second time with the model loaded. Prints, for each:

- network input made on the card against the processor's: largest difference, and whether both have the same validity;
- the share of pixels with the same class (0.998 is wanted), and the largest difference of confidence;
- whether both maps of the card are the same bytes, as equal runs on equal cards are to give;
- seconds, and the most memory that the process and the card have held.

Then, seconds of the bare network for 1,000 tiles in batches of several sizes, by which `GPU_TOKENS` in
`backend/engines/pytorch.py` can be judged. Exit 1 if something isn't as wanted, or there is no card. `--device cpu
--megapixels 0.1` rehearses it where there is none: the processor runs the card's code.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.cancel import Cancel
from backend.core.errors import SarDinoError
from backend.engines.device import choice
from backend.engines.device.rows import DeviceCutter
from backend.engines.device.transfer import KINDS
from backend.engines.pytorch import auto_batch, choose_device, device_name
from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from backend.radiometry.units import Units
from backend.raster.source import RasterSource
from backend.stream.cutting import HostCutter
from backend.stream.frames import NativeFrame
from backend.stream.pipeline import Flow
from backend.stream.stored_rows import StoredRows, stored_rows
from benchmarks.speed.limit import plan_of, seconds_on_device
from benchmarks.speed.scenes import side_of, write_scene
from tests.support.peak_memory import peak_mib

SAME, INPUT = 0.998, 1e-4
BATCHES = (16, 32, 64, 128, 256)
# From dB to what is stored, its unit, and type, nodata and scale of the file.
STORED: dict[str, tuple[Callable[[NDArray[Any]], NDArray[Any]], Units, dict[str, Any]]] = {
    "dB": (lambda db: db, Units.DB, {"dtype": "float32", "nodata": np.nan}),
    "dB * 100": (
        lambda db: np.nan_to_num(db * 100, nan=-32768).round(),
        Units.DB,
        {"dtype": "int16", "nodata": -32768},
    ),
    "power": (lambda db: np.nan_to_num(10 ** (db / 10)), Units.LINEAR_POWER, {"dtype": "float32"}),
    "amplitude": (lambda db: np.nan_to_num(10 ** (db / 20)), Units.AMPLITUDE, {"dtype": "float32"}),
}


@dataclass(frozen=True)
class Found:
    """Hold what was found of a way of storing."""

    name: str
    input_gap: float
    valid_same: bool
    same: float
    confidence_gap: float
    repeated: bool
    seconds_processor: float
    seconds_first: float
    seconds_card: float

    @property
    def passes(self) -> bool:
        """Return whether all is as wanted."""
        return self.valid_same and self.input_gap <= INPUT and self.same >= SAME and self.repeated


def store(scene: Path, path: Path, name: str) -> None:
    """Write a scene in dB another way, with holes that lie within tiles."""
    change, _, told = STORED[name]
    with rasterio.open(scene) as source:
        profile, db = {**source.profile, "nodata": None, **told}, source.read()
    height, width = db.shape[1:]
    db[:, height // 3 : height // 3 + 60, width // 4 : width // 2] = np.nan
    with rasterio.open(path, "w", **profile) as file:
        file.write(change(db).astype(told["dtype"]))
        file.descriptions = ("VV", "VH")
        file.scales = [0.01 if told["dtype"] == "int16" else 1.0] * 2


def input_gap(path: Path, card: ModelCard, units: Units, device: torch.device) -> tuple[float, bool]:
    """Return the largest difference of network input made on the device and here, and whether validity is the same."""
    with RasterSource(path, names=[band.name for band in card.bands]) as source:
        frame = NativeFrame(source, card.bands, units)
        plan, rows, flow = plan_of(card, frame.height, frame.width), stored_rows(frame, KINDS), Flow(Cancel())
        assert isinstance(rows, StoredRows), rows
        gaps, same = [0.0], True

        def compare() -> None:
            nonlocal same
            there = DeviceCutter(frame, plan, flow, readers=readers, conversion=rows.conversion, device=device)
            here = HostCutter(frame, plan, flow)
            for row in range(len(plan.rows.origins)):
                ours, theirs = there.read(row), here.read(row)
                same &= bool(np.array_equal(ours.valid, theirs.valid))
                for column in range(len(plan.columns.origins)):
                    a, b = ours.tile(column), theirs.tile(column)
                    same &= (a is None) == (b is None)
                    if a is not None and b is not None:
                        gaps.append(float(np.abs(a.cpu().numpy() - b).max()))

        with rows.readers() as readers:
            flow.run(compare)
        return max(gaps), same


def mapped(
    request: Request, confidence: Path, context: MapContext, kind: str
) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Return classes, confidence and seconds of a run, in which devices of a kind work as cards."""
    began = time.perf_counter()
    with patch.object(choice, "CARDS", {kind}):
        landcover(request, confidence=confidence, context=context)
    seconds = time.perf_counter() - began
    with rasterio.open(request.output) as classes, rasterio.open(confidence) as shares:
        return classes.read(1), shares.read(1), seconds


def check(name: str, scene: Path, folder: Path, given: argparse.Namespace) -> Found:
    """Map a scene, stored in one way, on the processor and twice on the card."""
    model = model_folder(given.model)
    card, units, path = ModelCard.load(model / CARD), STORED[name][1], folder / "stored.tif"
    store(scene, path, name)
    gap, valid_same = input_gap(path, card, units, torch.device(given.device))
    common: dict[str, Any] = {"units": units, "overwrite": True, "input": str(path), "model": model}
    here = Request(output=folder / "here.tif", device="cpu", engine=given.engine, **common)
    there = Request(output=folder / "there.tif", device=given.device, engine="pytorch", **common)
    first, shares, seconds = mapped(here, folder / "confidence.tif", MapContext(), "none")
    context = MapContext()
    second, others, cold = mapped(there, folder / "confidence.tif", context, given.device)
    third, _, warm = mapped(there, folder / "confidence.tif", context, given.device)
    apart = float(np.nanmax(np.abs(shares - others)[first == second]))
    same, again = float((first == second).mean()), bool(np.array_equal(second, third))
    return Found(name, gap, valid_same, same, apart, again, seconds, cold, warm)


def batch_seconds(folder: Path, card: ModelCard, device: torch.device) -> dict[int, float]:
    """Return seconds of the bare network of a model for 1,000 tiles, by tiles at once."""
    # In a rehearsal a few tiles do.
    sizes, count = (BATCHES, 1000) if device.type != "cpu" else ((1, 2), 2)
    return {size: seconds_on_device(folder, card, device, size, count) * 1000 / count for size in sizes}


def print_all(found: list[Found], batches: dict[int, float], chosen: int, device: torch.device) -> None:
    """Print what was found, and the batch that is chosen for the model."""
    for item in found:
        print(
            f"{'as wanted' if item.passes else 'DIFFERS':9} {item.name:10} input {item.input_gap:.1e}, validity "
            f"{'same' if item.valid_same else 'OTHER'}; class {item.same:.4%}, confidence {item.confidence_gap:.3f}; "
            f"again {'same' if item.repeated else 'OTHER'}; processor {item.seconds_processor:.2f} s, card "
            f"{item.seconds_first:.2f} s, then {item.seconds_card:.2f} s"
        )
    for size, seconds in batches.items():
        print(f"batch {size:4}: {seconds:.3f} s for 1,000 tiles")
    print(f"chosen batch: {chosen}")
    held = f", card {torch.cuda.max_memory_reserved(device) / 2**20:.0f} MiB" if device.type == "cuda" else ""
    print(f"peak memory: process {peak_mib():.0f} MiB{held}; {device_name(device)}")


def main() -> int:
    """Print what was found; 0 if all is as wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu for a rehearsal")
    parser.add_argument("--megapixels", type=float, default=16)
    parser.add_argument("--engine", choices=["auto", "pytorch", "openvino"], default="auto", help="of the processor")
    parser.add_argument("--model", help="name or folder; the bundled one by default")
    parser.add_argument("--folder", type=Path, help="where scenes are made; a temporary folder by default")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    try:
        device = choose_device(given.device)
    except SarDinoError as error:
        print(f"{error.message} Without a card, --device cpu rehearses this check.", file=sys.stderr)
        return 1
    side = side_of(given.megapixels)
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        write_scene(folder / "scene.tif", side, side, 0.9)
        check_one = partial(check, scene=folder / "scene.tif", folder=folder, given=given)
        found = [check_one(name) for name in STORED]
    model = model_folder(given.model)
    card = ModelCard.load(model / CARD)
    batches = batch_seconds(model, card, device)
    print_all(found, batches, auto_batch(card, device), device)
    if given.json:
        result = {"device": device_name(device), "ways": [asdict(item) for item in found], "batches": batches}
        given.json.write_text(json.dumps({**result, "process_mib": peak_mib()}, indent=2) + "\n")
    return int(not all(item.passes for item in found))


if __name__ == "__main__":
    raise SystemExit(main())
