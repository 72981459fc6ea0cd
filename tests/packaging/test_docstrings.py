"""Docstrings begin with a verb in the imperative: "Return the …", not "The …", "Returns …" or "Number of …"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("backend", "training", "sardino_qgis", "tools", "benchmarks")
NO_VERB = set(
    "a an the one two all both each every another some several no its it this these that "
    "how what when where whether which who why "
    "as at by for from if in on of to with without "
    "own indices base options".split()
)
VERBS_IN_S = {"Process", "Pass", "Guess", "Compress", "Express", "Address", "Assess", "Discuss", "Press", "Cross"}


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield place and text of every docstring of the code, tests left out."""
    for path in (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node)
                if text:
                    yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", text


def begins_with_a_verb(text: str) -> bool:
    """Return whether a text may begin with a verb; words that can't be verbs are known, all verbs are not."""
    first, second = [*text.split()[:2], ""][:2]
    if not re.match(r"[A-Z][a-z-]+\b", first) or second == "of":
        return False
    return first.lower().strip(".,:;") not in NO_VERB and (first in VERBS_IN_S or not re.fullmatch(r"\w+s\W*", first))


def test_docstrings_begin_with_a_verb() -> None:
    found = [f"{place}: {text.splitlines()[0]}" for place, text in docstrings() if not begins_with_a_verb(text)]
    assert not found, "\n".join(["Begin with what it does, such as Return, Hold, Write:", *found])


def test_words_that_are_no_verb_are_found() -> None:
    assert begins_with_a_verb("Return the number of rows.") and begins_with_a_verb("Pre-train a backbone.")
    for text in ("The rows.", "Returns the rows.", "Number of rows.", "Rows.", "Width of a row.", "128 rows."):
        assert not begins_with_a_verb(text), text
