"""Provide the fixtures of the plugin's tests. QGIS is real; some tests replace the worker's program."""

from __future__ import annotations

import os
import stat
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from pytest_qgis.utils import process_events
from qgis import utils
from qgis.core import QgsApplication, QgsLayerTreeModel, QgsProcessingFeedback, QgsProject, QgsSettings
from qgis.gui import QgsLayerTreeView

from sardino_qgis.common import last_used
from sardino_qgis.environment import locate, variables
from sardino_qgis.gui import model_control
from sardino_qgis.models import installed
from tests.support.plugin.desktop import Desktop
from tests.support.plugin.fake_python import write_fake_python
from tests.support.plugin.rasters import write_raster
from tests.support.random_model import write_model

gdal.UseExceptions()

# pytest sets variables with the running test's name. A warm worker must not be replaced because of them.
variables._DROPPED_PREFIXES += ("PYTEST_",)


class RecordingFeedback(QgsProcessingFeedback):
    """A real feedback that also records its messages."""

    def __init__(self) -> None:
        super().__init__(False)
        self.infos: list[str] = []
        self.warnings: list[str] = []
        self.debug: list[str] = []
        self.texts: list[str] = []
        self.errors: list[str] = []

    def pushInfo(self, info):  # noqa: N802
        self.infos.append(info)

    def pushWarning(self, warning):  # noqa: N802
        self.warnings.append(warning)

    def pushDebugInfo(self, info):  # noqa: N802
        self.debug.append(info)

    def setProgressText(self, text):  # noqa: N802
        self.texts.append(text)

    def reportError(self, error, fatalError=False):  # noqa: N802, N803
        self.errors.append(error)


@pytest.fixture(autouse=True, scope="session")
def _no_events_within_adding_layers(qgis_app) -> None:
    """Undo what no desktop does: pytest-qgis delivers deferred deletions while a layer is being added.

    A batch of QGIS 3.32 and later has asked for the deletion of its dialog by then, and it dies under the code that
    adds its results: post-processors got a feedback that was deleted.
    """
    with suppress(TypeError):
        QgsProject.instance().legendLayersAdded.disconnect(process_events)


@pytest.fixture
def feedback(qgis_app) -> RecordingFeedback:
    return RecordingFeedback()


@pytest.fixture(scope="session")
def backend_python() -> str:
    """An interpreter that runs the backend: this one, unless it has no PyTorch (see tools/newer_qgis.py)."""
    return os.environ.get("SARDINO_TEST_BACKEND", sys.executable)


@pytest.fixture
def script(tmp_path):
    """Make an executable Python program of the given body; returns its path."""

    def make(body: str, name: str = "worker.py") -> Path:
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.fixture
def stuck(tmp_path) -> Path:
    """An interpreter that environments can be built on, but that hangs while creating one."""
    return write_fake_python(
        tmp_path / "python3",
        """
        os.makedirs(os.path.join(sys.argv[-1], "half"))
        print("making it", flush=True)
        time.sleep(600)
        """,
    )


@pytest.fixture
def no_interpreter(qgis_app, monkeypatch, tmp_path):
    """No interpreter is set anywhere, and the profile is empty."""
    monkeypatch.delenv(locate.VARIABLE, raising=False)
    before = locate.stored_interpreter()
    locate.store_interpreter("")
    monkeypatch.setattr(locate, "managed_folder", lambda: tmp_path / "profile" / "sardino" / "env")
    yield
    locate.store_interpreter(before)


@pytest.fixture
def provider(qgis_app, qgis_processing):
    """The provider, registered for one test."""
    from sardino_qgis.plugin import SarDinoPlugin

    plugin = SarDinoPlugin()
    plugin.initProcessing()
    yield plugin.provider
    plugin.unload()
    assert QgsApplication.processingRegistry().providerById("sardino") is None


@pytest.fixture
def make_scene(tmp_path):
    """Write a small dual-pol scene in dB (VH 7 dB below) from VV [rows, columns]: UTM, 10 m; -9999 is nodata."""

    def make(vv, name: str = "scene.tif") -> Path:
        path = tmp_path / name
        values = np.stack([np.where(vv == -9999, -9999, vv + shift) for shift in (0.0, -7.0)]).astype(np.float32)
        data = write_raster(path, values, gdal.GDT_Float32, -9999, options=["TILED=YES", "COMPRESS=DEFLATE"])
        for number, band_name in ((1, "VV"), (2, "VH")):
            data.GetRasterBand(number).SetDescription(band_name)
        data.FlushCache()
        del data
        return path

    return make


@pytest.fixture
def scene(make_scene) -> Path:
    """A scene of noise, 96 x 80 pixels, with a nodata corner."""
    vv = np.random.default_rng(7).normal(-12.0, 2.0, (80, 96))
    vv[:10, :12] = -9999
    return make_scene(vv)


@pytest.fixture
def desktop(qgis_canvas) -> Desktop:
    return Desktop(qgis_canvas)


@pytest.fixture(scope="session")
def model(tmp_path_factory, backend_python):
    """A model folder."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_model(folder, backend_python)
    return folder


@pytest.fixture
def backend_worker(provider, backend_python, monkeypatch):
    """Run the real backend by algorithms of the provider."""
    monkeypatch.setenv("SARDINO_PYTHON", backend_python)


@pytest.fixture
def real_worker(model, backend_python, monkeypatch):
    """Run the real backend with the model `tiny` installed."""
    monkeypatch.setenv("SARDINO_PYTHON", backend_python)
    monkeypatch.setenv("SARDINO_MODELS", str(model.parent))


@pytest.fixture
def settings(qgis_app):
    """QgsSettings without models and last choices, before and after the test."""

    def clear():
        for name in (installed.SETTING, last_used.GROUP, model_control.LAST_FOLDER):
            QgsSettings().remove(name)

    clear()
    yield QgsSettings()
    clear()


@pytest.fixture
def layer_panel(qgis_new_project, monkeypatch):
    """Show the project's layer tree in a real view; newer versions of QGIS load results into it."""
    view = QgsLayerTreeView()
    view.setModel(QgsLayerTreeModel(QgsProject.instance().layerTreeRoot(), view))
    monkeypatch.setattr(utils.iface, "layerTreeView", lambda: view, raising=False)
    yield view
    QgsProject.instance().clear()
    view.deleteLater()


@pytest.fixture
def spanish(qgis_app):
    """Set QGIS to Spanish for one test."""
    settings = QgsSettings()
    settings.setValue("locale/overrideFlag", True)
    settings.setValue("locale/userLocale", "es_MX")
    yield
    for key in ("locale/overrideFlag", "locale/userLocale"):
        settings.remove(key)
