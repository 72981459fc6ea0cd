"""The plugin zip holds what it should, and the same bytes each time."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backend.card.registry import DEFAULT_MODEL
from tools import package

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def general() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    return parser["general"]


def test_holds_one_folder_with_all_it_needs(names: list[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"sardino_qgis"}
    inside = {name.split("/", 1)[1] for name in names}
    for wanted in ("__init__.py", "metadata.txt", "LICENSE", "requirements.txt", "requirements-pytorch.txt",
                   "requirements-mapping-locked.txt", "requirements-pytorch-locked.txt",
                   "environment/__main__.py", "backend/__main__.py",
                   "backend/own_classes/command.py", "resources/sample/simulated_s1.tif"):  # fmt: skip
        assert wanted in inside
    assert not [name for name in inside if name.startswith("training/")], "the plugin trains own classes by the backend"
    models = {name.split("/")[2] for name in inside if name.startswith("resources/models/")}
    assert DEFAULT_MODEL in models, "the model used where none is named is not bundled"
    for model in models:
        assert {f"resources/models/{model}/card.json", f"resources/models/{model}/model.safetensors"} <= inside


def test_holds_nothing_it_should_not(names: list[str]) -> None:
    for name in names:
        assert not re.search(r"(^|/)(\.|__pycache__|tests/|build/|shared/)|\.py[co]$|\.part$", name), name
    assert len(names) == len(set(names))


def test_fits_the_plugin_repository(archive: Path) -> None:
    assert archive.stat().st_size <= 25_000_000


def test_a_zip_too_large_is_refused_and_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(package.PackageError, match=r"takes 1,000 at most.*largest files"):
        package.write_zip(ROOT, tmp_path / "plugin.zip", limit=1000)
    assert not list(tmp_path.iterdir())


def test_the_same_files_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert package.write_zip(ROOT, tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def minimal_checkout(root: Path) -> Path:
    for name in ("sardino_qgis/__init__.py", "backend/__main__.py", "metadata.txt", "LICENSE"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return root


def test_outside_git_all_but_byte_code_is_packed(tmp_path: Path) -> None:
    root = minimal_checkout(tmp_path)
    (root / "backend" / "__pycache__").mkdir()
    (root / "backend" / "__pycache__" / "x.cpython-311.pyc").write_text("x")
    assert list(package.plan(root)) == ["LICENSE", "__init__.py", "backend/__main__.py", "metadata.txt"]


def test_in_git_untracked_files_stay_out(tmp_path: Path) -> None:
    root = minimal_checkout(tmp_path)
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    (root / "backend" / "notes.txt").write_text("x")
    (root / "LICENSE").unlink()
    with pytest.raises(package.PackageError, match="LICENSE"):
        package.plan(root)
    (root / "LICENSE").write_text("x")
    assert "backend/notes.txt" not in package.plan(root)


def test_two_files_for_one_place_are_refused(tmp_path: Path) -> None:
    root = minimal_checkout(tmp_path)
    (root / "sardino_qgis" / "LICENSE").write_text("x")
    with pytest.raises(package.PackageError, match="both go to sardino_qgis/LICENSE"):
        package.plan(root)


def test_a_foreign_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "sardino_qgis").mkdir()
    (tmp_path / "sardino_qgis" / "thesis.txt").write_text("x")
    with pytest.raises(package.PackageError, match="no packed plugin"):
        package.write_folder(ROOT, tmp_path)
    with pytest.raises(package.PackageError, match="no packed plugin"):
        package.write_folder(ROOT, ROOT)
    assert (tmp_path / "sardino_qgis" / "thesis.txt").exists()


def test_only_pictures_that_are_shown_are_packed(tmp_path: Path) -> None:
    root = minimal_checkout(tmp_path)
    (root / "docs" / "images").mkdir(parents=True)
    (root / "docs" / "a.md").write_text("# A\n![seen](images/seen.png)")
    for name in ("seen", "unseen"):
        (root / "docs" / "images" / f"{name}.png").write_bytes(b"x")
    assert [name for name in package.plan(root) if name.startswith("docs/")] == ["docs/a.html", "docs/images/seen.png"]


def test_without_markdown_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "markdown", None)
    with pytest.raises(package.PackageError, match="make package"):
        package.write_zip(ROOT, tmp_path / "plugin.zip")


def test_metadata_has_what_the_plugin_repository_demands(general: configparser.SectionProxy) -> None:
    for key in ("name", "description", "about", "version", "qgisMinimumVersion", "author", "email", "tracker",
                "repository", "homepage", "tags", "icon", "changelog"):  # fmt: skip
        assert general.get(key, "").strip(), f"metadata.txt: {key} is missing or empty"
    assert general["name"] == "SAR Land Cover (DINO)"
    assert general.getboolean("hasProcessingProvider")
    assert general["description"].isascii() and "<" not in general["about"] + general["description"]


def test_icon_is_in_the_zip(general: configparser.SectionProxy, names: list[str]) -> None:
    assert f"sardino_qgis/{general['icon']}" in names


def test_one_version_everywhere(general: configparser.SectionProxy) -> None:
    assert 'version = { attr = "backend.__version__" }' in (ROOT / "pyproject.toml").read_text()
    assert re.search(rf"^## \[?{re.escape(general['version'])}\b", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assigned = [
        node.value.value
        for node in ast.parse((ROOT / "backend" / "__init__.py").read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
        if isinstance(node.value, ast.Constant)
    ]
    assert assigned == [general["version"]]
