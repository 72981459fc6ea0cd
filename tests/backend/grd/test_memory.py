"""Memory of a calibration depends on the width of the scene, never on its length."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.make_safe import Scene, make_safe
from tests.support.mountain import dem_of
from tests.support.safe.orbit import Imaged, seen

PEAK = """
import sys
from pathlib import Path
from backend.core.context import Context
from backend.grd import pipeline
from backend.grd.command import calibrate
from backend.grd.request import CalibrateRequest
from tests.support.peak_memory import peak_mib
pipeline.LARGE_CACHE = 4 * 2**20  # a bound as well, but one that small images don't reach
asked = {}
if len(sys.argv) > 3:
    layers = {name: Path(f"{sys.argv[2]}-{name}.tif") for name in ("mask", "incidence")}
    asked = {"dem": sys.argv[3], "flatten": True, **layers}
calibrate(CalibrateRequest(sys.argv[1], Path(sys.argv[2]), **asked), Context())
print(peak_mib())
"""


def numbers(line, sample):
    return 50 + (line + sample) % 99


def slanting(line, sample):
    return 520000 + 10 * sample + line / 2, 5_090_000 - 10 * line + sample / 2


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no measure of the peak there")
@pytest.mark.parametrize("terrain", [False, True], ids=["control points", "terrain"])
def test_memory_does_not_grow_with_the_lines(tmp_path, worker_environment, repo_root, terrain):
    def peak(lines):
        scene, dem = Scene(shape=(lines, 700), polarisations=("VV",), numbers=numbers, ground=slanting), []
        if terrain:
            geometry = Imaged(shape=(lines, 500), height=300.0)
            scene = seen(geometry, numbers=numbers)
            dem = [dem_of(tmp_path / f"{lines}-dem.tif", geometry, reach=0.5, step=1 / 1200, tiled=True)]
        folder = make_safe(tmp_path / str(lines), scene)
        command = [sys.executable, "-c", PEAK, str(folder), str(tmp_path / f"{lines}.tif"), *dem]
        done = subprocess.run(
            command, cwd=repo_root, env=worker_environment, check=True, capture_output=True, text=True
        )
        return float(done.stdout)

    # Kept whole, 6,000 lines more would be 16 MiB of the image, and as much of the map; bookkeeping of GDAL takes 10.
    assert peak(6000 if terrain else 8000) - peak(2000) < 16
