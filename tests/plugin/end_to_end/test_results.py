"""Test the files of real runs: grid, legend, nodata, and tags with their origin."""

from __future__ import annotations

import re
import shutil

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsPalettedRasterRenderer,
    QgsProcessingException,
    QgsRasterLayer,
)
from qgis.PyQt.QtGui import QColor

from backend import __version__
from sardino_qgis.layers.legend import name_classes
from sardino_qgis.layers.metadata import describe
from sardino_qgis.layers.overlays import OPACITY, AttentionStyler, MaskStyler
from sardino_qgis.layers.styling import apply_qml


def opens_with_names_and_colours(path):
    plain = QgsRasterLayer(path, "as any program opens it")
    styled = QgsRasterLayer(path, "as Processing opens it", "gdal", QgsRasterLayer.LayerOptions(False))
    assert apply_qml(styled)
    for layer in (plain, styled):
        assert layer.renderer().type() == "paletted"
        legend = {c.value: (c.label, c.color.name()) for c in layer.renderer().classes()}
        assert legend[80] == ("Permanent water bodies", "#0064c8")
    del plain, styled, layer


def is_named_where_it_was_copied_alone(path, copy):
    copy.parent.mkdir()
    shutil.copyfile(path, copy)
    layer, styled = QgsRasterLayer(str(copy), "a colour table"), QgsRasterLayer(str(copy), "styled by the user")
    assert len(layer.renderer().classes()) == 256
    own = [QgsPalettedRasterRenderer.Class(80, QColor("red"), "80")]
    styled.setRenderer(QgsPalettedRasterRenderer(styled.dataProvider(), 1, own))
    name_classes([layer, styled])
    legend = [(c.value, c.label, c.color.name()) for c in layer.renderer().classes()]
    assert legend[-1] == (80, "Permanent water bodies", "#0064c8") and len(legend) == 3
    assert [c.label for c in styled.renderer().classes()] == ["80"]
    del layer, styled


def assert_origin(path):
    """Check the tags of a file, and the metadata that a layer gets from them."""
    tags = gdal.Open(path).GetMetadata()
    assert [tags[f"SARDINO_{key}"] for key in ("MODEL", "INPUT", "VERSION")] == ["tiny", "scene.tif", __version__]
    assert re.match(r"\d{4}-\d\d-\d\dT", tags["SARDINO_DATE"])
    layer = QgsRasterLayer(path, "result")
    assert describe(layer)
    history = layer.metadata().history()[0]
    assert all(tags[f"SARDINO_{key}"] in history for key in ("MODEL", "VERSION", "DATE", "MODEL_SHA256"))
    assert "scene.tif" in layer.metadata().abstract()
    del layer


def test_landcover_has_grid_legend_and_nodata(scene, tmp_path, feedback, qgis_new_project):
    paths = {k: str(tmp_path / f"{k}.tif") for k in ("OUTPUT", "OUTPUT_CONFIDENCE", "OUTPUT_PROBABILITIES")}
    results = processing.run("sardino:landcover", {"INPUT": str(scene), "MODEL": "tiny", **paths}, feedback=feedback)
    assert paths.items() <= results.items()
    for path in paths.values():
        assert_origin(path)
    assert results["DEVICE_USED"] and "tiny" in results["MODEL_USED"]
    made, given = gdal.Open(paths["OUTPUT"]), gdal.Open(str(scene))
    assert made.GetGeoTransform() == given.GetGeoTransform()
    assert made.GetSpatialRef().IsSame(given.GetSpatialRef())
    values = made.ReadAsArray()
    assert values.shape == (80, 96)
    assert set(np.unique(values)) <= {0, 10, 50, 80}
    assert (values == 0).sum() == 120 and not values[:10, :12].any()
    assert made.GetRasterBand(1).GetColorTable() is not None
    opens_with_names_and_colours(paths["OUTPUT"])
    assert "To copy the map, take its files together: OUTPUT.tif, OUTPUT.tif.aux.xml, OUTPUT.qml." in feedback.infos
    is_named_where_it_was_copied_alone(paths["OUTPUT"], tmp_path / "copies" / "copy.tif")
    assert gdal.Open(paths["OUTPUT_CONFIDENCE"]).RasterCount == 1
    assert gdal.Open(paths["OUTPUT_PROBABILITIES"]).RasterCount == 3
    assert any(" px (" in text for text in feedback.infos)
    assert feedback.progress() == 100


def test_attention_of_mean_and_all_heads(scene, tmp_path):
    one, all_, masks = (str(tmp_path / name) for name in ("one.tif", "all.tif", "masks.tif"))
    given = {"INPUT": str(scene), "MODEL": "tiny"}
    processing.run("sardino:attention", {**given, "OUTPUT": one})
    assert gdal.Open(one).RasterCount == 1
    processing.run("sardino:attention", {**given, "HEADS": "all", "BLOCK": 0, "OUTPUT": all_, "OUTPUT_MASKS": masks})
    assert gdal.Open(all_).RasterCount == 3
    opened = QgsRasterLayer(all_, "as any program opens it")
    assert opened.renderer().band() == 3, "the mean of the heads"
    AttentionStyler().style(opened)
    assert opened.renderer().band() == 3 and opened.renderer().opacity() == OPACITY
    settings = opened.renderer().shader().rasterShaderFunction().legendSettings()
    assert settings.maximumLabel().startswith("much attention (")
    del opened
    kept = QgsRasterLayer(masks, "masks")
    assert [c.value for c in kept.renderer().classes()] == [1]
    MaskStyler().style(kept)
    assert [(c.value, c.color.alpha() < 255) for c in kept.renderer().classes()] == [(1, True)]
    del kept
    assert gdal.Open(masks).RasterCount == 2
    for path in (all_, masks):
        assert_origin(path)


def test_embeddings_and_their_picture(scene, tmp_path, feedback):
    paths = {"OUTPUT": str(tmp_path / "e.tif"), "OUTPUT_PCA": str(tmp_path / "p.tif")}
    results = processing.run("sardino:embeddings", {"INPUT": str(scene), "MODEL": "tiny", **paths}, feedback=feedback)
    assert paths.items() <= results.items()
    for path in paths.values():
        assert_origin(path)
    made = gdal.Open(paths["OUTPUT"])
    assert (made.RasterXSize, made.RasterYSize, made.RasterCount) == (12, 10, 16)
    assert made.GetGeoTransform() == (400000, 80, 0, 5200000, 0, -80)
    picture = QgsRasterLayer(paths["OUTPUT_PCA"], "picture")
    assert picture.renderer().type() == "multibandcolor"
    assert apply_qml(picture) and picture.renderer().type() == "multibandcolor"
    assert picture.renderer().redBand() == 1 and picture.renderer().blueBand() == 3
    assert any("of the variance" in text for text in feedback.infos)
    del picture


def test_similarity_to_a_point_of_another_crs(scene, tmp_path, feedback):
    output = str(tmp_path / "s.tif")
    given = {"INPUT": str(scene), "MODEL": "tiny", "POINT": "13.69,46.945 [EPSG:4326]", "OUTPUT": output}
    processing.run("sardino:similarity", given)
    assert_origin(output)
    layer = QgsRasterLayer(output, "similarity")
    assert (layer.width(), layer.height()) == (96, 80)
    to_layer = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:4326"), layer.crs(), QgsCoordinateTransformContext()
    )
    found, good = layer.dataProvider().sample(to_layer.transform(13.69, 46.945), 1)
    assert good and found == pytest.approx(1, abs=1e-5)
    assert apply_qml(layer) and layer.renderer().classificationMax() == 1
    del layer
    with pytest.raises(QgsProcessingException, match="lies where the raster has no data"):
        processing.run("sardino:similarity", {**given, "POINT": "400020,5199980 [EPSG:32633]"})
    with pytest.raises(QgsProcessingException, match="lies outside the raster"):
        processing.run("sardino:similarity", {**given, "POINT": "300020,5199980 [EPSG:32633]"})


def test_extent_and_chosen_bands(scene, tmp_path):
    part = str(tmp_path / "part.tif")
    extent = "400200,400700,5199400,5199800 [EPSG:32633]"
    given = {"INPUT": str(scene), "MODEL": "tiny", "BANDS": [2, 1], "EXTENT": extent, "OUTPUT": part}
    processing.run("sardino:landcover", given)
    made = gdal.Open(part)
    assert (made.RasterXSize, made.RasterYSize) == (50, 40)
    assert made.GetGeoTransform()[0::3] == (400200, 5199800)


def test_polarisations_in_separate_files(scene, tmp_path):
    whole, joined = str(tmp_path / "whole.tif"), str(tmp_path / "joined.tif")
    for band, name in ((1, "VV"), (2, "VH")):
        options = gdal.TranslateOptions(bandList=[band], creationOptions=["PROFILE=GeoTIFF"])
        gdal.Translate(str(tmp_path / f"s1 {name}.tif"), str(scene), options=options)
    processing.run("sardino:landcover", {"INPUT": str(scene), "MODEL": "tiny", "OUTPUT": whole})
    given = {"INPUT": str(tmp_path / "s1 VH.tif"), "FURTHER": [str(tmp_path / "s1 VV.tif")], "MODEL": "tiny"}
    processing.run("sardino:landcover", {**given, "OUTPUT": joined})
    assert (gdal.Open(joined).ReadAsArray() == gdal.Open(whole).ReadAsArray()).all()
