"""The backend's messages: all are found in its code, and each has a translation that keeps what is no language."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from tools import backend_messages

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "sardino_qgis" / "i18n").glob(f"{backend_messages.STEM}_*.json"))
HINT = "run `make translations`, then translate what it lists (docs/translating.md)"
# Files of `backend/` (patterns) whose messages are shown in English so far.
IN_ENGLISH: tuple[str, ...] = ()
PLACEHOLDER = re.compile(r"(?<!\{)\{(\w+)\}")
# Options, commands, settings and files, which are not translated.
KEPT = re.compile(r"(?<![\w}])--?[a-z][\w-]+|`[^`]+`|SARDINO_\w+|[\w-]+\.(?:json|safetensors|onnx|vrt)\b")

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def templates() -> list[str]:
    return backend_messages.messages(ROOT / "backend")


def test_there_is_spanish() -> None:
    assert "backend_es" in {path.stem for path in FILES}


@each_file
def test_holds_the_messages_of_the_code_and_no_others(path: Path, templates: list[str]) -> None:
    known = backend_messages.read(path)
    assert [text for text in templates if text not in known] == [], f"not in {path.name}: {HINT}"
    assert [text for text in known if text not in templates] == [], f"no longer in the code: {HINT}"
    assert path.read_text(encoding="utf-8") == backend_messages.updated(templates, known), f"not as written: {HINT}"


@each_file
def test_is_finished(path: Path) -> None:
    later = set(backend_messages.messages(ROOT / "backend", IN_ENGLISH)) if IN_ENGLISH else set()
    left = [text for text in backend_messages.unfinished(backend_messages.read(path)) if text not in later]
    assert left == [], HINT


@each_file
def test_keeps_what_is_no_language(path: Path) -> None:
    for source, translation in backend_messages.read(path).items():
        if not translation or translation.startswith(backend_messages.DRAFT):
            continue  # the test above reports it
        # Plurals may be left out.
        assert set(PLACEHOLDER.findall(translation)) <= set(PLACEHOLDER.findall(source)), translation
        assert sorted(KEPT.findall(translation)) == sorted(KEPT.findall(source)), f"{source!r}: {translation!r}"
        ends = [(text[: len(text) - len(text.lstrip())], text.endswith(" ")) for text in (source, translation)]
        assert ends[0] == ends[1], f"stray spaces: {translation!r}"


CODE = '''
"""A docstring of several words is not shown."""
KINDS = {".csv": ("a table of numbers", "Give another file.")}
PATTERN = re.compile(r"one (word) or \\d more")
def f(path, bands, reporter, parser):
    """Nor is this one."""
    parser.add_argument("--x", help="what an option does")
    reporter.log("warning", f"Left out: {len(bands)} bands of {path.name!r}" + (", all of them" if path else ""))
    if "words that are compared" in reporter.text:
        path.write_text("<!DOCTYPE some html>" + 'x, "features": [' + "cd folder && run this")
    raise InputError(f"{path} has {bands:d} bands{'s' * (bands != 1)}.", "Stop.")
'''


def test_messages_are_found_as_templates() -> None:
    found = list(backend_messages.messages_in(ast.parse(CODE), backend_messages.several_words))
    assert found == [
        "a table of numbers",
        "Give another file.",
        "Left out: {bands} bands of {name}{path}",
        ", all of them",
        "{path} has {bands} bands{plural}.",
        "Stop.",
    ]


def test_a_changed_message_keeps_its_translation_as_a_draft() -> None:
    known = {"The map has no pixels.": "El mapa no tiene píxeles.", "Gone for good.": "Se fue."}
    written = json.loads(backend_messages.updated(["The map has no pixel.", "New."], known))
    assert written == {"The map has no pixel.": "?? El mapa no tiene píxeles.", "New.": ""}
    assert backend_messages.unfinished(written) == ["The map has no pixel.", "New."]
