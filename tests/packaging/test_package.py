"""The plugin zip: what is in it, that it is the same each time, and that it runs from a fresh QGIS profile."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from backend.card.registry import DEFAULT_MODEL
from tests.support.make_safe import Scene, make_safe, zip_safe
from tools import help_pages, package, qgis_cli
from tools.qgis_cli import QgisError, QgisProcess, find_qgis_process

ROOT = Path(__file__).resolve().parents[2]

# The rasters made are read with osgeo, which an environment made WITHOUT_QGIS lacks, whatever the machine has.
HAS_QGIS = find_qgis_process() is not None and importlib.util.find_spec("osgeo") is not None
needs_qgis = pytest.mark.skipif(not HAS_QGIS, reason="qgis_process or this Python's osgeo is not installed")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.write_zip(ROOT, tmp_path_factory.mktemp("zip") / "plugin.zip")


@pytest.fixture(scope="module")
def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


@pytest.fixture(scope="module")
def general() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    return parser["general"]


# --- Contents -------------------------------------------------------------------------------------------------


def test_holds_one_folder_with_all_it_needs(names: list[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"sardino_qgis"}
    inside = {name.split("/", 1)[1] for name in names}
    for wanted in ("__init__.py", "metadata.txt", "LICENSE", "requirements.txt", "requirements-locked.txt",
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


def test_outside_git_the_working_tree_is_packed_without_byte_code(tmp_path: Path) -> None:
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


# --- Pages of help ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(archive: Path) -> dict[str, str]:
    """Pages by name below docs/."""
    with zipfile.ZipFile(archive) as opened:
        found = [name for name in opened.namelist() if name.startswith("sardino_qgis/docs/") and name.endswith(".html")]
        return {name.split("/docs/")[1]: opened.read(name).decode() for name in found}


def test_pages_of_help_are_html_whose_links_lead_somewhere(pages: dict[str, str], names: list[str]) -> None:
    assert {"index.html", "algorithms.html", "models.html", "accuracy.html", "installation.html"} <= pages.keys()
    assert not [name for name in names if "/docs/" in name and name.endswith(".md")]
    for name, page in pages.items():
        assert page.startswith("<!DOCTYPE html>") and "<h1" in page, name
        for target, section in re.findall(r'(?:href|src)="(?!https?:|mailto:)([^"#]*)(?:#([^"]*))?"', page):
            linked = target or name
            assert f"sardino_qgis/docs/{linked}" in names, f"{name} links to {linked}, which is not in the zip"
            assert not section or f'id="{section}"' in pages[linked], f"{name}: no section {section} in {linked}"
    assert all(f'href="{name}"' in pages["index.html"] for name in pages if name != "index.html")


def test_sections_that_the_algorithms_name_are_there(pages: dict[str, str]) -> None:
    named = [
        re.search(r"^    HELP = \((.*)\)$", path.read_text(), re.M)
        for path in (ROOT / "sardino_qgis" / "algorithms").glob("*.py")
    ]
    places = [re.findall(r'"([^"]+)"', found[1]) for found in named if found]
    assert len(places) >= 5
    for name, *sections in places:
        assert f"{name}.html" in pages
        assert all(f'id="{section}"' in pages[f"{name}.html"] for section in sections)


def test_links_between_pages_follow_them_and_others_become_text() -> None:
    page = help_pages.page("# T & <i>t</i>\n[a](b.md#c) [x](../secret.md) [w](https://example.org/) [z](q.md)", {"b"})
    assert '<a href="b.html#c">a</a> x <a href="https://example.org/">w</a> z' in page
    assert "<title>T &amp; t</title>" in page


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


# --- Metadata -------------------------------------------------------------------------------------------------


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


# --- As a user gets it ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> QgisProcess:
    """A fresh QGIS profile with the zip unpacked where the plugin manager unpacks it, far from the checkout."""
    profile = tmp_path_factory.mktemp("qgis")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(profile / "profiles" / "default" / "python" / "plugins")
    qgis = QgisProcess(profile, worker=Path(sys.executable))
    qgis.enable("sardino_qgis", "processing")
    return qgis


@needs_qgis
def test_landcover_runs_from_the_installed_zip(installed: QgisProcess, sample_scene: Path, tmp_path: Path) -> None:
    output = tmp_path / "landcover.tif"
    results = installed.run("sardino:landcover", INPUT=sample_scene, OUTPUT=output)
    assert Path(results["OUTPUT"]) == output
    info, expected = gdalinfo(output), gdalinfo(sample_scene)
    assert info["size"] == expected["size"]
    assert info["geoTransform"] == expected["geoTransform"]
    assert info["coordinateSystem"]["wkt"] == expected["coordinateSystem"]["wkt"]
    assert info["bands"][0]["noDataValue"] == 0
    assert info["bands"][0]["colorTable"]


@needs_qgis
def test_attention_runs_from_the_installed_zip(installed: QgisProcess, sample_scene: Path, tmp_path: Path) -> None:
    output = tmp_path / "attention.tif"
    results = installed.run("sardino:attention", INPUT=sample_scene, OUTPUT=output)
    assert Path(results["OUTPUT"]) == output
    assert gdalinfo(output)["size"] == gdalinfo(sample_scene)["size"]


@needs_qgis
def test_embeddings_and_similarity_run_from_the_installed_zip(
    installed: QgisProcess, sample_scene: Path, tmp_path: Path
) -> None:
    scene, embeddings, similarity = gdalinfo(sample_scene), tmp_path / "embeddings.tif", tmp_path / "similarity.tif"
    extent = scene["cornerCoordinates"]
    (left, top), (x, y) = extent["upperLeft"], extent["center"]
    part = f"{left},{x},{y},{top}"
    installed.run("sardino:embeddings", INPUT=sample_scene, EXTENT=part, OUTPUT=embeddings)
    info = gdalinfo(embeddings)
    assert len(info["bands"]) == 192
    assert info["geoTransform"] == [v * 8 if i in (1, 5) else v for i, v in enumerate(scene["geoTransform"])]
    point = f"{x - 200},{y + 200}"
    installed.run("sardino:similarity", INPUT=sample_scene, EXTENT=part, POINT=point, OUTPUT=similarity)
    info = gdalinfo(similarity)
    assert info["geoTransform"] == scene["geoTransform"]
    assert info["size"] == [-(-side // 2) for side in scene["size"]]


@needs_qgis
def test_an_added_model_runs_by_its_name_whatever_dialogs_remember(
    installed: QgisProcess, sample_scene: Path, tmp_path: Path
) -> None:
    mine = shutil.copytree(ROOT / "resources" / "models" / DEFAULT_MODEL, tmp_path / "my-model")
    settings = Path(installed.environment["QGIS_CUSTOM_CONFIG_PATH"]) / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    before = settings.read_text()
    # With amplitude the run would be refused: the scene is in dB.
    settings.write_text(f"{before}\n[sardino]\nmodels={mine}\nlast\\landcover\\UNITS=amplitude\n")
    try:
        output = tmp_path / "o.tif"
        results = installed.run("sardino:landcover", INPUT=sample_scene, MODEL="my-model", OUTPUT=output)
    finally:
        settings.write_text(before)
    assert results["MODEL_USED"] == DEFAULT_MODEL and output.is_file()


@needs_qgis
def test_own_classes_are_learnt_and_mapped_from_the_installed_zip(
    installed: QgisProcess, sample_scene: Path, tmp_path: Path
) -> None:
    """Points on the labels of a corner of the sample scene; the model learnt from them maps that corner."""
    from osgeo import gdal

    labels = gdal.Open(str(sample_scene.with_name("simulated_s1_labels.tif")))
    left, across, _, top, _, down = labels.GetGeoTransform()
    values, top = labels.ReadAsArray(0, 256, 128, 128), top + 256 * down
    common = sorted({int(value) for value in values[8::16, 8::16].ravel()})
    features = [
        {
            "type": "Feature",
            "properties": {"class": int(values[row, column])},
            "geometry": {"type": "Point", "coordinates": [left + (column + 0.5) * across, top + (row + 0.5) * down]},
        }
        for row in range(8, 128, 16)
        for column in range(8, 128, 16)
    ]
    epsg = f"EPSG:{labels.GetSpatialRef().GetAuthorityCode(None)}"
    named = {"type": "name", "properties": {"name": epsg}}
    samples, model, output = tmp_path / "samples.geojson", tmp_path / "my model", tmp_path / "own.tif"
    samples.write_text(json.dumps({"type": "FeatureCollection", "crs": named, "features": features}))
    results = installed.run("sardino:trainclassifier", INPUT=sample_scene, SAMPLES=samples, FIELD="class", OUTPUT=model)
    assert 0 <= results["ACCURACY"] <= 1 and results["BLOCKS"] >= 2
    card = json.loads((model / "card.json").read_text())
    assert [item["value"] for item in card["classes"]] == common
    part = f"{left},{left + 128 * across},{top + 128 * down},{top}"
    installed.run("sardino:landcover", INPUT=sample_scene, MODEL=model, EXTENT=part, OUTPUT=output)
    found = gdal.Open(str(output)).ReadAsArray()
    assert found.shape == values.shape and (found == values).mean() > 0.6


@needs_qgis
def test_a_product_as_downloaded_is_calibrated_and_mapped(installed: QgisProcess, tmp_path: Path) -> None:
    product = make_safe(tmp_path, Scene(shape=(40, 50)))
    packed = zip_safe(product, tmp_path / "product.zip")
    installed.run("sardino:calibrate", INPUT=packed, PRODUCT="sigma0", UNITS="db", OUTPUT=tmp_path / "zip.tif")
    info = gdalinfo(tmp_path / "zip.tif")
    assert [band["description"] for band in info["bands"]] == ["VV", "VH"]
    installed.run("sardino:landcover", INPUT=product / "manifest.safe", OUTPUT=tmp_path / "landcover.tif")
    assert gdalinfo(tmp_path / "landcover.tif")["geoTransform"] == info["geoTransform"]


@needs_qgis
def test_a_refusal_fails_the_command(installed: QgisProcess, tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(QgisError, match="exited with status"):
        installed.run("sardino:landcover", INPUT=tmp_path / "text.tif", OUTPUT=tmp_path / "out.tif")
    assert not (tmp_path / "out.tif").exists()


def test_a_program_that_prints_no_results_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "qgis_process"
    program.write_text("#!/bin/sh\necho Segmentation of nothing\n")
    program.chmod(0o755)
    monkeypatch.setattr(qgis_cli, "find_qgis_process", lambda: str(program))
    with pytest.raises(QgisError, match=r"(?s)no results:.*of nothing"):
        QgisProcess(tmp_path / "profile").run("sardino:landcover")


def gdalinfo(path: Path) -> dict[str, Any]:
    """What GDAL says of a raster, from a process of its own: this one may hold another GDAL already."""
    code = "import json, sys; from osgeo import gdal; print(json.dumps(gdal.Info(sys.argv[1], format='json')))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    info: dict[str, Any] = json.loads(done.stdout)
    return info
