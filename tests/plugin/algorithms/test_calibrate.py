"""Test `sardino:calibrate`, and products as input of other algorithms, in a real QGIS with a real worker."""

from __future__ import annotations

import subprocess

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
)

from sardino_qgis.environment import locate
from sardino_qgis.environment.variables import worker_environment

MAKE_PRODUCT = """
import sys
from pathlib import Path
from tests.support.make_safe import Scene, make_safe, zip_safe
folder = make_safe(Path(sys.argv[1]), Scene(shape=(60, 80)))
zip_safe(folder, Path(sys.argv[1]) / "product.zip")
print(folder)
"""
# A part of the product in its middle, in degrees, as QGIS writes extents.
PART = "9.2565,9.2605,45.9595,45.9620 [EPSG:4326]"


@pytest.fixture(scope="module")
def product(tmp_path_factory, backend_python):
    """Folder of a product, made in another process: rasterio and QGIS have a GDAL each."""
    command = [backend_python, "-c", MAKE_PRODUCT, str(tmp_path_factory.mktemp("product"))]
    cwd, env = locate.backend_root(), worker_environment()
    done = subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip().splitlines()[-1]


pytestmark = pytest.mark.usefixtures("backend_worker")


def run(product, output, feedback=None, **parameters):
    given = {"INPUT": product, "OUTPUT": str(output), **parameters}
    return processing.run("sardino:calibrate", given, feedback=feedback)


def test_product_as_folder_manifest_and_zip(product, tmp_path, feedback):
    packed = product.rpartition("/")[0] + "/product.zip"
    for number, given in enumerate((product, product + "/manifest.safe", packed)):
        results = run(given, tmp_path / f"{number}.tif", feedback)
        assert results == {"OUTPUT": str(tmp_path / f"{number}.tif")}
    data = [gdal.Open(str(tmp_path / f"{number}.tif")) for number in range(3)]
    assert [data[0].GetRasterBand(n).GetDescription() for n in (1, 2)] == ["VV", "VH"]
    values = [d.ReadAsArray() for d in data]
    assert np.array_equal(values[0], values[1], equal_nan=True) and np.array_equal(values[0], values[2], equal_nan=True)
    assert np.isfinite(values[0]).mean() > 0.5 and data[0].GetGeoTransform()[1] == 10
    assert data[0].GetSpatialRef().GetAuthorityCode(None) == "32632"
    assert feedback.progress() == 100 and any("VV, VH" in text for text in feedback.infos)


def test_options_reach_the_worker(product, tmp_path):
    run(product, tmp_path / "all.tif", UNITS="db", PRODUCT="sigma0", PIXEL_SIZE=20)
    run(product, tmp_path / "part.tif", UNITS="db", PRODUCT="sigma0", PIXEL_SIZE=20, EXTENT=PART)
    whole, part = (gdal.Open(str(tmp_path / f"{name}.tif")) for name in ("all", "part"))
    assert whole.GetMetadata()["SARDINO_QUANTITY"] == "sigma0" and whole.GetGeoTransform()[1] == 20
    assert 14 <= part.RasterXSize <= 19 and 12 <= part.RasterYSize <= 17 < whole.RasterXSize
    assert -40 < np.nanmedian(part.ReadAsArray()) < 5


MAKE_RELIEF = """
import sys
from pathlib import Path
from tests.support.safe.orbit import Imaged, seen
from tests.support.make_safe import make_safe
from tests.support.mountain import dem_of
geometry = Imaged(shape=(60, 80))
print(make_safe(Path(sys.argv[1]), seen(geometry)))
dem_of(Path(sys.argv[1]) / "dem.tif", geometry, reach=0.1)
"""


def test_elevation_model_reaches_the_worker(tmp_path, feedback, backend_python, qgis_new_project):
    command = [backend_python, "-c", MAKE_RELIEF, str(tmp_path)]
    cwd, env = locate.backend_root(), worker_environment()
    done = subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, text=True)
    product = done.stdout.strip().splitlines()[-1]
    # The project's own, for QGIS keeps the frames of a refusal.
    layer = QgsProject.instance().addMapLayer(QgsRasterLayer(str(tmp_path / "dem.tif"), "heights"))
    run(product, tmp_path / "o.tif", feedback, DEM=layer.id(), DEM_HEIGHTS="ellipsoid")
    tag = gdal.Open(str(tmp_path / "o.tif")).GetMetadata()["SARDINO_TERRAIN_CORRECTION"]
    assert tag == "range-Doppler with dem.tif, heights above the ellipsoid"
    assert any("Terrain correction" in text for text in feedback.infos)
    layers = {"OUTPUT_INCIDENCE": str(tmp_path / "i.tif"), "OUTPUT_MASK": str(tmp_path / "m.tif")}
    given = {"DEM": layer.id(), "DEM_HEIGHTS": "ellipsoid", **layers}
    made = processing.run("sardino:flatten", {"INPUT": product, "OUTPUT": str(tmp_path / "f.tif"), **given})
    assert made == {"OUTPUT": str(tmp_path / "f.tif"), **layers}
    assert gdal.Open(made["OUTPUT"]).GetMetadata()["SARDINO_TERRAIN_FLATTENING"].startswith("area of")
    run(product, tmp_path / "g.tif", FLATTEN=True, **given)
    flat, same = (gdal.Open(str(tmp_path / f"{name}.tif")).ReadAsArray() for name in "fg")
    assert np.array_equal(flat, same, equal_nan=True)
    assert gdal.Open(layers["OUTPUT_INCIDENCE"]).GetRasterBand(1).GetDescription() == "local_incidence_angle"
    for algorithm, without in (("calibrate", {"FLATTEN": True}), ("calibrate", layers), ("flatten", {})):
        with pytest.raises(QgsProcessingException, match="needs an elevation model|source layer for DEM"):
            processing.run(f"sardino:{algorithm}", {"INPUT": product, "OUTPUT": str(tmp_path / "p.tif"), **without})
    for bad in (str(tmp_path / "none.tif"), product + "/manifest.safe"):
        with pytest.raises(QgsProcessingException):
            run(product, tmp_path / "p.tif", DEM=bad)
    assert not (tmp_path / "p.tif").exists()


def test_result_is_loaded_and_described(product, tmp_path, qgis_new_project, layer_panel):
    definition = QgsProcessingOutputLayerDefinition(str(tmp_path / "o.tif"), QgsProject.instance())
    processing.runAndLoadResults("sardino:calibrate", {"INPUT": product, "OUTPUT": definition})
    (layer,) = QgsProject.instance().mapLayers().values()
    assert layer.renderer().type() == "singlebandpseudocolor"
    assert "made by SAR Land Cover (DINO)" in layer.metadata().history()[0] and "?" not in layer.metadata().history()[0]
    del layer


@pytest.mark.parametrize(
    ("given", "match"), [("none.zip", "no file or folder"), ("text.zip", "not a Sentinel-1 product")]
)
def test_files_that_are_no_product_are_refused(provider, tmp_path, given, match):
    (tmp_path / "text.zip").write_text("text")
    path = str(tmp_path / given)
    with pytest.raises(QgsProcessingException, match=match):
        run(path, tmp_path / "o.tif")
    assert not (tmp_path / "o.tif").exists()
    good, why = (
        provider.algorithm("calibrate")
        .create()
        .checkParameterValues({"INPUT": path, "OUTPUT": str(tmp_path / "o.tif")}, QgsProcessingContext())
    )
    assert good == (given == "text.zip") and (good or match in why)


def test_folder_of_any_name_is_accepted(provider, product, tmp_path):
    parameter = provider.algorithm("calibrate").parameterDefinition("INPUT")
    for path in (product, product + "/manifest.safe", "/data/a.zip", "/data/folder"):
        assert parameter.checkValueIsAcceptable(path), path


def test_calibration_can_be_cancelled(product, tmp_path):
    feedback = QgsProcessingFeedback(False)
    feedback.cancel()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run(product, tmp_path / "o.tif", feedback)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_land_cover_accepts_the_layer_of_a_product(product, tmp_path, feedback):
    """Use the layer that QGIS makes of manifest.safe: digital numbers, in degrees."""
    layer = QgsRasterLayer(product + "/manifest.safe", "product")
    assert layer.isValid() and layer.crs().authid() == "EPSG:4326"
    given = {"INPUT": layer, "DEVICE": "cpu", "OUTPUT": str(tmp_path / "o.tif"), "EXTENT": PART}
    processing.run("sardino:landcover", given, feedback=feedback)
    made = gdal.Open(str(tmp_path / "o.tif"))
    assert made.GetSpatialRef().GetAuthorityCode(None) == "32632" and made.GetGeoTransform()[1] == 10
    assert 28 <= made.RasterXSize <= 36 and (made.ReadAsArray() > 0).mean() > 0.5
    assert any("first calibrated to gamma0" in text for text in feedback.infos) and feedback.progress() == 100
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.qml", "o.tif", "o.tif.aux.xml"]
    del layer, given


def test_single_image_of_a_product_is_refused_with_advice(product, tmp_path, qgis_new_project):
    for source in (f"SENTINEL1_CALIB:UNCALIB:{product}/manifest.safe:IW_VV:AMPLITUDE",
                   gdal.Open(product).GetFileList()[-1]):  # fmt: skip
        # The project's own: QGIS keeps the frames of a refusal, and would miss a layer that only they hold at its end.
        layer = QgsProject.instance().addMapLayer(QgsRasterLayer(source, "image"))
        assert layer.isValid()
        with pytest.raises(QgsProcessingException, match="'Calibrate Sentinel-1 GRD'"):
            processing.run("sardino:landcover", {"INPUT": layer.id(), "OUTPUT": str(tmp_path / "o.tif")})
    assert not list(tmp_path.iterdir())
