"""Hold the pages for developers to the code: files, symbols and rooms they name exist, and files keep their limits."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"]
PACKAGES = ("backend", "training", "sardino_qgis", "benchmarks", "tools", "tests")
NAMED = re.compile(rf"`((?:{'|'.join(PACKAGES)})/[\w/.-]*)(?:::(\w+))?`")
MOST_LINES, MOST_BODY, MOST_PARAMETERS, MOST_FILES, MOST_FLOORS = 250, 40, 6, 20, 10


def sources() -> list[Path]:
    """All Python files that git knows; outside git, those of the packages."""
    done = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True)
    names = done.stdout.split() or [
        p.relative_to(ROOT).as_posix() for top in PACKAGES for p in (ROOT / top).rglob("*.py")
    ]
    return [ROOT / name for name in names if (ROOT / name).exists()]


def defined(path: Path) -> set[str]:
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return names


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def body_lines(function: ast.FunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def parameters(function: ast.FunctionDef) -> int:
    given = function.args
    names = [arg.arg for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len(names[1:] if names[:1] in (["self"], ["cls"]) else names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_files_and_symbols_that_exist(page: Path) -> None:
    found = NAMED.findall(page.read_text(encoding="utf-8"))
    assert found
    for name, symbol in found:
        assert (ROOT / name).exists(), f"{page.name} names {name}"
        assert not symbol or symbol in defined(ROOT / name), f"{page.name}: {name} defines no {symbol}"


def test_architecture_shows_every_room_of_the_backend() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "backend").glob("*/__init__.py")}
    assert rooms == set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    picture = text.split("```")[1]
    for package in ("backend", "training", "sardino_qgis"):
        for path in (ROOT / package).glob("*/__init__.py"):
            assert re.search(rf"\b{path.parent.name}\b", picture), f"the picture lacks {package}/{path.parent.name}"


def test_the_backend_has_at_most_ten_floors() -> None:
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split('containers = ["backend"]')[1]
    layers = re.findall(r'^    "([\w |]+)",$', contract.split("]")[0], flags=re.MULTILINE)
    assert layers[0] == "__main__" and len(layers) - 1 <= MOST_FLOORS


def test_files_and_functions_keep_their_limits() -> None:
    over = []
    for path in sources():
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        if text.count("\n") > MOST_LINES:
            over.append(f"{name}: {text.count(chr(10))} lines")
        for function in functions(path):
            if body_lines(function) > MOST_BODY or parameters(function) > MOST_PARAMETERS:
                over.append(f"{name}:{function.lineno} {function.name}")
    assert not over, over


def test_no_folder_is_crowded() -> None:
    folders = [path.parent for path in sources()]
    crowded = {str(folder.relative_to(ROOT)): folders.count(folder) for folder in set(folders)}
    assert not {name: count for name, count in crowded.items() if count > MOST_FILES}


def test_test_names_are_short() -> None:
    tests = [path for path in sources() if path.is_relative_to(ROOT / "tests")]
    names = {function.name for path in tests for function in functions(path) if function.name.startswith("test_")}
    assert not {name for name in names if len(name) > 60}


def test_no_test_imports_benchmarks() -> None:
    for path in sources():
        if path.is_relative_to(ROOT / "tests"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"^\s*(?:from|import) benchmarks\b", text, flags=re.MULTILINE), path
