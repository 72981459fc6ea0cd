"""Of two runs to one output, every command refuses one and leaves the files of the other alone."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import rasterio

from backend.cli.similarity_query import Query
from backend.cli.similarity_server import SimilarityServer
from backend.core.cancel import Cancel
from backend.core.claims import claim, temporary
from backend.core.errors import ResourceError
from backend.core.events import JsonReporter
from tests.backend.reliability import faults, zoo
from tests.backend.reliability.warm import asked
from tests.support.make_safe import Scene, make_safe
from training.ownclasses import main as train


def test_two_runs_at_once_leave_one_whole_output(warm, tiny_model, tmp_path):
    sources = [zoo.write(tmp_path / f"{n}.tif", zoo.scene(150, 60 + n)) for n in range(2)]
    output = tmp_path / "o.tif"
    runs = [asked("landcover", s, output, "--model", tiny_model, "--progress", "none", "--overwrite") for s in sources]
    finished = []
    for _ in range(6):
        results = warm.together(*runs)
        good = [number for number, done in enumerate(results) if done.code == 0]
        for number, done in enumerate(results):
            if number not in good:
                assert "Another run" in done.refusal
        if good:  # at the same moment, each may refuse because of the other
            with rasterio.open(output) as file:
                assert file.width == 60 + good[-1] if len(good) == 1 else file.width in (60, 61)
                assert file.read(1).all()
        finished += good
        assert {path.name for path in tmp_path.iterdir()} <= {"0.tif", "1.tif", "o.tif", "o.qml", "o.tif.aux.xml"}
    assert finished


def test_a_later_run_is_refused_and_the_first_ends_well(warm, tiny_model, tmp_path):
    first = zoo.write(tmp_path / "first.tif", np.tile(zoo.scene(), (1, 3, 3)))
    second, output = zoo.plain(tmp_path), tmp_path / "o.tif"
    options = ["--model", tiny_model, "--progress", "none"]
    env = {"WAIT_FOR_A_RUN_IN": str(tmp_path)}
    slow = asked("landcover", first, output, *options, inject=f"{faults.__name__}:outlasting", env=env)
    late = asked("landcover", second, output, *options, inject=f"{faults.__name__}:late", env=env)
    done, refused = warm.together(slow, late)
    assert done.code == 0, done
    assert "Another run" in refused.refusal
    with rasterio.open(output) as file:
        assert file.height == 3 * zoo.HEIGHT


@pytest.fixture
def taken(request, tmp_path):
    """Claim an output as another run does, with a complete temporary file; a parameter is its ending."""
    path = tmp_path / f"o{getattr(request, 'param', '.tif')}"
    with claim(path):
        part = temporary(path, ".tif")
        part.write_text("finished")
        yield path
        assert part.read_text() == "finished" and not path.exists()


@pytest.mark.parametrize("command", ["landcover", "attention", "embed", "similarity"])
def test_maps_refuse_an_output_that_is_taken(command, cli, tiny_model, taken, tmp_path):
    more = ["--point", 500005, 4599995] if command == "similarity" else []
    code, _, err = cli(command, zoo.plain(tmp_path), taken, "--model", tiny_model, *more)
    assert code == 1 and "Another run is writing" in err


def test_calibrate_refuses_an_output_that_is_taken(cli, taken, tmp_path):
    code, _, err = cli("calibrate", make_safe(tmp_path, Scene(shape=(30, 40))), taken)
    assert code == 1 and "Another run is writing" in err


@pytest.mark.parametrize(
    ("role", "taken"), [("output", ".html"), ("--json", ".json"), ("--csv", ".csv")], indirect=["taken"]
)
def test_accuracy_refuses_an_output_that_is_taken(role, cli, taken, tmp_path):
    classes = zoo.write(tmp_path / "map.tif", np.full((1, 9, 9), 10, np.uint8), ())
    outputs = [taken] if role == "output" else [tmp_path / "o.html", role, taken]
    code, _, err = cli("accuracy", classes, classes, *outputs)
    assert code == 1 and "Another run is writing" in err


def test_the_map_tool_refuses_an_output_that_is_taken(tiny_model, taken, tmp_path):
    question = Query(str(zoo.plain(tmp_path)), ((500005.0, 4599995.0),), taken, model=str(tiny_model))
    with pytest.raises(ResourceError, match="Another run is writing"):
        SimilarityServer("cpu", Cancel()).answer(question, JsonReporter(io.StringIO()))


def test_train_refuses_a_folder_that_is_taken(taken, tiny_model, tmp_path, capsys):
    samples = tmp_path / "s.geojson"
    samples.write_text(json.dumps({"type": "FeatureCollection", "features": []}))
    given = [zoo.plain(tmp_path), taken, "--model", tiny_model, "--samples", samples, "--field", "cover"]
    assert train([str(text) for text in given]) == 1
    assert "Another run is writing" in capsys.readouterr().err
