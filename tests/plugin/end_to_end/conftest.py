"""Provide the real backend, and a layer panel for its results."""

from __future__ import annotations

import pytest
from qgis import utils
from qgis.core import QgsLayerTreeModel, QgsProject
from qgis.gui import QgsLayerTreeView


@pytest.fixture(autouse=True)
def worker(provider, real_worker):
    """Run the real backend in all tests of this folder."""


@pytest.fixture
def layer_panel(qgis_new_project, monkeypatch):
    """Show the project's layer tree in a real view; newer versions of QGIS load results into it."""
    view = QgsLayerTreeView()
    view.setModel(QgsLayerTreeModel(QgsProject.instance().layerTreeRoot(), view))
    monkeypatch.setattr(utils.iface, "layerTreeView", lambda: view, raising=False)
    yield view
    QgsProject.instance().clear()
    view.deleteLater()
