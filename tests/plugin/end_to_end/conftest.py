"""The backend itself, and a layer panel to load its results into."""

from __future__ import annotations

import pytest
from qgis import utils
from qgis.core import QgsLayerTreeModel, QgsProject
from qgis.gui import QgsLayerTreeView


@pytest.fixture(autouse=True)
def worker(provider, real_worker):
    """All tests here run the backend itself."""


@pytest.fixture
def layer_panel(qgis_new_project, monkeypatch):
    """The project's layer tree in a real view, into which newer versions of QGIS load results."""
    view = QgsLayerTreeView()
    view.setModel(QgsLayerTreeModel(QgsProject.instance().layerTreeRoot(), view))
    monkeypatch.setattr(utils.iface, "layerTreeView", lambda: view, raising=False)
    yield view
    QgsProject.instance().clear()
    view.deleteLater()
