"""Build a legend from the classes of samples: raster value, name and colour of each.

Whole numbers from 1 to 254 are kept as raster values. A class named as in ESA WorldCover, or as one of the four classes
merged from it, gets that class's value and colour; others get the smallest free values in alphabetical order, so that
equal classes always get equal values, and a colour by `colours`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.card.colours import distinct, palette, word_colour
from backend.card.model_card import MAX_CLASSES, LandCoverClass
from backend.card.worldcover import COLOURS, MERGED_COLOURS, MERGED_NAMES, NAMES
from backend.core.errors import InputError
from backend.core.plain_json import parse_json
from backend.core.regular_file import read_regular_text
from backend.own_classes.samples import Label, clean_label

MOST_BYTES = 4 * 2**20
MAX_NAME = 100  # characters, the limit of a card
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")

# Name and "#rrggbb" by class; either may be empty.
Styles = Mapping[Label, tuple[str, str]]


def read_styles(path: Path) -> Styles:
    """Read names and colours of classes from JSON: {"class": {"name": "…", "color": "#rrggbb"}, …}.

    Raises:
        InputError: The file can't be read, or has another structure.
    """
    hint = 'Write {"class": {"name": "text", "color": "#rrggbb"}}, with one or both keys for each class.'
    try:
        document = parse_json(read_regular_text(path, MOST_BYTES))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}).", "Check the path.") from error
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON.", hint) from error
    if not isinstance(document, dict) or not all(isinstance(style, dict) for style in document.values()):
        raise InputError(f"{path} is not a table of classes.", hint)
    styles: dict[Label, tuple[str, str]] = {}
    for key, style in document.items():
        label, color = clean_label(key), str(style.get("color") or "")
        if color and not _COLOR.fullmatch(color):
            raise InputError(f"{path} gives the class {key!r:.60} an invalid colour, {color!r:.60}.", hint)
        if label is not None:
            styles[label] = str(clean_label(str(style.get("name") or "")) or ""), color
    return styles


def build_legend(labels: Sequence[Label], styles: Styles) -> tuple[tuple[LandCoverClass, ...], dict[Label, int]]:
    """Return the classes in the order of their values, and the index of each label.

    Args:
        labels: Class of each sample, cleaned.
        styles: Names and colours that take precedence.

    Raises:
        InputError: There are fewer than two classes, or more than a raster of bytes can hold.
    """
    found = set(labels)
    if not 2 <= len(found) <= MAX_CLASSES:
        named = f" ({next(iter(found))})" if len(found) == 1 else ""
        raise InputError(
            f"Classes of the samples: {len(found)}{named}; 2 to {MAX_CLASSES} are needed.",
            "Choose the field that holds the class, and draw samples of each class.",
        )
    values = _values(found)
    order = sorted(found, key=lambda label: values[label])
    names = {label: (styles.get(label, ("", ""))[0] or str(label))[:MAX_NAME] for label in order}
    colors = _colors(order, values, styles, names)
    classes = tuple(LandCoverClass(values[label], names[label], colors[label]) for label in order)
    return classes, {label: index for index, label in enumerate(order)}


def _colors(
    order: Sequence[Label], values: Mapping[Label, int], styles: Styles, names: Mapping[Label, str]
) -> dict[Label, str]:
    """Return the colour of each label: of its style, of the class it is named as, of a word in it, of the palette."""
    worldcover = all(value in NAMES for value in values.values())
    colors = {label: styles[label][1] for label in order if styles.get(label, ("", ""))[1]}
    for label in order:
        value, known = (label, COLOURS[label]) if worldcover and isinstance(label, int) else _known(label)
        if known and value == values[label]:
            colors.setdefault(label, known)
    for label in order:
        color = word_colour(names[label])
        if color and label not in colors:
            colors[label] = distinct(color, colors.values())
    free = palette(colors.values())
    for label in order:
        if label not in colors:
            colors[label] = next(free)
    return colors


def _values(labels: set[Label]) -> dict[Label, int]:
    values: dict[Label, int] = {label: label for label in labels if isinstance(label, int) and 1 <= label <= 254}
    rest = sorted(labels - values.keys(), key=lambda label: (str(label).casefold(), str(label)))
    for label in rest:
        value, _ = _known(label)
        if value and value not in values.values():
            values[label] = value
    free = (value for value in range(1, 255) if value not in values.values())
    for label in rest:
        if label not in values:
            values[label] = next(free)
    return values


def _known(label: Label) -> tuple[int, str]:
    """Return value and colour of the class of WorldCover, or merged from its classes, that a text names; 0 and ""."""
    text = str(label).casefold()
    for names, colours in ((NAMES, COLOURS), (MERGED_NAMES, MERGED_COLOURS)):
        for value, name in names.items():
            if text == name.casefold():
                return value, colours[value]
    return 0, ""
