"""timm is imported also where torchvision's compiled part does not fit PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.network import timm_import


@pytest.fixture
def torchvision_of(tmp_path, monkeypatch):
    """Put a torchvision of the given source in place of the real one, which comes back afterwards."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torchvision"}
    for name in before:
        del sys.modules[name]
    monkeypatch.setattr(timm_import, "_declared", [])

    def make(source):
        (tmp_path / "torchvision").mkdir()
        (tmp_path / "torchvision" / "__init__.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))

    yield make
    sys.modules.pop("torchvision", None)
    sys.modules.update(before)


def test_operators_that_were_not_loaded_are_declared(torchvision_of):
    """As torchvision's own start does: it registers shapes for operators of its compiled part."""
    torchvision_of(
        "import torch\n"
        "for name in ('test_absent_a', 'test_absent_b'):\n"
        "    torch.library.register_fake('torchvision::' + name)(lambda x: x)\n"
    )
    timm_import._import_torchvision()
    assert sys.modules["torchvision"].__file__
    assert len(timm_import._declared) == 2


@pytest.mark.parametrize("error", ["RuntimeError('something else')", "ImportError('no such file')"])
def test_other_faults_of_torchvision_are_not_hidden(torchvision_of, error):
    torchvision_of(f"raise {error}")
    with pytest.raises((RuntimeError, ImportError), match=r"something else|no such file"):
        timm_import._import_torchvision()


def run_alone(code: str, root: Path, **variables: str) -> str:
    """What `code` prints as a program of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_does_without_the_compiler_and_leaves_it_to_others(repo_root, tiny_model):
    """Importing it would take a second and 100 MB at each start."""
    code = (
        "import sys, torch; from pathlib import Path; from backend.network.weights import load_model\n"
        f"network, _ = load_model(Path({str(tiny_model)!r}))\n"
        "with torch.inference_mode(): network(torch.zeros(1, 2, 64, 64))\n"
        "print('torch._dynamo' in sys.modules, 'sympy' in sys.modules)\n"
        "import torch._dynamo; print(torch._dynamo.is_compiling(), torch._dynamo.utils.__file__)"
    )
    first, second = run_alone(code, repo_root).splitlines()
    assert first == "False False"
    assert second.startswith("False ") and second.endswith("utils.py")


def test_torch_compile_works_in_the_same_process(repo_root, tiny_model):
    code = (
        "import torch; from pathlib import Path; from backend.network.weights import load_model\n"
        f"network, _ = load_model(Path({str(tiny_model)!r}))\n"
        "double = torch.compile(lambda x: 2 * x, backend='eager', fullgraph=True)\n"
        "assert double(torch.ones(3)).tolist() == [2, 2, 2]\n"
        "x = torch.randn(1, 2, 64, 64)\n"
        "with torch.inference_mode():\n"
        "    torch.testing.assert_close(torch.compile(network, backend='eager')(x), network(x))\n"
        "import torch._dynamo; print(torch._dynamo.allow_in_graph.__module__)"
    )
    assert run_alone(code, repo_root).strip() == "torch._dynamo.decorators"


def test_who_needs_the_compiler_gets_it(repo_root, tmp_path):
    parts = {
        "layers/drop": "DropPath = 1",
        "layers/patch_embed": "PatchEmbed = 1",
        "layers/pos_embed": "resample_abs_pos_embed = 1",
    }
    sources = {
        "torchvision/__init__": "import torch._dynamo\nlimit = torch._dynamo.config.cache_size_limit\n",
        "timm/__init__": "import torchvision",
        "timm/layers/__init__": "",
        "timm/models/__init__": "",
        "timm/models/vision_transformer": "VisionTransformer = 1",
        **{f"timm/{name}": source for name, source in parts.items()},
    }
    for name, source in sources.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    code = (
        "from backend.network.timm_import import timm; import torchvision; print(torchvision.limit > 0, timm.__file__)"
    )
    said = run_alone(code, repo_root, PYTHONPATH=str(tmp_path))
    assert said.startswith("True ") and str(tmp_path) in said
