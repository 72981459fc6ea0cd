"""The translations: complete, true to the texts of the code, compiled into the zip, and spoken by a real QGIS."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import lrelease, package, translations
from tools.check_package import check_zip
from tools.qgis_cli import QgisProcess, find_qgis_process

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / translations.FOLDER_OF_TEXTS).glob("*.ts"))
HINT = "run `make translations`, then translate what it lists (docs/translating.md)"

needs_lrelease = pytest.mark.skipif(lrelease.find_lrelease() is None, reason="Qt's lrelease is not installed")
HAS_QGIS = find_qgis_process() is not None and importlib.util.find_spec("osgeo") is not None
needs_qgis = pytest.mark.skipif(not HAS_QGIS, reason="qgis_process or this Python's osgeo is not installed")
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


KEPT = re.compile(r"\{[^{}]*\}|</?\w+[^<>]*>|\n\n|(?<!\w)--?[a-z][\w-]+|SARDINO_\w+|[\w-]+\.(?:txt|json)")


def parts(text: str) -> Counter[str]:
    """What a translation must leave as it is: placeholders, HTML tags, paragraphs, a shell's and a program's words."""
    return Counter(KEPT.findall(text))


# --- The files ------------------------------------------------------------------------------------------------


def test_there_is_spanish() -> None:
    assert "sardino_es" in {path.stem for path in FILES}


@each_file
def test_holds_the_texts_of_the_code_and_no_others(path: Path) -> None:
    texts = translations.source_texts(ROOT)
    known = translations.read(path)
    assert [text for text in texts if text not in known] == [], f"not in {path.name}: {HINT}"
    assert [text for text in known if text not in texts] == [], f"no longer in the code: {HINT}"
    assert path.read_text(encoding="utf-8") == translations.updated(path, texts), f"not as it is written: {HINT}"


@each_file
def test_is_finished(path: Path) -> None:
    assert translations.unfinished(path) == [], HINT


@each_file
def test_keeps_what_is_no_language(path: Path) -> None:
    for source, (translation, finished) in translations.read(path).items():
        if not finished:
            continue  # the test above reports it
        assert parts(translation) == parts(source), f"{source!r}: {translation!r}"
        assert translation.strip() == translation or source.strip() != source, f"stray spaces: {translation!r}"


@each_file
def test_menu_entries_are_named_as_they_read(path: Path) -> None:
    entries = {source: translation for source, (translation, _) in translations.read(path).items()}
    menu = [text for text in entries if text.endswith("…") and len(text) < 40]
    assert "Set up backend…" in menu
    for source, translation in entries.items():
        for entry in menu:
            assert entry not in source or entries[entry] in translation, f"{source!r} names {entry!r}"


# --- Updating -------------------------------------------------------------------------------------------------


def code(root: Path, **files: str) -> Path:
    (root / "sardino_qgis").mkdir()
    for name, text in files.items():
        (root / "sardino_qgis" / f"{name}.py").write_text(text)
    return root


def test_texts_are_found_in_any_form(tmp_path: Path) -> None:
    first = """
def f(self):
    self.say(tr('one'), tr(
        'in two '
        "parts\\n\\u2026"
    ).format(tr('inside')))
    return tr('again'), translate('not this'), f"<p>{html.escape(tr('in an f-string, {}').format(1))}</p>"
"""
    root = code(tmp_path, a=first, b="def f():\n    return tr('again') + tr('last')\n")
    assert translations.source_texts(root) == [
        "one", "in two parts\n…", "inside", "again", "in an f-string, {}", "last",
    ]  # fmt: skip


@pytest.mark.parametrize("call", ["tr(text)", "tr(f'{n} px')", "tr('a' + b)", "tr('a', 'b')", "tr('a', n=2)", "tr()"])
def test_other_arguments_than_plain_text_are_reported(tmp_path: Path, call: str) -> None:
    with pytest.raises(translations.ExtractionError, match=r"sardino_qgis/a\.py:2: tr takes one plain text"):
        translations.source_texts(code(tmp_path, a=f"def f(text, n, b):\n    return {call}\n"))


def test_known_entries_stay_and_others_are_removed() -> None:
    known = {"Old": ("Viejo", True), "Same": ("Igual", True), "Begun": ("", False)}
    assert translations.merged(["New", "Same", "Begun"], known) == {
        "New": ("", False),
        "Same": ("Igual", True),
        "Begun": ("", False),
    }


def test_a_changed_text_keeps_its_translation_as_a_draft() -> None:
    known = {"The map is empty: no pixel is valid.": ("El mapa está vacío.", True), "Other": ("Otro", True)}
    text = "The map is empty: no pixels are valid."
    assert translations.merged([text], known) == {text: ("El mapa está vacío.", False)}


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    entries = {"a < b & 'c'\n\n\"d\"…": ("á > b", True), "New": ("", False), "Draft": ("Borrador", False)}
    path = tmp_path / "sardino_es.ts"
    path.write_text(translations.document(entries, "es"), encoding="utf-8")
    assert translations.read(path) == entries
    assert translations.unfinished(path) == ["New", "Draft"]
    assert translations.updated(path, list(entries)) == path.read_text(encoding="utf-8")


# --- Compiling ------------------------------------------------------------------------------------------------


@needs_lrelease
def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "sardino_xx.ts"
    source.write_text("<TS><context>")
    with pytest.raises(lrelease.LreleaseError, match=r"can't compile .*sardino_xx\.ts"):
        lrelease.compiled(source)
    with pytest.raises(package.PackageError, match=r"can't compile .*sardino_xx\.ts"):
        package.content({"i18n/sardino_xx.qm": source}, "i18n/sardino_xx.qm")


@needs_lrelease
def test_the_zip_holds_every_translation_compiled(tmp_path: Path) -> None:
    path = package.write_zip(ROOT, tmp_path / "plugin.zip")
    with zipfile.ZipFile(path) as archive:
        for source in FILES:
            assert archive.read(f"sardino_qgis/i18n/{source.stem}.qm").startswith(b"\x3c\xb8\x64\x18")
    assert list(check_zip(path)) == []


def test_without_lrelease_the_zip_is_english_and_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lrelease, "find_lrelease", lambda: None)
    path = package.write_zip(ROOT, tmp_path / "plugin.zip")
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".qm")]
    assert [line.split(":")[0] for line in check_zip(path)] == [
        f"sardino_qgis/i18n/{source.name} is not compiled" for source in FILES
    ]


def test_a_stub_of_lrelease_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's qtchooser puts an `lrelease` on PATH that fails where Qt's tools aren't installed."""
    for name, status in (("lrelease", 1), ("lrelease-qt6", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(lrelease, "FOLDERS", ())
    assert lrelease.find_lrelease() == str(tmp_path / "lrelease-qt6")
    (tmp_path / "lrelease-qt6").unlink()
    assert lrelease.find_lrelease() is None


# --- In QGIS --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The help of an algorithm in a QGIS of its own, by the system's language and the one that is set in QGIS."""
    folder = tmp_path_factory.mktemp("qgis")
    plugin = package.write_folder(ROOT, folder / "plugin")
    qgis = QgisProcess(folder / "profile", plugin_path=plugin.parent)
    qgis.enable("sardino_qgis", "processing")
    settings = next((folder / "profile").glob("profiles/default/QGIS/QGIS?.ini"))
    plain = settings.read_text()

    def ask(system: str, chosen: str = "") -> str:
        qgis.environment["LC_ALL"] = system
        settings.write_text(plain + (f"\n[locale]\noverrideFlag=true\nuserLocale={chosen}\n" if chosen else ""))
        return qgis.help("sardino:landcover")

    return ask


@needs_qgis
@needs_lrelease
@pytest.mark.parametrize(("system", "chosen"), [("es_MX.UTF-8", ""), ("de_DE.UTF-8", "es")])
def test_qgis_in_spanish_names_and_explains_in_spanish(speaking: Callable[..., str], system: str, chosen: str) -> None:
    said = speaking(system, chosen)
    assert said.startswith("Cobertura del suelo a partir de SAR (sardino:landcover)")
    assert "UNITS: Unidades" in said and "retrodispersión" in said
    assert "backscatter" not in said


@needs_qgis
@pytest.mark.parametrize(("system", "chosen"), [("fr_FR.UTF-8", ""), ("es_ES.UTF-8", "en_US")])
def test_qgis_in_other_languages_gets_english(speaking: Callable[..., str], system: str, chosen: str) -> None:
    said = speaking(system, chosen)
    assert said.startswith("Land cover from SAR (sardino:landcover)")
    assert "UNITS: Units" in said and "retrodispersión" not in said


def test_the_plugin_manager_has_all_translatable_texts() -> None:
    text = (ROOT / "metadata.txt").read_text(encoding="utf-8")
    for path in FILES:
        language = path.stem.partition("_")[2]
        for key in ("description", "about", "tags"):
            assert re.search(rf"^{key}\[{language}\]=\S", text, re.MULTILINE), f"metadata.txt: no {key}[{language}]"
