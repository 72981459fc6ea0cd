"""The laws of the house, read from the source: who may import whom, and what nobody may call."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sardino_qgis", "backend", "training")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TOOLS = sorted((ROOT / "tools").glob("*.py"))

FORBIDDEN_MODULES = {
    "pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "code", "codeop", "pty",
}  # fmt: skip
FORBIDDEN_BUILTINS = {"eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec", "builtins.compile"}
FORBIDDEN_CALLS = {
    "torch.load", "torch.save", "torch.serialization.load", "torch.jit.load", "torch.package.PackageImporter",
    "torch.hub.load", "torch.hub.load_state_dict_from_url",
    "numpy.load", "pandas.read_pickle", "runpy.run_path", "runpy.run_module",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all",
    "os.system", "os.popen", "os.startfile", "subprocess.getoutput", "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
}  # fmt: skip

# sys.stdlib_module_names came with Python 3.10; the plugin's own Python may be 3.9, the tests' is not.
STANDARD = set(getattr(sys, "stdlib_module_names", ())) | {"__future__"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def of(package: str) -> list[Path]:
    return [path for path in SOURCES if path.is_relative_to(ROOT / package)]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(tree: ast.AST) -> Iterator[str]:
    """Absolute imports, wherever they stand: in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(parse(path))}


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an attribute chain, or an empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def aliases(tree: ast.AST) -> dict[str, str]:
    """What names that an import binds stand for: np is numpy, and `load` torch.load after `from torch import load`."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def spelt_out(name: str, known: dict[str, str]) -> str:
    first, dot, rest = name.partition(".")
    return known.get(first, first) + dot + rest


def offences(tree: ast.AST) -> Iterator[str]:
    """What nobody may do, as `line: what`."""
    known = aliases(tree)
    for name in imports(tree):
        if name.split(".")[0] in FORBIDDEN_MODULES:
            yield f"import {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and spelt_out(dotted(node), known) in FORBIDDEN_CALLS - {"numpy.load"}:
            yield f"{node.lineno}: {dotted(node)}"  # handed on, it would be called elsewhere
        if not isinstance(node, ast.Call):
            continue
        called = spelt_out(dotted(node.func), known)
        if called in FORBIDDEN_BUILTINS or (called in FORBIDDEN_CALLS and not pickle_free_numpy(node, called)):
            yield f"{node.lineno}: {called}()"
        for keyword in node.keywords:
            shell = keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
            pickled = keyword.arg == "allow_pickle" and getattr(keyword.value, "value", True) is not False
            if shell or pickled:
                yield f"{node.lineno}: {called}({keyword.arg}=…)"


def pickle_free_numpy(node: ast.Call, called: str) -> bool:
    """numpy.load is safe with allow_pickle=False written out."""
    return called == "numpy.load" and any(keyword.arg == "allow_pickle" for keyword in node.keywords)


def test_there_is_source_to_check() -> None:
    for package in PACKAGES:
        assert of(package), f"{package}/ holds no Python"


@pytest.mark.parametrize("path", of("sardino_qgis"), ids=name_of)
def test_plugin_imports_standard_library_qgis_and_osgeo_only(path: Path) -> None:
    strangers = tops(path) - STANDARD - {"qgis", "osgeo", "sardino_qgis"}
    assert not strangers, f"{name_of(path)} imports {sorted(strangers)}; PyQt comes from qgis.PyQt"


@pytest.mark.parametrize("path", of("sardino_qgis"), ids=name_of)
def test_plugin_names_itself_relatively(path: Path) -> None:
    # A user may unpack the plugin under any folder name.
    assert "sardino_qgis" not in tops(path), f"{name_of(path)}: write `from . import …`"


@pytest.mark.parametrize("path", SOURCES + TOOLS, ids=name_of)
def test_parses_as_python_3_9(path: Path) -> None:
    # feature_version refuses match statements, parenthesised context managers, except*, type aliases, PEP 695.
    ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=(3, 9))


@pytest.mark.parametrize("path", of("backend"), ids=name_of)
def test_backend_knows_neither_qgis_nor_training(path: Path) -> None:
    assert not tops(path) & {"qgis", "PyQt5", "PyQt6", "osgeo", "training", "sardino_qgis", "tools", "tests"}


@pytest.mark.parametrize("path", of("training"), ids=name_of)
def test_training_imports_backend_only(path: Path) -> None:
    assert not tops(path) & {"qgis", "PyQt5", "PyQt6", "osgeo", "sardino_qgis", "tools", "tests"}


@pytest.mark.parametrize(
    "path", [p for p in of("backend/core") + of("backend/card") if p.stem != "arrays"], ids=name_of
)
def test_core_and_card_import_standard_library_only(path: Path) -> None:
    assert tops(path) <= STANDARD | {"backend"}
    ours = {name for name in imports(parse(path)) if name.startswith("backend.") and name != "backend.__version__"}
    assert all(name.startswith(("backend.core", "backend.card")) for name in ours) and "backend.core.arrays" not in ours


@pytest.mark.parametrize("path", SOURCES + TOOLS, ids=name_of)
def test_nothing_runs_foreign_code(path: Path) -> None:
    found = list(offences(parse(path)))
    assert not found, f"{name_of(path)}: {found}"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "exec(text)",
        "import torch\ntorch.load(path)",
        "subprocess.run(x, shell=True)",
        "subprocess.run(x, shell=flag)",
        "numpy.load(path)",
        "np.load(path, allow_pickle=True)",
        "def f():\n    import joblib",
        "import torch as t\nt.load(path)",
        "from torch import load\nload(path)",
        "from torch import load as read\nread(path)",
        "import torch\nread = torch.load\nread(path)",
        "import numpy as n\nn.load(path)",
        "from numpy import load\nload(path)",
        "import numpy as np\nnp.load(path)",
        "from os import system\nsystem('ls')",
        "import subprocess\nsubprocess.getoutput('ls')",
        "import asyncio\nasyncio.create_subprocess_shell('ls')",
        "import yaml\nyaml.load(text)",
        "import builtins\nbuiltins.eval(text)",
        "compile(text, '', 'exec')",
        "import pandas as pd\npd.read_pickle(path)",
    ],
)
def test_the_check_sees_what_it_should(source: str) -> None:
    assert list(offences(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "re.compile('x')",
        "subprocess.run(x, shell=False)",
        "import numpy as np\nnp.load(p, allow_pickle=False)",
        "import yaml\nyaml.safe_load(text)",
        "from json import load\nload(file)",
    ],
)
def test_the_check_lets_harmless_calls_pass(source: str) -> None:
    assert not list(offences(ast.parse(source)))
