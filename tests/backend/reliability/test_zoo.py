"""Odd and hostile rasters give a correct map or one clear refusal, soon, and leave no other files."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import time

import pytest
import rasterio

from tests.backend.reliability import zoo
from tests.backend.reliability.warm import Outcome
from tests.backend.reliability.zoo import SPECIMENS, Refused

for _wing in ("damaged", "values", "places"):
    importlib.import_module(f"tests.backend.reliability.zoo_{_wing}")

LIMIT_S = 5.0
# Longer than any run on a loaded machine, so that only a hang exceeds it.
KILL_S = 60.0
# These also run in a separate process, started as users do.
ALONE = (
    "cog_cut_after_half", "pipe_that_nobody_writes", "text_named_tif", "all_nan", "complex_float",
    "virtual_that_brings_code", "sparse_and_empty", "right_part_nan",
)  # fmt: skip


def command(specimen, output, model):
    return ["landcover", str(specimen.path), str(output), "--model", str(model), "--device", "cpu"] + [
        str(option) for option in (*specimen.options, "--progress", "none")
    ]


@pytest.fixture(scope="module")
def plain_map(warm, tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    done = warm("landcover", zoo.plain(folder), folder / "o.tif", "--model", tiny_model, "--progress", "none")
    assert done.code == 0, done
    with rasterio.open(folder / "o.tif") as file:
        return file.read(1)


def check(outcome: Outcome, specimen, folder, before, plain_map):
    assert not outcome.late and outcome.code in (0, 1), outcome
    left = {path.name for path in folder.iterdir()} - before
    if isinstance(specimen.expected, Refused):
        assert re.search(specimen.expected.match, outcome.refusal), outcome
        assert left == set()
    else:
        assert outcome.code == 0 and outcome.out == "", outcome
        assert "Traceback" not in outcome.err
        assert left == {"out.tif", "out.qml", "out.tif.aux.xml"}
        zoo.as_it_should_be(folder / "out.tif", specimen.expected, plain_map)


def test_zoo_has_many_specimens():
    assert len(SPECIMENS) >= 60


@pytest.mark.parametrize("name", SPECIMENS)
def test_each_specimen_is_mapped_or_refused(name, warm, tiny_model, tmp_path, plain_map):
    specimen = SPECIMENS[name](tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    outcome = warm(*command(specimen, tmp_path / "out.tif", tiny_model), limit=KILL_S)
    check(outcome, specimen, tmp_path, before, plain_map)
    assert outcome.seconds < LIMIT_S, outcome


@pytest.mark.parametrize("name", ["more_bands_than_pixels", "sparse_and_empty", "pipe_that_nobody_writes"])
@pytest.mark.parametrize("command", ["info", "accuracy", "similarity"])
def test_other_commands_do_not_hang_either(command, name, warm, tiny_model, tmp_path):
    path = SPECIMENS[name](tmp_path).path
    more = {
        "info": [],
        "accuracy": [path, tmp_path / "o.html", "--progress", "none"],
        "similarity": [tmp_path / "o.tif", "--model", tiny_model, "--point", 0, 0, "--progress", "none"],
    }
    outcome = warm(command, path, *more[command], limit=KILL_S)
    assert outcome.refusal
    assert outcome.seconds < LIMIT_S, outcome


@pytest.mark.parametrize("name", ALONE)
def test_a_process_of_its_own_does_the_same(name, tiny_model, worker_environment, repo_root, tmp_path, plain_map):
    specimen = SPECIMENS[name](tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "backend", *command(specimen, tmp_path / "out.tif", tiny_model)],
        cwd=repo_root, env=worker_environment, capture_output=True, text=True, timeout=KILL_S, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    outcome = Outcome(done.returncode, done.stdout, done.stderr, time.monotonic() - began, False)
    check(outcome, specimen, tmp_path, before, plain_map)
