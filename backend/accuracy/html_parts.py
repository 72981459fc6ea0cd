"""Format the parts that HTML reports have in common: style, tables, lists. Texts are escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from html import escape
from typing import Any

from backend import PROGRAM

STYLE = """
body { font-family: sans-serif; font-size: 14px; color: #222; max-width: 1100px; margin: 1.5em auto; padding: 0 1em; }
h1 { font-size: 22px; margin-bottom: 4px; } h2 { font-size: 17px; margin: 1.8em 0 0.5em; }
table { border-collapse: collapse; } th, td { padding: 4px 9px; border: 1px solid #d5d9de; text-align: right; }
th { background-color: #f1f3f5; font-weight: 600; } th.name, td.name { text-align: left; }
table.key td { text-align: center; padding: 10px 22px; } table.key big { font-size: 24px; }
small, .faint { color: #667; } li { margin: 4px 0; }
"""
DASH = "–"


def document_head() -> dict[str, Any]:
    """Return what every document of figures begins with: version of its form, program, date and time (UTC)."""
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"schema_version": 1, "program": PROGRAM, "date": date}


def as_json(facts: Mapping[str, Any]) -> str:
    """Format every figure as JSON."""
    return json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def page(title: str, about: Sequence[str], facts: Mapping[str, Any], parts: Iterable[str], style: str = "") -> str:
    """Return a whole page without scripts or external files.

    Args:
        title: Of the page.
        about: Lines below the title, such as the inputs; date and program follow.
        facts: With `document_head`.
        parts: HTML.
        style: Further rules.
    """
    head = f"<meta charset='utf-8'><title>{escape(title)}</title><style>{STYLE}{style}</style>"
    lines = [*about, f"{facts['date']}, {facts['program']}"]
    top = [f"<h1>{escape(title)}</h1>", f"<p class='faint'>{'<br>'.join(map(escape, lines))}</p>"]
    body = "\n".join([*top, *parts])
    return f"<!DOCTYPE html>\n<html lang='en'><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts, with the first column left-aligned."""
    kinds = [" class='name'"] + [""] * (len(heads) - 1)
    head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(kinds, heads))
    lines = ["".join(f"<td{kind}>{escape(text)}</td>" for kind, text in zip(kinds, row)) for row in rows]
    return f"<table><tr>{head}</tr>" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def listed(title: str, items: Sequence[str]) -> list[str]:
    """Return a heading and a list, or nothing without items."""
    lines = "".join(f"<li>{escape(item)}</li>" for item in items)
    return [f"<h2>{escape(title)}</h2>", f"<ul>{lines}</ul>"] if items else []
