"""Update the translations from the code: `make translations`.

    .venv/bin/python -m tools.translations [LANGUAGE ...]      # adds a language that doesn't exist yet

Every text in a `tr("…")` of the plugin gets an entry in each sardino_qgis/i18n/sardino_*.ts (Qt Linguist's format);
entries that the code no longer has are removed. They are in the order of the code, without line numbers, so that a
changed text changes only its entry. If lrelease is installed, .qm files are compiled (ignored by git), and a QGIS that
runs this checkout shows the language. The backend's messages have files of their own, sardino_qgis/i18n/backend_*.json
(`tools.backend_messages`), which need no compiling.

Python's own parser finds the texts. Other extractors fail: Qt 5's lupdate reads no Python; pylupdate6 and Qt 6's
lupdate take `tr` for a method, whose context is its class (here it is a function with one context); Babel works on
tokens, and before Python 3.12 misses texts inside f-strings.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tools import backend_messages
from tools.lrelease import HINT, LreleaseError, compiled, find_lrelease
from tools.package import FOLDER, ROOT

CONTEXT = "SarDino"  # sardino_qgis/common/i18n.py
FOLDER_OF_TEXTS = Path(FOLDER, "i18n")
STEM = "sardino"
ALIKE = 0.7  # of 1: the translation of a text that is gone is kept as a draft for one that is as alike as this


class ExtractionError(Exception):
    """Signal that a text can't be extracted from the code; the message says where."""


def texts_in(node: ast.AST, name: str) -> Iterator[str]:
    """Yield the texts given to `tr` below `node`, in the order of the code; `name` is the file, for errors.

    Raises:
        ExtractionError: The argument of `tr` is not one plain text.
    """
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
        text = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
            raise ExtractionError(f"{name}:{node.lineno}: tr takes one plain text; use .format after it for values")
        yield text.value
    for child in ast.iter_child_nodes(node):
        yield from texts_in(child, name)


def source_texts(root: Path) -> list[str]:
    """Return the texts to translate, each once: files by name, texts in the order of the code.

    Raises:
        ExtractionError: As for `texts_in`.
    """
    found: dict[str, None] = {}
    for path in sorted((root / FOLDER).rglob("*.py")):
        name = str(path.relative_to(root))
        found.update(dict.fromkeys(texts_in(ast.parse(path.read_text(encoding="utf-8"), name), name)))
    return list(found)


def read(path: Path) -> dict[str, tuple[str, bool]]:
    """Return the entries of a .ts file: source -> translation, and whether it is finished."""
    entries = {}
    for message in ElementTree.parse(path).iterfind("context/message"):
        translation = message.find("translation")
        finished = translation is not None and translation.get("type") is None
        entries[message.findtext("source", "")] = (message.findtext("translation", ""), finished)
    return entries


def merged(texts: Iterable[str], known: dict[str, tuple[str, bool]]) -> dict[str, tuple[str, bool]]:
    """Return the entries for `texts`. A new text has no translation, or as a draft that of the text it replaces."""
    texts = list(texts)
    gone = [text for text in known if text not in texts and known[text][0]]
    entries = {}
    for text in texts:
        if text in known:
            entries[text] = known[text]
        else:
            like = difflib.get_close_matches(text, gone, n=1, cutoff=ALIKE)
            entries[text] = (known[like[0]][0] if like else "", False)
    return entries


def document(entries: dict[str, tuple[str, bool]], language: str) -> str:
    """Return a .ts file in the layout of Qt Linguist."""
    root = ElementTree.Element("TS", version="2.1", language=language, sourcelanguage="en")
    root.text = root.tail = "\n"
    context = ElementTree.SubElement(root, "context")
    ElementTree.SubElement(context, "name").text = CONTEXT
    for source, (translation, finished) in entries.items():
        message = ElementTree.SubElement(context, "message")
        ElementTree.SubElement(message, "source").text = source
        state = {} if finished else {"type": "unfinished"}
        ElementTree.SubElement(message, "translation", state).text = translation
    ElementTree.indent(context, "    ")
    context.tail = "\n"
    return '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n' + ElementTree.tostring(root, encoding="unicode")


def updated(path: Path, texts: list[str]) -> str:
    """Return the new content of `path`, a .ts file that may not exist yet, for the texts of the code."""
    known = read(path) if path.is_file() else {}
    return document(merged(texts, known), path.stem.partition("_")[2])


def unfinished(path: Path) -> list[str]:
    """Return the sources of a .ts file that have no translation or only a draft."""
    return [source for source, (translation, finished) in read(path).items() if not (finished and translation)]


def _report(path: Path, count: int, left: Sequence[str]) -> None:
    print(f"{path.relative_to(ROOT)}: {count} texts, {len(left)} to be translated")
    for source in left:
        print(f"  {source if len(source) < 100 else source[:99] + '…'}")


def _update_messages(folder: Path, languages: Sequence[str]) -> None:
    """Update the files of the backend's messages."""
    templates = backend_messages.messages(ROOT / "backend")
    stem = backend_messages.STEM
    begun = (folder / f"{stem}_{language}.json" for language in languages)
    for path in sorted({*folder.glob(f"{stem}_*.json"), *begun}):
        text = backend_messages.updated(templates, backend_messages.read(path))
        path.write_text(text, encoding="utf-8", newline="\n")
        _report(path, len(templates), backend_messages.unfinished(backend_messages.read(path)))


def main() -> int:
    """Update and compile all translations; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.translations", description=__doc__.splitlines()[0])
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help="languages to begin, such as fr or pt_BR")
    languages = parser.parse_args().languages
    folder = ROOT / FOLDER_OF_TEXTS
    try:
        texts = source_texts(ROOT)
    except ExtractionError as error:
        print(f"translations: {error}", file=sys.stderr)
        return 1
    paths = sorted({*folder.glob(f"{STEM}_*.ts"), *(folder / f"{STEM}_{language}.ts" for language in languages)})
    for path in paths:
        path.write_text(updated(path, texts), encoding="utf-8", newline="\n")
        _report(path, len(texts), unfinished(path))
    _update_messages(folder, languages)
    if find_lrelease() is None:
        print(f"not compiled; to see them in QGIS, {HINT}")
        return 0
    try:
        for path in paths:
            path.with_suffix(".qm").write_bytes(compiled(path))
    except LreleaseError as error:
        print(f"translations: {error}", file=sys.stderr)
        return 1
    print("compiled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
