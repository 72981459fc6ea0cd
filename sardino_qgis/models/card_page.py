"""Render a model's card as HTML. Cards are untrusted: their text is escaped and limited in length."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..common.backend_texts import backend_text
from ..common.i18n import tr
from .installed import InstalledModel, plain, read_card

MAX_LINES = 60  # of a list or a table
MAX_COLUMNS, MAX_TABLES, MAX_DEPTH = 8, 20, 8  # of the figures
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_ABBREVIATIONS = {"iou": "IoU", "f1": "F1", "auc": "AUC", "ari": "ARI", "ece": "ECE", "knn": "k-NN"}
_THIS = "This model"  # name of the model itself in tables of benchmarks
_STYLE = (
    "<style>h2 { margin-bottom: 0; } h3 { margin-bottom: 2px; } th { text-align: left; }"
    "th, td { padding: 1px 7px 1px 0; }</style>"
)


def card_page(model: InstalledModel) -> str:
    """Return HTML with a model's training data, limits, accuracy, classes, input and licence."""
    card = read_card(model.folder)
    if not card:
        why = tr("This folder has no readable card.json. Remove the model, or copy its folder again.")
        return _head(model) + _paragraph(why)
    parts = (
        (tr("Trained on"), _list(card.get("trained_on"), tr("The card doesn't say."))),
        (tr("Limits"), _list([*_own_limits(card), *_input_limits(card)], "")),
        (tr("Accuracy"), _accuracy(card.get("metrics"))),
        (tr("Classes"), _classes(card.get("classes"))),
        (tr("Input"), _input(card)),
        (tr("Licence"), _paragraph(card.get("licence") or tr("The card names none."))),
    )
    return _head(model) + "".join(f"<h3>{_text(title)}</h3>{body}" for title, body in parts)


def unknown_page(value: str) -> str:
    """Return HTML for a value of the parameter MODEL that is no model."""
    return _paragraph(tr("There is no model or folder named {}.").format(plain(value, 200)))


def _head(model: InstalledModel) -> str:
    return f"{_STYLE}<h2>{_text(model.title)}</h2>" + _paragraph(model.folder)


def _text(value: Any) -> str:
    """Return `value` as escaped text."""
    return html.escape(plain(value))


def _paragraph(value: Any) -> str:
    return f"<p>{_text(value)}</p>"


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[dict]:
    return [item for item in _items(value) if isinstance(item, dict)]


def _bounded(lines: Iterable[str], wrap: str) -> str:
    """Join the first lines, and a line in `wrap` that says how many more there are."""
    lines = list(lines)
    more = len(lines) - MAX_LINES
    kept = lines[:MAX_LINES] + ([wrap.format(_text(tr("… and {} more in card.json").format(more)))] if more > 0 else [])
    return "".join(kept)


def _list(value: Any, otherwise: str) -> str:
    lines = [f"<li>{_text(item)}</li>" for item in _items(value)]
    return f"<ul>{_bounded(lines, '<li>{}</li>')}</ul>" if lines else _paragraph(otherwise)


def _table(head: Sequence[Any], rows: Iterable[Iterable[Any]]) -> str:
    top = "<tr>" + "".join(f"<th>{_text(cell)}</th>" for cell in head) + "</tr>" if head else ""
    lines = ("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{top}{_bounded(lines, '<tr><td>{}</td></tr>')}</table>"


# Limits, input and classes


def _own_limits(card: dict) -> list[Any]:
    stated = _items(card.get("limits"))
    return stated or [tr("The card states no limits. Check maps at places that you know.")]


def _input_limits(card: dict) -> Iterator[str]:
    """Yield the limits that follow from the model's bands and pixel size."""
    names = [plain(band.get("name"), 20) for band in _objects(card.get("bands"))]
    yield tr("It needs these bands: {}.").format(", ".join(names) or "?")
    yield tr("It is made for pixels of {} m. Others are resampled; coarser ones give less accurate maps.").format(
        _number(card.get("gsd_m"))
    )


def _input(card: dict) -> str:
    rows = []
    for band in _objects(card.get("bands")):
        span = " … ".join(_number(limit) for limit in _items(band.get("clip"))[:2])
        unit = plain(band.get("unit", "?"), 20)
        rows.append((band.get("name", "?"), {"db": "dB", "linear_power": tr("linear power")}.get(unit, unit), span))
    facts = tr("Backscatter convention {product}, pixels of {metres} m, tiles of {tile} and patches of {patch} pixels.")
    said = facts.format(
        product=plain(card.get("product", "?"), 20),
        metres=_number(card.get("gsd_m")),
        tile=_number(card.get("tile")),
        patch=_number(card.get("patch")),
    )
    return _paragraph(said) + _table((tr("Band"), tr("Unit"), tr("Range")), rows)


def _classes(value: Any) -> str:
    lines = []
    for item in _objects(value):
        colour = str(item.get("color", ""))
        swatch = f' bgcolor="{colour}"' if _COLOUR.fullmatch(colour) else ""
        cells = f"<td{swatch}>&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;</td><td>&nbsp;{_text(item.get('value', '?'))}</td>"
        lines.append(f"<tr>{cells}<td>{_text(backend_text(str(item.get('name', '?'))))}</td></tr>")
    return f"<table>{_bounded(lines, '<tr><td></td><td></td><td>{}</td></tr>')}</table>"


# Accuracy: figures in objects of any depth


def _accuracy(metrics: Any) -> str:
    if not isinstance(metrics, dict) or not metrics:
        return _paragraph(tr("The card gives no figures: the accuracy of this model is unknown."))
    words = "".join(_paragraph(text) for text in metrics.values() if isinstance(text, str))
    rows: dict[tuple[str, tuple[str, ...]], list[tuple[str, dict]]] = {}
    for path, figures in _figures(metrics, ()):
        rows.setdefault((path[0] if path else "", tuple(figures)), []).append((" / ".join(path[1:]), figures))
    shown = [(place, found) for place, found in rows.items() if len(found) <= MAX_LINES][:MAX_TABLES]
    tables = "".join(_figure_table(*place, found) for place, found in shown)
    note = _paragraph(tr("card.json contains more detailed figures."))
    return words + tables + (note if len(shown) < len(rows) else "")


def _figures(node: dict, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict]]:
    """Yield path and numbers of every object in `node` that contains numbers."""
    numbers = {str(k): v for k, v in node.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
    if numbers:
        yield path, numbers
    for key, value in node.items():
        if isinstance(value, dict) and len(path) < MAX_DEPTH:
            yield from _figures(value, (*path, _label(key)))


def _figure_table(title: str, columns: tuple[str, ...], rows: list[tuple[str, dict]]) -> str:
    head = f"<p><b>{_text(title)}</b></p>" if title else ""
    if len(rows) == 1:
        return head + _table((), ((_label(name), _number(value)) for name, value in rows[0][1].items()))
    columns = columns[:MAX_COLUMNS]
    rows.sort(key=lambda row: not row[0].startswith(_THIS))  # this model first
    body = ((name, *(_number(figures[column]) for column in columns)) for name, figures in rows)
    return head + _table(("", *map(_label, columns)), body)


def _label(key: Any) -> str:
    """Return a key as words; keys with capital letters, such as names of places, are unchanged."""
    text = plain(key, 80)
    if not text.islower():
        return text
    words = " ".join(_ABBREVIATIONS.get(word, word) for word in text.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def _number(value: Any) -> str:
    try:
        return f"{value:.6g}" if not isinstance(value, bool) else "?"
    except (TypeError, ValueError, OverflowError):  # no number, or too large for a float
        return "?"
