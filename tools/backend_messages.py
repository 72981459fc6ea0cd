"""Find the texts that the backend shows to users, as templates such as "{path} has {count} bands.".

Python's own parser reads `backend/`. A text is the message or hint of an error, a line of the log, or any other string
of several words: parts of messages ("a zip without rasters"), notes, class names. Inserted values are named after the
expression that is inserted. Left out: docstrings, the help of the command line, and what NOT_SHOWN names.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

ERRORS = frozenset({
    "SarDinoError", "InputError", "UnreadableError", "NothingValidError", "ModelError", "ResourceError", "Cancelled",
})  # fmt: skip
# Files that write documents or SQL, describe the command line, run from a shell only, or hold the words of names.
NOT_SHOWN = (
    "__init__.py", "accuracy/report.py", "accuracy/html_parts.py", "change/maps_report.py", "change/sar_report.py",
    "vectors/geopackage.py",
    "archive/*.py", "mosaic/*.py", "card/mlm.py", "cli/commands/*.py", "cli/info.py", "cli/options.py",
    "cli/shared_options.py", "card/tensors.py", "graph/*.py", "network/*.py", "card/stac.py", "card/deepness.py",
)  # fmt: skip
# In these files only arguments of errors and of the log, and sentences, are texts: the rest are names, cards, tags.
LITTLE_SHOWN = (
    "raster/band_names.py", "card/colours.py", "card/arch.py", "card/validation.py", "card/network_file.py",
    "card/model_card.py", "core/events.py", "change/outputs.py", "series/write.py",
)  # fmt: skip
# All strings of these are shown: names of one word too.
NAMES = ("card/worldcover.py", "grd/terrain/layers.py")
NOT_ARGUMENTS = frozenset({"help", "description", "epilog", "metavar", "usage", "prog"})
_WORDS = re.compile(r"[A-Za-z]{2,}")
# Regular expressions, markup, parts of JSON, paths in XML, commands, projections, options, environment variables,
# lists of words.
_CODE = re.compile(
    r"\\[dwsb ]|\(\?|</|<!|\"features\": \[|\{\*\}|&& |\+proj"
    r"|^--|^[+#]|^[a-z0-9]+( [a-z0-9]+){9,}$|^[\w./]*/[\w./ ]*$|%[(ds]"
)
STEM = "backend"  # sardino_qgis/i18n/backend_es.json: template -> translation
DRAFT = "?? "  # sardino_qgis/common/backend_texts.py
ALIKE = 0.7  # of 1: the translation of a text that is gone is kept as a draft for one that is as alike as this
PLURAL = "plural"  # placeholder of an ending; sardino_qgis/common/backend_texts.py
MOST_PLACEHOLDER = 24  # characters of a name


def messages(backend: Path, only: Sequence[str] = ("*.py",)) -> list[str]:
    """Return the templates of all files below `backend`, each once: files by name, texts in the order of the code.

    Args:
        backend: The folder.
        only: Patterns of files.
    """
    found: dict[str, None] = {}
    for path in sorted(backend.rglob("*.py")):
        inside = path.relative_to(backend)
        if any(map(inside.match, only)) and not any(map(inside.match, NOT_SHOWN)):
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            found.update(dict.fromkeys(messages_in(tree, _test(inside))))
    return list(found)


def messages_in(tree: ast.Module, shown: Callable[[str], bool]) -> Iterator[str]:
    """Yield the templates of a file: of errors, of the log, and others that are `shown`."""
    skipped, said = set(_documentation(tree)), set(_explicit(tree))
    for node in _strings(tree, skipped):
        template = _template(node)
        if template and (shown(template) or node in said and _words(template)):
            yield template


def _test(path: PurePath) -> Callable[[str], bool]:
    """Return how texts differ from other strings in the file `path`."""
    if any(path.match(name) for name in NAMES):
        return lambda text: bool(re.fullmatch(r"[A-Z][a-z/ -]+", text))
    if any(path.match(name) for name in LITTLE_SHOWN):
        return lambda text: several_words(text) and text.endswith(".")
    return several_words


def _words(template: str) -> list[str]:
    return _WORDS.findall(re.sub(r"\{[^{}]*\}", " ", template))


def several_words(template: str) -> bool:
    """Return whether a string is a text: several words, or one with placeholders, and no code."""
    words = _words(template)
    literal = re.sub(r"\{[^{}]*\}", " ", template).strip()
    several = len(words) > 1 and len("".join(words)) > 7 and " " in literal
    one = "{" in template and " " in template and len("".join(words)) > 3
    return (several or one) and not _CODE.search(template)


def _documentation(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield docstrings and other strings that are statements."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Constant, ast.JoinedStr)):
            yield node.value


def _explicit(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the arguments of errors and of lines of the log."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ERRORS:
                yield from node.args[:2]
            elif name == "log":
                yield from node.args[1:2]


def _strings(node: ast.AST, skipped: set[ast.AST]) -> Iterator[ast.AST]:
    """Yield the strings below `node`: constants, f-strings, sums of them; then those inside f-strings.

    Strings that others are compared with are not shown.
    """
    if node in skipped or isinstance(node, ast.Compare):
        return
    if _template(node):
        yield node
        if isinstance(node, ast.Constant):
            return
        for inner in _inserted(node):
            yield from _strings(inner, skipped)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.keyword) and child.arg in NOT_ARGUMENTS:
            continue
        yield from _strings(child, skipped)


def _inserted(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the expressions whose values go into an f-string or a sum of strings."""
    if isinstance(node, ast.BinOp):
        for side in (node.left, node.right):
            yield from _inserted(side) if _template(side) else (side,)
    elif isinstance(node, ast.JoinedStr):
        yield from (part.value for part in node.values if isinstance(part, ast.FormattedValue))


def _template(node: ast.AST) -> str:
    """Return a string as a template; an empty one if `node` is none."""
    names: dict[str, str] = {}
    return _text(node, names) or ""


def _text(node: ast.AST, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value.replace("{", "{{").replace("}", "}}") if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part, names) or "" if isinstance(part, ast.Constant) else _placeholder(part, names)
            for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_text(part, names) for part in (node.left, node.right)]
        if any(parts):
            return "".join(
                part if part is not None else _name(side, names) for part, side in zip(parts, (node.left, node.right))
            )
    return None


def _placeholder(part: ast.AST, names: dict[str, str]) -> str:
    return _name(part.value, names) if isinstance(part, ast.FormattedValue) else ""


def _name(value: ast.AST, names: dict[str, str]) -> str:
    """Return the placeholder of an inserted expression: its last name, the same for equal expressions."""
    source = ast.unparse(value)
    if source not in names:
        words = [word.strip("_").lower() for word in _names(value)]
        name = (words[-1] if words else "value")[:MOST_PLACEHOLDER]
        if source.startswith(("'s' *", "'es' *")):
            name = PLURAL
        numbers = (f"{name}{number}" for number in range(2, 100))
        names[source] = next(text for text in (name, *numbers) if text not in names.values())
    return f"{{{names[source]}}}"


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the names of variables and attributes in an expression, but for functions and methods."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield from _names(node.func.value)
        for argument in node.args:
            yield from _names(argument)
        return
    # In `a if b else c`, a comes last.
    for child in [node.test, node.orelse, node.body] if isinstance(node, ast.IfExp) else ast.iter_child_nodes(node):
        yield from _names(child)
    if isinstance(node, ast.Name) and node.id not in ("self", "repr", "str"):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr


def read(path: Path) -> dict[str, str]:
    """Return the translations of a file by template; none if there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def updated(templates: Sequence[str], known: Mapping[str, str]) -> str:
    """Return the content of a file for `templates`, in their order, with the translations that are `known`.

    A new text has an empty translation, or as a draft that of the text it replaces.
    """
    gone = [text for text in known if text not in set(templates) and known[text]]
    entries = {}
    for text in templates:
        like = [] if text in known else difflib.get_close_matches(text, gone, n=1, cutoff=ALIKE)
        entries[text] = known.get(text, DRAFT + known[like[0]].removeprefix(DRAFT) if like else "")
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def unfinished(entries: Mapping[str, str]) -> list[str]:
    """Return the templates without a translation, or with a draft."""
    return [text for text, translation in entries.items() if not translation or translation.startswith(DRAFT)]
