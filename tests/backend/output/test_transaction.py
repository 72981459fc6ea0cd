"""Temporary files of a raster, and the order in which outputs are renamed."""

import os

import numpy as np
import pytest

from backend.core.claims import claim
from backend.core.errors import ResourceError
from backend.output.transaction import place_together
from tests.support.sinks import write

SMALL = np.zeros((1, 30, 30), dtype=np.uint8)


def test_discarding_keeps_the_older_file(tmp_path):
    (tmp_path / "o.tif").write_bytes(b"older")
    sink = write(tmp_path / "o.tif", np.zeros((1, 300, 300), dtype=np.uint8))
    sink.discard()
    assert [p.name for p in tmp_path.iterdir()] == ["o.tif"]
    assert (tmp_path / "o.tif").read_bytes() == b"older"


def test_sidecars_that_cannot_be_written_leave_the_older_raster(tmp_path):
    path = tmp_path / "o.tif"
    path.write_bytes(b"older")
    sink = write(path, np.zeros((1, 30, 30), dtype=np.uint8))
    sink.finish()
    sink.files.add_sidecar(".qml", "new")
    sink.files.add_sidecar(".aux.xml", "\ud800")  # can't be encoded
    with pytest.raises(UnicodeEncodeError):
        sink.commit()
    sink.discard()
    assert [p.name for p in tmp_path.iterdir()] == ["o.tif"] and path.read_bytes() == b"older"


def test_a_raster_that_cannot_be_replaced_keeps_its_sidecars(tmp_path, monkeypatch):
    path, style = tmp_path / "o.tif", tmp_path / "o.qml"
    path.write_bytes(b"older")
    style.write_text("older")
    sink = write(path, np.zeros((1, 30, 30), dtype=np.uint8))
    sink.finish()
    sink.files.add_sidecar(".qml", "new")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", held)
        with pytest.raises(ResourceError):
            sink.commit()
    sink.discard()
    assert path.read_bytes() == b"older" and style.read_text() == "older"


def held(source, target):
    raise PermissionError(13, "The process cannot access the file")


def test_an_output_is_claimed_until_it_has_its_name(tmp_path):
    path = tmp_path / "o.tif"
    sink = write(path, SMALL)
    with pytest.raises(ResourceError, match="Another run"), claim(path):
        pass
    sink.finish()
    sink.commit()
    with claim(path):
        assert [p.name for p in tmp_path.iterdir() if p.suffix == ".tif"] == ["o.tif"]


def test_all_that_may_fail_comes_before_any_sidecar(tmp_path, monkeypatch):
    """Both rasters of two outputs are renamed before any sidecar."""
    placed, real = [], os.replace
    monkeypatch.setattr(os, "replace", lambda old, new: (placed.append(new.name), real(old, new)))
    sinks = [write(tmp_path / name, SMALL) for name in ("c.tif", "o.tif")]
    for sink in sinks:
        sink.finish()
        sink.files.add_sidecar(".qml", "style")
    placed.clear()  # of bringing each file into its order
    place_together([sink.files for sink in sinks])
    assert placed == ["c.tif", "o.tif", "c.qml", "o.qml"]


def test_sidecars_of_an_older_raster_are_removed(tmp_path):
    for name in ("o.tif", "o.tif.ovr", "o.tif.msk"):
        (tmp_path / name).touch()
    sink = write(tmp_path / "o.tif", SMALL)
    sink.finish()
    sink.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["o.tif"]
