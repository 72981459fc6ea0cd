"""Maps whose input is made on a device, and whose classes are chosen there, are the processor's maps."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
import rasterio

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.cancel import Cancel
from backend.core.errors import Cancelled
from backend.engines import pytorch
from backend.engines.device import choice
from backend.maps.attention import attention
from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from backend.radiometry.units import Units
from backend.stream import ahead, stored_rows
from tests.support.backend.listener import Listener
from tests.support.backend.reading import read

SAID = "The processor prepares the input of the network"
# Two probabilities may be nearly equal; then a rounding decides.
SAME = 0.998


@pytest.fixture
def either_way(tiny_model, tmp_path, monkeypatch):
    """Map with the processor's input and with the device's; give paths by role and the lines logged, of both."""
    monkeypatch.setattr(stored_rows, "reading_threads", lambda: 3)
    monkeypatch.setattr(ahead, "SLAB_ROWS", 64)

    def run(scene, roles=(), task=landcover, model=tiny_model, **more):
        found = []
        for way in (set(), {"cpu"}):
            monkeypatch.setattr(choice, "CARDS", way)
            paths = {role: tmp_path / f"{role}-{len(way)}.tif" for role in ("output", *roles)}
            request = {key: more[key] for key in more.keys() & Request.__dataclass_fields__}
            rest = {key: value for key, value in more.items() if key not in request}
            asked = Request(
                str(scene), paths["output"], model, device="cpu", engine="pytorch", **request, overwrite=True
            )
            mine = {role: paths[role] for role in roles if role in ("confidence", "probabilities")}
            further = {role: paths[role] for role in roles if role not in mine}
            listener = Listener()
            rest |= {**mine, **({"further": further} if further else {})}
            task(asked, context=MapContext(listener), **rest)
            found.append(({role: read(path) for role, path in paths.items()}, listener.lines))
        return found

    return run


def check_same(found):
    """Check both maps, and that the second one's input was made on the device."""
    (here, _), (there, lines) = found
    assert (there["output"] == here["output"]).mean() >= SAME
    assert len(np.unique(here["output"])) > 1
    for role in here.keys() - {"output"}:
        np.testing.assert_allclose(there[role], here[role], atol=2e-5)
    assert not any(SAID in text for _, text in lines)


@pytest.mark.parametrize("roles", [(), ("confidence",), ("probabilities", "margin", "disagreement")])
def test_hundredths_of_db_with_holes(either_way, make_raster, scene_db, roles):
    values = np.round(scene_db(150, 203) * 100).astype("int16")
    values[:, 40:75, 30:90] = -32768
    path = make_raster(values, nodata=-32768, tiled=True, blockxsize=64, blockysize=64)
    with rasterio.open(path, "r+") as file:
        file.scales = [0.01, 0.01]
    check_same(either_way(path, roles))


def test_power_of_a_part(either_way, make_raster, scene_db):
    power = (10 ** (scene_db(200, 230) / 10)).astype("float32")
    power[:, 50:60] = 0
    west, north = 500000, 4_600_000
    check_same(either_way(make_raster(power), extent=(west + 300, north - 1700, west + 2100, north - 410)))


def test_amplitude_of_vv_alone(either_way, make_raster, scene_db, tiny_model, tmp_path):
    folder = tmp_path / "lenient"
    shutil.copytree(tiny_model, folder)
    replace(ModelCard.load(folder / CARD), allows_missing_bands=True).save(folder / CARD)
    amplitude = (10 ** (scene_db(60, 230)[:1] / 20)).astype("float32")
    check_same(either_way(make_raster(amplitude, "vv.tif", ("VV",)), model=folder, units=Units.AMPLITUDE))


def test_what_a_card_leaves_to_the_processor_is_said(either_way, make_raster, scene_db):
    first, second = scene_db(70, 90), scene_db(70, 90, seed=1)
    scenes = [make_raster(values, f"{date}.tif") for values, date in ((first, "20240101"), (second, "20240113"))]
    (here, quiet), (there, lines) = either_way(scenes[0], ("confidence",), dates=[str(scenes[1])])
    assert ("info", f"{SAID}: several dates are read side by side.") in lines
    assert not any(SAID in text for _, text in quiet)
    np.testing.assert_array_equal(there["output"], here["output"])
    fine = make_raster(first, "fine.tif", transform=rasterio.transform.from_origin(5e5, 46e5, 20, 20))
    (here, _), (there, lines) = either_way(fine)
    assert ("info", f"{SAID}: pixels are resampled to the size of the model's.") in lines
    np.testing.assert_array_equal(there["output"], here["output"])


def test_attention_takes_its_input_from_the_device_too(either_way, make_raster, scene_db):
    (here, _), (there, lines) = either_way(make_raster(scene_db(100, 130)), task=attention)
    np.testing.assert_allclose(there["output"], here["output"], rtol=1e-4)
    assert not any(SAID in text for _, text in lines)


def test_memory_that_runs_out_halves_the_batch(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "CARDS", {"cpu"})
    real, sizes = pytorch.outputs, []

    def greedy(network, names, x):
        sizes.append(len(x))
        if len(x) > 2:
            raise pytorch.torch.cuda.OutOfMemoryError("CUDA out of memory")
        return real(network, names, x)

    monkeypatch.setattr(pytorch, "outputs", greedy)
    listener, scene = Listener(), make_raster(scene_db(150, 203))
    request = Request(str(scene), tmp_path / "map.tif", tiny_model, device="cpu", engine="pytorch", batch_size=7)
    landcover(request, context=MapContext(listener))
    assert sizes[:3] == [7, 3, 1] and max(sizes[2:]) == 1
    assert [level for level, text in listener.lines if "Memory ran out" in text] == ["warning"]


def test_a_cancelled_run_leaves_nothing(tiny_model, make_raster, scene_db, tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "CARDS", {"cpu"})
    cancel = Cancel()

    class Stopper(Listener):
        def progress(self, done, total, **_):
            cancel.set()

    began = datetime.now()
    request = Request(
        str(make_raster(scene_db(300, 203))), tmp_path / "map.tif", tiny_model, device="cpu", engine="pytorch"
    )
    with pytest.raises(Cancelled):
        landcover(request, context=MapContext(Stopper(), cancel))
    assert (datetime.now() - began).total_seconds() < 20
    assert [path.name for path in tmp_path.iterdir()] == ["scene.tif"]
