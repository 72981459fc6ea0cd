"""The comparison of simulated with real backscatter runs and marks what differs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from backend.card import worldcover as lc
from training.simulation.folder import SimulationRequest, write_folder


def real_data(folder: Path) -> Path:
    """Write points of grass 30 dB too bright, and four chips of trees and fields with the levels of the world."""
    points = folder / "points"
    points.mkdir(parents=True)
    months = [f"{band}_{month:02d}_dB" for band in ("VV", "VH") for month in range(12)]
    rows = [",".join(["worldcover", *months])]
    for place in range(6):
        rows.append(",".join(["30", *(f"{20 + place * 0.1 + month * 0.01:.2f}" for month in range(24))]))
    (points / "worldcereal_500points_s1_dB.csv").write_text("\n".join([*rows, "30" + "," * 24]))
    rng = np.random.default_rng(0)
    for name in range(4):
        labels = np.where(np.arange(64)[None] < 32, lc.TREE, lc.CROP).repeat(64, 0).astype(np.uint8)
        level = np.where(labels == lc.TREE, -8.8, -10.4), np.where(labels == lc.TREE, -14.6, -17.8)
        power = 10 ** (np.stack(level) / 10) * rng.gamma(4.4, 1 / 4.4, (2, 64, 64)) * 10 ** (rng.normal() / 10)
        for kind, values in (("images", np.round(1000 * np.log10(power)).astype(np.int16)), ("labels", labels[None])):
            path = folder / "reben" / kind / f"patch_{name}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            profile = {"driver": "GTiff", "height": 64, "width": 64, "count": len(values), "dtype": values.dtype.name}
            profile["transform"] = Affine(10, 0, 0, 0, -10, 0)
            with rasterio.open(path, "w", **profile) as sink:
                sink.write(values)
                if kind == "images":
                    sink.scales = (0.01, 0.01)
    return folder


@pytest.mark.slow
def test_levels_are_compared_and_marked(tmp_path: Path) -> None:
    data = real_data(tmp_path / "data")
    scenes = tmp_path / "scenes"
    write_folder(SimulationRequest(scenes, 16, 3, size=96, nodata_chance=0.0))
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.quality.simulator_levels"]
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [*command, "--data", str(data), "--scenes", str(scenes)], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    cells = {}
    for line in done.stdout.splitlines():
        if line.startswith("| ") and line.count("|") == 7:
            name, figure, *values = (cell.strip() for cell in line.strip("| \n").split("|"))
            cells[name, figure] = values
    grass = cells["Grassland", "VV mean"]
    assert float(grass[0]) > 19 and grass[1].endswith("*") and not grass[2]
    assert float(cells["Tree cover", "VV mean"][2]) == pytest.approx(-8.8, abs=1.5)
    assert float(cells["Tree cover", "VH above Cropland mean"][2]) == pytest.approx(3.2, abs=0.2)
    assert {"VV texture 30 m", "correlation within", "VV-VH spread of places"} <= {figure for _, figure in cells}
    assert done.stdout.splitlines()[-1].endswith("figures part.")
