"""Test that layers have the time of their acquisition, in a real QGIS."""

from __future__ import annotations

import pytest
from osgeo import gdal
from qgis.core import QgsDateTimeRange, QgsProcessingContext, QgsProcessingFeedback, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

from sardino_qgis.layers.reloading import reload_layers
from sardino_qgis.layers.styling import QmlStyler
from sardino_qgis.layers.temporal import set_time


def tag(path, **tags):
    data = gdal.Open(str(path), gdal.GA_Update)
    data.SetMetadata({f"SARDINO_{key}": value for key, value in tags.items()})
    del data


def moment(*day):
    return QDateTime(QDate(*day), QTime(12, 0), Qt.TimeSpec.UTC)


def shows(layer, moment):
    """Whether the Temporal Controller shows a layer at a moment."""
    return layer.temporalProperties().isVisibleInTemporalRange(QgsDateTimeRange(moment, moment))


@pytest.mark.parametrize(
    ("tags", "last"),
    [
        ({"ACQUIRED": "2021-04-01T05:26:22.345"}, (2021, 4, 1)),
        ({"ACQUIRED": "2021-04-01", "ACQUIRED_END": "2021-06-30"}, (2021, 6, 30)),
    ],
    ids=["a date", "several"],
)
def test_the_temporal_controller_shows_a_result_at_its_time(qgis_app, scene, tags, last):
    tag(scene, VERSION="1", **tags)
    layer = QgsRasterLayer(str(scene), "map")
    layer.saveNamedStyle(str(scene.with_suffix(".qml")))  # which sets the time as well, to none
    QmlStyler().postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    assert layer.temporalProperties().isActive()
    assert shows(layer, moment(2021, 4, 1)) and shows(layer, moment(*last))
    assert not shows(layer, moment(2021, 3, 31)) and not shows(layer, moment(2021, 7, 1))
    del layer


@pytest.mark.parametrize(
    "tags", [{}, {"ACQUIRED": "unknown"}, {"ACQUIRED": "2021-04-01", "ACQUIRED_END": "2020-01-01"}]
)
def test_without_a_date_a_layer_is_always_shown(qgis_app, scene, tags):
    tag(scene, VERSION="1", **tags)
    layer = QgsRasterLayer(str(scene), "map")
    assert not set_time(layer) and not layer.temporalProperties().isActive()
    del layer


def test_a_replaced_file_has_the_new_time(qgis_new_project, scene):
    tag(scene, ACQUIRED="2021-04-01")
    layer = QgsRasterLayer(str(scene), "map")
    QgsProject.instance().addMapLayer(layer)
    set_time(layer)
    tag(scene, ACQUIRED="2022-05-02")
    assert reload_layers(QgsProject.instance(), str(scene)) == 1
    assert shows(layer, moment(2022, 5, 2)) and not shows(layer, moment(2021, 4, 1))
    QgsProject.instance().clear()
