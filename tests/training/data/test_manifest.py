"""Scan files once, and again when they change."""

from __future__ import annotations

import os

import numpy as np
import pytest

from backend.core.errors import InputError
from tests.support.geotiffs import BANDS, PLACED, land, toml, write
from training.data.dataset import ChipFolder
from training.data.manifest import cache_folder
from training.draws.store import ChipStore


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SARDINO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def rewrite(path, values, same_time):
    """Write new content of the same file size."""
    stat = path.stat()
    write(path, values, ("VV", "VH"), nodata=-9999)
    assert path.stat().st_size == stat.st_size
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + (0 if same_time else 1)))


def test_what_was_found_is_kept_until_the_file_changes(tmp_path, cache):
    data = tmp_path / "data"
    write(data / "a.tif", land(0), ("VV", "VH"), nodata=-9999)
    write(data / "b.tif", land(1), ("VV", "VH"), nodata=-9999)
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    first = ChipFolder(data, BANDS).entries
    assert first[0].pixels == 48 * 48 and first[0].dtype == "float32" and first[0].numbers == (1, 2)
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before  # nothing is written next to the data
    holes = land(0)
    holes[:, :8] = -9999
    rewrite(data / "a.tif", holes, same_time=True)
    assert ChipFolder(data, BANDS).entries == first  # so the file wasn't opened again
    rewrite(data / "a.tif", holes, same_time=False)
    second = ChipFolder(data, BANDS).entries
    assert second[0].pixels == 40 * 48 and second[0].coverage and second[1] == first[1]
    (data / "b.tif").unlink()
    write(data / "c.tif", land(2), ("VV", "VH"))
    assert [entry.name for entry in ChipFolder(data, BANDS).entries] == ["a", "c"]


def test_what_was_found_before_a_refusal_is_kept(tmp_path, cache):
    for seed, name in enumerate("abc"):
        write(tmp_path / "data" / f"{name}.tif", land(seed), ("VV", "VH"), nodata=-9999)
    write(tmp_path / "data" / "d.tif", np.abs(land(3)) * 40 + 300, ("VV", "VH"))
    with pytest.raises(InputError, match="d.tif"):
        ChipFolder(tmp_path / "data", BANDS)
    (tmp_path / "data" / "d.tif").unlink()
    holes = land(0)
    holes[:, :8] = -9999
    rewrite(tmp_path / "data" / "a.tif", holes, same_time=True)
    assert ChipFolder(tmp_path / "data", BANDS).entries[0].pixels == 48 * 48  # so the file wasn't opened again


def test_other_bands_or_another_dataset_toml_mean_another_look(tmp_path, cache):
    values = land(0)
    values[0, 0, :8] = -12.5  # too few pixels to be taken for filling
    write(tmp_path / "data" / "a.tif", values, ("VV", "VH"))
    assert ChipFolder(tmp_path / "data", BANDS).entries[0].pixels == 48 * 48
    toml(tmp_path / "data", "nodata = [-12.5]\n")
    assert ChipFolder(tmp_path / "data", BANDS).entries[0].pixels == 48 * 48 - 8
    assert ChipFolder(tmp_path / "data", BANDS[1:]).entries[0].pixels == 48 * 48


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '[{"name": "a"}]', '[{"name": "a", "levels": [1], "numbers": 0}]']
)
def test_a_damaged_cache_only_costs_another_look(tmp_path, cache, content):
    write(tmp_path / "data" / "a.tif", land(0), ("VV", "VH"))
    first = ChipFolder(tmp_path / "data", BANDS).entries
    (file,) = (cache / "manifests").iterdir()
    file.write_text(content)
    assert ChipFolder(tmp_path / "data", BANDS).entries == first


def test_a_cache_that_can_not_be_written_does_not_matter(tmp_path, cache):
    cache.write_text("a file where the folder should be")
    write(tmp_path / "data" / "a.tif", land(0), ("VV", "VH"))
    assert ChipFolder(tmp_path / "data", BANDS).entries[0].pixels == 48 * 48
    assert cache_folder() == cache


def test_the_fingerprint_is_of_what_is_drawn_from(tmp_path, cache):
    def stamp():
        return ChipStore([tmp_path / "data"], BANDS, 1.0).fingerprint

    write(tmp_path / "data" / "a.tif", land(0), ("VV", "VH"), **PLACED)
    first = stamp()
    os.utime(tmp_path / "data" / "a.tif")  # copied elsewhere, say
    assert stamp() == first
    toml(tmp_path / "data", 'title = "the same"\n')
    assert stamp() == first
    toml(tmp_path / "data", "weight = 2.0\n")
    assert stamp() != first
    (tmp_path / "data" / "dataset.toml").unlink()
    values = land(0)
    values[:, :4, :4] = np.nan
    write(tmp_path / "data" / "a.tif", values, ("VV", "VH"), **PLACED)
    assert stamp() != first


def test_only_the_split_is_drawn_from_where_there_are_splits(tmp_path, cache):
    for name in "ab":
        write(tmp_path / "split" / "images" / f"{name}.tif", land(0), ("VV", "VH"), **PLACED)
        write(tmp_path / "plain" / f"{name}.tif", land(0), ("VV", "VH"), **PLACED)
    (tmp_path / "split" / "splits.csv").write_text("name,group,split\na,1,train\nb,2,test\n")
    store = ChipStore([tmp_path / "split", tmp_path / "plain"], BANDS, 1.0, "train")
    assert [folder.names for folder in store.folders] == [["a"], ["a", "b"]]
