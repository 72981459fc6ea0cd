"""Unusual names of inputs and outputs, and outputs that are inputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio

from tests.backend.reliability import zoo
from tests.backend.reliability.zoo_places import vrt

NAMES = {
    "spaces": "my scene of June .tif",
    "quotes": 'it\'s "so" `called`.tif',
    "shell": "$(touch canary); touch canary & .tif",
    "unicode": "Übersicht – 地図 🌍 кадр.tif",
    "decomposed": "e\u0301te\u0301.tif",
    "line_break": "two\nlines.tif",
    "escape": "a\x1b[2Jb\a.tif",
    "markup": "<img src=x> &amp; %41%s {0}.tif",
    "dots": "v1.2.final.TIF",
    "hidden": ".hidden.tif",
    "dash": "-o.tif",
    "two_hundred": "n" * 196 + ".tif",
    "as_long_as_can_be": "m" * 243 + ".tif",
    "long_in_bytes": "地" * 80 + ".tif",
}
DEEP = "/".join(["a folder of fifty characters, which is quite a lot"] * 6)


@pytest.fixture
def run(warm, tiny_model):
    def call(source: Path, output: Path, *options: object, **more: object):
        return warm("landcover", source, output, "--model", tiny_model, "--progress", "json", *options, **more)

    return call


@pytest.mark.parametrize("name", [*NAMES.values(), f"{DEEP}/scene.tif"], ids=[*NAMES, "three_hundred_deep"])
def test_unusual_names_work_for_inputs_and_outputs(run, tmp_path, name):
    source = zoo.write(tmp_path / "plain.tif", zoo.scene())
    target = tmp_path / "in" / name
    target.parent.mkdir(parents=True)
    source.rename(target)
    output = tmp_path / "out" / name
    output.parent.mkdir(parents=True)
    done = run(target, output, "--confidence", output.with_name("c.tif"))
    assert done.code == 0 and done.err == "", done
    assert json.loads(done.out.splitlines()[-1])["outputs"]["output"] == str(output)
    with rasterio.open(output) as file:
        assert file.read(1).all()
        assert file.tags()["SARDINO_INPUT"] == "".join(
            c for c in target.name if c >= " " or c == "\n"
        )  # as GDAL has it
    beside = {output.name, output.with_suffix(".qml").name, output.name + ".aux.xml"}
    assert {path.name for path in output.parent.iterdir()} == beside | {"c.tif", "c.qml", "c.tif.aux.xml"}
    assert not list(tmp_path.rglob("canary"))


@pytest.mark.parametrize(
    "name, reason",
    [("n" * 246 + ".tif", "too long"), ("n" * 400 + ".tif", "too long"), (os.fsdecode(b"\xff.tif"), "UTF-8")],
    ids=["no_room_for_metadata", "four_hundred", "no_text"],
)
def test_names_that_cannot_be_used_are_refused_first(warm, tiny_model, tmp_path, name, reason):
    options = ["--model", tiny_model, "--progress", "none"]
    assert reason in warm("landcover", zoo.plain(tmp_path), tmp_path / name, *options).refusal
    (tmp_path / "scene.tif").unlink()
    assert warm("landcover", tmp_path / name, tmp_path / "o.tif", *options).refusal
    assert list(tmp_path.iterdir()) == []
    assert warm("info", tmp_path / name).refusal
    assert "No model" in warm("landcover", "a.tif", tmp_path / "b.tif", "--model", name, "--progress", "none").refusal


def test_a_missing_file_with_breaks_in_its_name_is_one_line(warm, tiny_model, tmp_path):
    done = warm("landcover", tmp_path / NAMES["line_break"], tmp_path / "o.tif", "--model", tiny_model)
    assert len(done.err.splitlines()) == 1 and done.code == 1
    done = warm("landcover", tmp_path / NAMES["escape"], tmp_path / "o.tif", "--model", tiny_model)
    assert "\\x1b" in done.err and "\x1b" not in done.err


def test_names_the_terminal_cannot_show_are_escaped(tiny_model, worker_environment, repo_root, tmp_path):
    output = tmp_path / "地図.tif"
    done = subprocess.run(
        [sys.executable, "-m", "backend", "landcover", zoo.plain(tmp_path), output, "--model", tiny_model],
        env={**worker_environment, "PYTHONIOENCODING": "ascii"}, cwd=repo_root, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and output.exists(), done
    assert "\\u5730" in done.stdout


def test_an_output_that_is_the_input_under_any_name_is_refused(run, tmp_path):
    source = zoo.plain(tmp_path)
    content = source.read_bytes()
    (tmp_path / "link.tif").symlink_to(source)
    os.link(source, tmp_path / "hard.tif")
    (tmp_path / "folder").mkdir()
    for name in ("scene.tif", "link.tif", "hard.tif", "folder/../scene.tif"):
        done = run(source, tmp_path / name, "--overwrite")
        assert done.code == 1 and "is the input" in done.out, done
    assert source.read_bytes() == content


def test_sources_of_a_virtual_raster_are_not_replaced(run, tmp_path):
    source = zoo.plain(tmp_path)
    content = source.read_bytes()
    done = run(vrt(tmp_path / "mosaic.vrt", source), source, "--overwrite")
    assert done.code == 1 and "part of the input" in done.out, done
    assert source.read_bytes() == content
