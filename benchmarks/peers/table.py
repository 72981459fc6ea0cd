"""Compare the maps of contenders, and print the table."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import rasterio

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from benchmarks.peers.contest import Outcome
from benchmarks.peers.maps import agreement, middle_window, reference, seam_ratio
from benchmarks.peers.tiles import Borders, Tiles, edges, overhanging
from benchmarks.peers.worker import peer_module

OURS = "ours"
OUR_ENGINES = {OURS: "auto", "ours-pytorch": "pytorch", "ours-int8": "openvino-int8"}
HEADS = ("contender", "seconds", "ratio", "whole s", "peak MiB", "ratio", "as ours", "as reference", "seams", "tiles")


@dataclass
class Contender:
    """Hold a contender: peer, map, tiles, our engine, and its runs so far."""

    peer: str
    map: Path
    tiles: Tiles
    engine: str = ""
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> str | None:
        """Return why its last run gave no map; None if it gave one."""
        return self.outcomes[-1].failed if self.outcomes else None

    @property
    def peak_mib(self) -> float:
        """Return the peak memory over all runs."""
        return max(outcome.peak_mib for outcome in self.outcomes)

    def borders(self, height: int, width: int) -> Borders:
        """Return the tile borders in its map."""
        if self.peer != OURS:
            return peer_module(self.peer).borders(height, width, self.tiles)
        rows, columns = (edges(overhanging(size, self.tiles), self.tiles.tile, size) for size in (height, width))
        return Borders(rows, columns)


def facts_of(
    contenders: dict[str, Contender], timing: dict[str, Any], scene: Path, model: Path, reference_megapixels: float
) -> dict[str, Any]:
    """Return all figures of all contenders, ready for JSON; None without a map.

    Args:
        contenders: Contenders by name, all run; one of them is OURS.
        timing: Result of `benchmarks.speed.timing.summary`, with OURS as reference.
        scene: Raster that was mapped.
        model: Model folder.
        reference_megapixels: Size of the reference map; 0 for none.
    """
    with rasterio.open(scene) as source:
        size = source.height, source.width
    window, truth = None, scene.with_name("reference.tif")
    if reference_megapixels:
        window = middle_window(*size, reference_megapixels, ModelCard.load(model / CARD).patch)
        reference(scene, model, window, truth)
    ours, rows = contenders[OURS], {}
    for name, contender in contenders.items():
        facts = {
            "tiles_asked": vars(contender.tiles),
            "failed": contender.failed,
            **timing["contenders"][name],
            "whole_s": statistics.median(outcome.whole_s for outcome in contender.outcomes),
            "peak_mib": contender.peak_mib,
            "peak_ratio": round(contender.peak_mib / ours.peak_mib, 3),
        }
        if not contender.failed:
            seams = seam_ratio(contender.map, contender.borders(*size))
            facts |= {
                "tiles": contender.outcomes[-1].tiles,
                "as_ours": agreement(contender.map, ours.map),
                "as_reference": agreement(contender.map, truth, window) if window else None,
                "seams_down": seams[0],
                "seams_across": seams[1],
            }
        facts["runs"] = [_plain(asdict(outcome)) for outcome in contender.outcomes]
        rows[name] = _plain(facts)
    return {"contenders": rows, "anchor_gflops": timing["anchor_gflops"]}


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Replace NaN by None, for JSON."""
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in facts.items()}


def show(facts: dict[str, Any]) -> None:
    """Print a line for each contender, with time and memory relative to ours."""
    lines = [HEADS, *(_cells(name, row) for name, row in facts["contenders"].items())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    print(f"{facts['megapixels']:.1f} megapixels, {facts['threads']} threads, anchors {facts['anchor_gflops']} GFLOP/s")
    if facts["onnx_difference"] is not None:
        print(f"ONNX differs from PyTorch by at most {facts['onnx_difference']:.1e} (probabilities)")
    for line in lines:
        print(
            "  ".join(
                cell.rjust(width) if n else cell.ljust(width) for n, (cell, width) in enumerate(zip(line, widths))
            )
        )


def _cells(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    memory = f"{row['peak_mib']:.0f}", f"{row['peak_ratio']:.2f}"
    if row["failed"]:
        return name, row["failed"][:40], "", f"{row['whole_s']:.1f}", *memory, "", "", "", ""
    seams = [row[key] for key in ("seams_down", "seams_across") if row[key] is not None]
    return (
        name, f"{row['seconds']:.2f}", f"{row['ratio']:.3f}", f"{row['whole_s']:.1f}", *memory, f"{row['as_ours']:.4f}",
        "" if row["as_reference"] is None else f"{row['as_reference']:.4f}", f"{max(seams):.3f}" if seams else "",
        str(row["tiles"]),
    )  # fmt: skip
