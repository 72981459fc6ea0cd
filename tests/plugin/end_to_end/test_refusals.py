"""Test real runs that are refused or cancelled."""

from __future__ import annotations

import subprocess
import sys
import time

import processing
import pytest
from osgeo import gdal
from qgis.core import QgsProcessingException


def test_refusals_have_a_hint_and_leave_no_file(scene, tmp_path):
    output = tmp_path / "o.tif"
    with pytest.raises(QgsProcessingException, match="installed: .*tiny") as caught:
        processing.run("sardino:landcover", {"INPUT": str(scene), "MODEL": "unheard-of", "OUTPUT": str(output)})
    assert "card.json" in str(caught.value) and "Traceback" not in str(caught.value)
    with pytest.raises(QgsProcessingException, match="band"):
        given = {"INPUT": str(scene), "MODEL": "tiny", "BANDS": [1], "OUTPUT": str(output)}
        processing.run("sardino:landcover", given)
    assert not output.exists()


def test_cancel_of_a_real_run_keeps_the_older_file(tmp_path, feedback, qgis_new_project):
    big = str(tmp_path / "big.tif")
    data = gdal.GetDriverByName("GTiff").Create(big, 3000, 3000, 2, gdal.GDT_Float32)
    data.SetGeoTransform((400000, 10, 0, 5200000, 0, -10))
    for band, level in ((1, -12.0), (2, -19.0)):
        data.GetRasterBand(band).Fill(level)
    data = None
    output = tmp_path / "o.tif"
    output.write_bytes(b"older")
    cancelled_at = []

    def press(_percent):
        if not cancelled_at:
            cancelled_at.append(time.monotonic())
            feedback.cancel()

    feedback.progressChanged.connect(press)
    given = {"INPUT": big, "MODEL": "tiny", "DEVICE": "cpu", "OUTPUT": str(output), "ACCEPT_VALUES": True}
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        processing.run("sardino:landcover", given, feedback=feedback)
    # Below 2 s where the machine is idle; test_run.py adds up the waits. The whole scene would take far longer.
    assert time.monotonic() - cancelled_at[0] < 5
    assert output.read_bytes() == b"older"
    assert {p.name for p in tmp_path.iterdir()} == {"big.tif", "o.tif"}


def test_worker_without_pytorch_says_what_to_install(scene, tmp_path, monkeypatch):
    """Choose an empty virtual environment, the most common mistake."""
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    monkeypatch.setenv("SARDINO_PYTHON", str(bare))
    with pytest.raises(QgsProcessingException, match="requirements|runtime.txt"):
        processing.run("sardino:landcover", {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif")})
