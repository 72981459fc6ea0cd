"""Settings of another GDAL or PROJ in the shell neither run code nor break a run."""

import os
import subprocess
import sys

import pytest
import rasterio

from backend.core.surroundings import clear_settings

PYTHON_BAND = """<VRTDataset rasterXSize="90" rasterYSize="70">
<GeoTransform>500000, 10, 0, 4600000, 0, -10</GeoTransform><SRS>EPSG:32610</SRS>
<VRTRasterBand dataType="Float32" band="1" subClass="VRTDerivedRasterBand">
<Description>VV</Description><PixelFunctionType>f</PixelFunctionType>
<PixelFunctionLanguage>Python</PixelFunctionLanguage><PixelFunctionCode><![CDATA[
def f(inputs, out, *rest, **more):
    open({canary!r}, "w").close()
    out[:] = -10
]]></PixelFunctionCode>
<SimpleSource><SourceFilename>{scene}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>
</VRTDataset>"""


@pytest.fixture
def shell(monkeypatch):
    """Set variables as a shell would, and put back all that the program changes."""
    before = dict(os.environ)
    yield monkeypatch.setenv
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("command", ["info", "landcover", "accuracy"])
def test_no_code_of_a_raster_runs(command, warm_shell, make_raster, scene_db, tiny_model, tmp_path):
    canary = tmp_path / "canary"
    scene = make_raster(scene_db(70, 90))
    virtual = tmp_path / "python.vrt"
    virtual.write_text(PYTHON_BAND.format(canary=str(canary), scene=scene))
    arguments = {
        "info": [virtual],
        "landcover": [virtual, tmp_path / "o.tif", "--model", tiny_model, "--bands", "1", "1"],
        "accuracy": [virtual, scene, tmp_path / "report.html"],
    }[command]
    outcome = warm_shell(command, *arguments, GDAL_VRT_ENABLE_PYTHON="YES", GDAL_VRT_PYTHON_TRUSTED_MODULES="*")
    assert outcome.returncode in (0, 1) and not canary.exists()
    assert "fault of the program" not in outcome.stderr + outcome.stdout


def test_files_of_another_installation_do_not_matter(warm_shell, make_raster, scene_db, tiny_model, tmp_path):
    scene = make_raster(scene_db(70, 90))
    nowhere = {name: str(tmp_path / "nowhere") for name in ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH")}
    outcome = warm_shell("landcover", scene, tmp_path / "o.tif", "--model", tiny_model, **nowhere)
    assert outcome.returncode == 0, outcome.stderr
    with rasterio.open(tmp_path / "o.tif") as file:
        assert file.crs.to_epsg() == 32630


def test_proxies_are_kept_and_waiting_is_bounded(shell):
    shell("GDAL_HTTP_PROXY", "proxy:1")
    shell("GDAL_HTTP_TIMEOUT", "7")
    shell("GDAL_CONFIG_FILE", "/tmp/gdalrc")
    clear_settings()
    kept = {name: value for name, value in os.environ.items() if name.startswith("GDAL_")}
    assert kept["GDAL_HTTP_PROXY"] == "proxy:1" and kept["GDAL_HTTP_TIMEOUT"] == "7"
    assert kept["GDAL_VRT_ENABLE_PYTHON"] == "NO" and float(kept["GDAL_HTTP_CONNECTTIMEOUT"]) <= 10
    assert "GDAL_CONFIG_FILE" not in kept


@pytest.fixture
def warm_shell(worker_environment, repo_root):
    """Run the command line with variables of a shell."""

    def call(*arguments, **variables):
        return subprocess.run(
            [sys.executable, "-m", "backend", *map(str, arguments)],
            cwd=repo_root,
            env={**worker_environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return call
