"""Everything that maps works without PyTorch, timm and torchvision; where they are installed, no run imports them."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from backend.engines.choice import installed
from tests.support.backend.light_environment import light_python
from tests.support.backend.reading import mapped, read
from tests.support.samples import collection, feature, square

pytestmark = pytest.mark.skipif(
    not installed("openvino") and not installed("onnxruntime"), reason="nothing else runs a model here"
)

# Runs command lines in one process, and says what of PyTorch was imported meanwhile.
RUN = """
import json, sys
from backend.__main__ import main

codes = [main(words) for words in json.loads(sys.argv[1])]
print(json.dumps([codes, [name for name in ("torch", "timm", "torchvision") if name in sys.modules]]))
"""


@pytest.fixture(scope="session")
def without(tmp_path_factory):
    return light_python(tmp_path_factory.mktemp("light"))


@pytest.fixture
def tasks(tiny_model, make_raster, scene_db, tmp_path):
    """Command lines of all that maps, and the files that they write."""
    scene, samples, own = make_raster(scene_db(100, 130)), tmp_path / "s.geojson", tmp_path / "own"
    places = [(x, y) for x in range(100, 1200, 200) for y in range(100, 900, 200)]
    features = [feature(square(500_000 + x, 4_600_000 - y, 40), "ab"[(x // 200 + y // 200) % 2]) for x, y in places]
    crs = {"type": "name", "properties": {"name": "EPSG:32630"}}
    samples.write_text(json.dumps({**collection(features), "crs": crs}))
    model, quiet = ["--model", tiny_model, "--device", "cpu"], ["--progress", "none"]
    point = ["--point", 500_305, 4_599_695]
    return [
        ["landcover", scene, tmp_path / "map.tif", "--confidence", tmp_path / "confidence.tif", *model, *quiet],
        ["attention", scene, tmp_path / "attention.tif", "--masks", tmp_path / "masks.tif", *model, *quiet],
        ["embed", scene, tmp_path / "tokens.tif", "--pca", tmp_path / "pca.tif", *model, *quiet],
        ["similarity", scene, tmp_path / "similarity.tif", *point, *model, *quiet],
        ["train", scene, own, "--samples", samples, "--field", "cover", *model, *quiet],
        ["landcover", scene, tmp_path / "own.tif", "--model", own, "--device", "cpu", *quiet],
        ["accuracy", tmp_path / "map.tif", tmp_path / "map.tif", tmp_path / "report.html", *quiet],
        ["info", tiny_model, "--check", *quiet],
        ["info", *quiet],
    ]


def done(python, tasks, environment):
    """Exit codes of command lines that an interpreter ran, and which packages of PyTorch it had imported."""
    words = json.dumps([[str(word) for word in task] for task in tasks])
    run = subprocess.run([python, "-c", RUN, words], env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    codes, imported = json.loads(run.stdout.splitlines()[-1])
    return codes, imported, run.stderr


def test_all_that_maps_works_without_pytorch(tasks, without, worker_environment, tiny_model, tmp_path):
    codes, imported, said = done(without, tasks, worker_environment)
    assert codes == [0] * len(tasks) and not imported, said
    classes = mapped(tiny_model, tmp_path / "scene.tif", tmp_path, "pytorch", device="cpu")[0]
    assert (read(tmp_path / "map.tif") == classes).mean() > 0.999
    assert set(np.unique(read(tmp_path / "own.tif"))) == {1, 2}
    assert (tmp_path / "own" / "network.onnx").is_file()


def test_pytorch_is_not_imported_where_it_is_installed(tasks, worker_environment):
    codes, imported, said = done(sys.executable, tasks[:4], worker_environment)
    assert codes == [0] * 4 and not imported, said


def test_a_warm_worker_answers_without_pytorch(tasks, without, worker_environment, tiny_model, tmp_path):
    scene = str(tmp_path / "scene.tif")
    query = {"input": scene, "points": [[500_305, 4_599_695]], "output": str(tmp_path / "near.tif")}
    lines = [{"run": [str(word) for word in tasks[0][:-2]]}, {**query, "model": str(tiny_model)}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    process = subprocess.Popen(
        [without, "-m", "backend", "serve", "--device", "cpu", "--idle-minutes", "0.005"],
        env=worker_environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdin.write(text)
    process.stdin.flush()
    events = [json.loads(line) for line in process.stdout]
    process.stdin.close()
    process.wait(timeout=60)
    assert [event["event"] for event in events if event["event"] in ("result", "error")] == ["result", "result"]


def test_without_pytorch_what_needs_it_is_refused(tasks, without, worker_environment, tmp_path):
    words = [str(word) for word in tasks[0][:3]]
    for options, message in (
        (["--device", "cuda"], "it needs PyTorch, which is not installed here"),
        (["--engine", "pytorch"], "the package torch is not installed here"),
    ):
        call = [without, "-m", "backend", *words, *options, "--progress", "none"]
        run = subprocess.run(call, env=worker_environment, capture_output=True, text=True, timeout=60)
        assert run.returncode == 1 and message in run.stderr and run.stderr.count("\n") == 1
