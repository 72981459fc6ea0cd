"""What the plugin's tests share. QGIS is real; only the worker's program is replaced, where a test says so."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis.core import Qgis, QgsApplication, QgsProcessingFeedback, QgsProject, QgsSettings
from qgis.gui import QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtWidgets import QMainWindow, QMenu, QToolBar

from sardino_qgis.common import last_used
from sardino_qgis.environment import locate, variables
from sardino_qgis.environment.variables import worker_environment
from sardino_qgis.gui import model_control
from sardino_qgis.models import installed

gdal.UseExceptions()

# pytest names the running test in a variable. To a worker that stays this must not look like a changed environment.
variables._DROPPED_PREFIXES += ("PYTEST_",)

# A model of random weights, for what needs a real one.
CARD = {
    "schema_version": 1,
    "name": "tiny",
    "title": "Random weights",
    "bands": [
        {"name": "VV", "unit": "db", "clip": [-30.0, 5.0], "mean": -12.6, "std": 5.3},
        {"name": "VH", "unit": "db", "clip": [-35.0, 0.0], "mean": -20.3, "std": 5.9},
    ],
    "product": "gamma0",
    "gsd_m": 10.0,
    "arch": {"timm": "vit_tiny_patch16_224", "embed_dim": 16, "depth": 2, "heads": 2, "registers": 0,
             "head": "linear", "head_dim": 8},
    "tile": 32,
    "patch": 8,
    "classes": [
        {"value": 10, "name": "Tree cover", "color": "#006400"},
        {"value": 50, "name": "Built-up", "color": "#fa0000"},
        {"value": 80, "name": "Permanent water bodies", "color": "#0064c8"},
    ],
    "trained_on": ["nothing: random weights for tests"],
    "metrics": {},
    "licence": "CC0-1.0",
    "weights_sha256": "0" * 64,
}  # fmt: skip
MAKE_MODEL = """
import json, sys
from pathlib import Path
import torch
from backend.card.model_card import ModelCard
from backend.network.vit import build_model
from backend.network.weights import save_model
torch.manual_seed(1)
card = ModelCard.from_dict(json.loads(sys.argv[2]))
save_model(Path(sys.argv[1]), build_model(card), card)
"""


class RecordingFeedback(QgsProcessingFeedback):
    """A real feedback that also remembers what it was told."""

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
def stuck(script) -> Path:
    """An interpreter that environments can be built on, but that never ends making one: it stops in the middle."""
    return script(
        f"""
        import json, os, subprocess, sys, time
        if "-c" in sys.argv:
            said = subprocess.run([{sys.executable!r}, *sys.argv[1:]], capture_output=True, text=True).stdout
            print(json.dumps(dict(json.loads(said), path=os.path.abspath(__file__))))
        elif "--without-pip" in sys.argv:
            sys.exit(subprocess.call([{sys.executable!r}, *sys.argv[1:]]))
        else:
            os.makedirs(os.path.join(sys.argv[-1], "half"))
            print("making it", flush=True)
            time.sleep(600)
        """,
        "python3",
    )


@pytest.fixture
def no_interpreter(qgis_app, monkeypatch, tmp_path):
    """Nothing named anywhere, and an empty profile."""
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
        rows, columns = vv.shape
        options = ["TILED=YES", "COMPRESS=DEFLATE"]
        data = gdal.GetDriverByName("GTiff").Create(str(path), columns, rows, 2, gdal.GDT_Float32, options)
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(32633)
        data.SetProjection(crs.ExportToWkt())
        data.SetGeoTransform((400000, 10, 0, 5200000, 0, -10))
        for index, (band_name, shift) in enumerate((("VV", 0.0), ("VH", -7.0)), start=1):
            band = data.GetRasterBand(index)
            band.WriteArray(np.where(vv == -9999, -9999, vv + shift).astype(np.float32))
            band.SetDescription(band_name)
            band.SetNoDataValue(-9999)
        data.FlushCache()
        del band, data
        return path

    return make


@pytest.fixture
def scene(make_scene) -> Path:
    """A scene of noise, 96 x 80 pixels, with a nodata corner."""
    vv = np.random.default_rng(7).normal(-12.0, 2.0, (80, 96))
    vv[:10, :12] = -9999
    return make_scene(vv)


class Desktop:
    """The calls of QgisInterface that the plugin makes, on real widgets."""

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self.window = QMainWindow()
        self.menu = QMenu("Plugins", self.window)
        self.toolbar = QToolBar(self.window)
        self.canvas = canvas
        self.bar = QgsMessageBar(self.window)
        self._active = ""

    def mainWindow(self):  # noqa: N802
        return self.window

    def pluginMenu(self):  # noqa: N802
        return self.menu

    def mapCanvas(self):  # noqa: N802
        return self.canvas

    def messageBar(self):  # noqa: N802
        return self.bar

    def addToolBarIcon(self, action):  # noqa: N802
        self.toolbar.addAction(action)

    def removeToolBarIcon(self, action):  # noqa: N802
        self.toolbar.removeAction(action)

    def activeLayer(self):  # noqa: N802
        return QgsProject.instance().mapLayer(self._active)

    def setActiveLayer(self, layer):  # noqa: N802
        self._active = layer.id() if layer is not None else ""

    def messages(self):
        """What the message bar says and no longer said, but for mere information; oldest first."""
        return [item.text() for item in reversed(self.bar.items()) if item.level() != Qgis.MessageLevel.Info]


@pytest.fixture
def desktop(qgis_canvas) -> Desktop:
    return Desktop(qgis_canvas)


@pytest.fixture(scope="session")
def model(tmp_path_factory, backend_python):
    """A model folder, made in another process: torch and QGIS don't meet in this one."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    command = [backend_python, "-c", MAKE_MODEL, str(folder), json.dumps(CARD)]
    subprocess.run(command, cwd=locate.backend_root(), env=worker_environment(), check=True)
    return folder


@pytest.fixture
def real_worker(model, backend_python, monkeypatch):
    """The backend itself, in this Python, with the model `tiny` on its shelf."""
    monkeypatch.setenv("SARDINO_PYTHON", backend_python)
    monkeypatch.setenv("SARDINO_MODELS", str(model.parent))


@pytest.fixture
def settings(qgis_app):
    """QgsSettings, without a trace of models and last choices before and after."""

    def clear():
        for name in (installed.SETTING, last_used.GROUP, model_control.LAST_FOLDER):
            QgsSettings().remove(name)

    clear()
    yield QgsSettings()
    clear()
