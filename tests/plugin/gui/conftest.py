"""Provide desktops with the plugin loaded, and a warm worker."""

from __future__ import annotations

import pytest
from qgis.core import QgsProject, QgsRasterLayer

import sardino_qgis
from sardino_qgis.client.pool import WarmPool


@pytest.fixture(scope="module")
def warm():
    """One worker for all tests that don't end it, since it takes seconds to start."""
    pool = WarmPool()
    yield pool
    pool.close()


@pytest.fixture
def desk_with(desktop, backend_python, monkeypatch):
    """Return a function that loads the plugin, with a scene as the active layer."""
    monkeypatch.setenv("SARDINO_PYTHON", backend_python)
    QgsProject.instance().clear()  # tests of other files may have left layers
    desktop.plugin = sardino_qgis.classFactory(desktop)

    def load(scene):
        layer = QgsRasterLayer(str(scene), "scene")
        QgsProject.instance().addMapLayer(layer)
        desktop.setActiveLayer(layer)
        desktop.canvas.setDestinationCrs(layer.crs())
        desktop.canvas.setExtent(layer.extent())
        desktop.plugin.initGui()
        return desktop

    yield load
    if desktop.plugin.similarity is not None:
        desktop.plugin.unload()
    QgsProject.instance().clear()
