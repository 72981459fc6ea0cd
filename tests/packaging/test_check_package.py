"""`make check-package`: the zip passes, and every rule finds what breaks it."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

import pytest

from tools import check_package, package
from tools.check_package import check, check_code, check_metadata, check_zip

ROOT = Path(__file__).resolve().parents[2]
METADATA = (ROOT / "metadata.txt").read_text(encoding="utf-8")
ICON = {"resources/icons/sardino.svg"}


@pytest.mark.slow
def test_the_zip_passes(archive: Path) -> None:
    assert check(archive) == []


def without(key: str) -> str:
    """Return metadata.txt without a key and its continuation lines."""
    return re.sub(rf"^{key}=.*\n(?:[ \t]+.*\n)*", "", METADATA, flags=re.MULTILINE)


@pytest.mark.parametrize("key", [*check_package.REQUIRED_KEYS, *check_package.WANTED_KEYS])
def test_a_missing_key_is_reported(key: str) -> None:
    names = ICON | {""}  # a missing icon is said once
    assert list(check_metadata(without(key), names)) == [f"metadata.txt: {key} is missing or empty"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("version", "one"), ("qgisMinimumVersion", "latest"), ("qgisMaximumVersion", "4"), ("email", "nobody"),
     ("tracker", "ask me"), ("homepage", "ftp://x.org"), ("experimental", "maybe"), ("name", "Karte für alle"),
     ("name", "Land cover plugin"), ("icon", "icon.png"), ("about", "A <b>bold</b> one"),
     ("description", "x" * 501)],
)  # fmt: skip
def test_values_of_the_wrong_form_are_reported(key: str, value: str) -> None:
    changed = without(key).replace("[general]", f"[general]\n{key}={value}")
    found = list(check_metadata(changed, ICON))
    assert len(found) == 1 and key in found[0]


def test_invalid_metadata_is_reported() -> None:
    assert "can't be read" in next(check_metadata("name=x", ICON))


ENTRIES = {
    "sardino_qgis/__init__.py": b"",
    "sardino_qgis/LICENSE": b"x",
    "sardino_qgis/metadata.txt": METADATA.encode(),
    "sardino_qgis/resources/icons/sardino.svg": b"<svg/>",
}


def pack(path: Path, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**ENTRIES, **more}.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("other/x.py", b"", "outside"),
        ("sardino_qgis/../x.py", b"", "outside"),
        ("sardino_qgis/.git/config", b"", "hidden"),
        ("sardino_qgis/a/__pycache__/x.txt", b"", "cache"),
        ("sardino_qgis/tool.exe", b"MZ\x90\x00\x03", "binary"),
        ("sardino_qgis/x.txt", b"\xff\xfe", "binary"),
        ("sardino_qgis/resources/models/x/extra.bin", b"\x00", "binary"),
        ("sardino_qgis/x.qm", b"\xff", "binary"),
        ("sardino_qgis/i18n/x_es.ts", b"<TS/>", "not compiled"),
        ("sardino_qgis/x.py", b"match x:\n    case 1: pass\n", "not Python 3.9"),
    ],
)
def test_forbidden_entries_are_reported(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    assert list(check_zip(pack(tmp_path / "good.zip"))) == []
    found = list(check_zip(pack(tmp_path / "bad.zip", **{name: content})))
    assert len(found) == 1 and match in found[0] and name in found[0]


def test_weights_sample_pictures_and_translations_may_be_binary(tmp_path: Path) -> None:
    names = ("resources/models/a/model.safetensors", "resources/sample/s.tif", "resources/icons/i.png",
             "i18n/x_es.qm")  # fmt: skip
    assert list(check_zip(pack(tmp_path / "x.zip", **{f"sardino_qgis/{n}": b"\x00\xff" for n in names}))) == []


def test_links_missing_files_size_and_no_zip(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("sardino_qgis/link.txt")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    found = list(check_zip(path, limit=10))
    assert [line.split(" ")[-1] for line in found if "missing" in line] == ["missing"] * 3
    assert any("is a link" in line for line in found) and any("takes 10" in line for line in found)
    # Such a zip is not unpacked for the scanners.
    assert check(path) == list(check_zip(path))
    path.write_bytes(b"no zip")
    assert "is no zip" in check(path)[0]


def test_scanners_report_their_findings(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import subprocess\nsubprocess.run('ls', shell=True)\n")
    # Assembled here, so that no scanner reports this test.
    (tmp_path / "keys.py").write_text("aws = '" + "AKIA" + "IOSFODNN7EXAMPLQ" + "'\n")
    (tmp_path / "card.json").write_text('{"weights_sha256": "' + "0123456789abcdef" * 4 + '"}')
    found = list(check_code(tmp_path))
    assert any(line.startswith("bandit B602: ./bad.py:2") for line in found)
    assert any(line.startswith("detect-secrets: keys.py:1: AWS") for line in found)
    assert not any("card.json" in line for line in found)


def test_a_scanner_that_is_not_installed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(package.PackageError, match="make setup"):
        check_package.run_json("no_such_scanner", cwd=tmp_path)
