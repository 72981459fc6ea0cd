"""Choose colours for classes that nobody gave one: common words as in WorldCover, others from a safe palette.

Blue is left to water: on any map a reader takes blue for water first.
"""

from __future__ import annotations

import colorsys
import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from backend.card import worldcover

K = TypeVar("K", bound=Hashable)
# Name and colour of each class, of merged classes first.
_LEGENDS: tuple[tuple[Mapping[Any, str], Mapping[Any, str]], ...] = (
    (worldcover.MERGED_NAMES, worldcover.MERGED_COLOURS),
    (worldcover.NAMES, worldcover.COLOURS),
)
# Words of class names in English and Spanish, without accents. The first that occurs decides.
_WORDS: dict[str, int] = {
    word: value
    for value, words in (
        (worldcover.MANGROVE, "mangrove manglar"),
        (worldcover.WETLAND, "wetland marsh swamp bog fen humedal marisma pantano turbera"),
        (worldcover.SNOW, "snow ice glacier nieve hielo glaciar"),
        (
            worldcover.WATER,
            "water river lake sea ocean pond reservoir canal lagoon agua rio lago mar oceano embalse laguna",
        ),
        (worldcover.TREE, "forest tree woodland wood jungle bosque arbol arbolado selva"),
        (worldcover.SHRUB, "shrub shrubland scrub bush matorral arbusto"),
        (worldcover.MOSS, "moss lichen musgo liquen"),
        (worldcover.GRASS, "grass grassland pasture meadow prairie savanna pasto pastizal prado pradera"),
        (worldcover.CROP, "crop cropland farmland arable agriculture field cultivo agricola agricultura"),
        (
            worldcover.BUILT,
            "built building urban city town village settlement house road urbano ciudad pueblo edificio edificado",
        ),
        (worldcover.BARE, "bare soil sand rock desert barren suelo arena roca desierto desnudo"),
    )
    for word in words.split()
}
_DENIALS = {"no", "non", "not", "other", "without", "sin", "otro", "otros"}
# Okabe and Ito (2008), "Color Universal Design", then "muted" of Tol (2021, SRON/EPS/TN/09-002): those that are neither
# black nor blue.
SAFE = (
    "#e69f00", "#009e73", "#f0e442", "#d55e00", "#cc79a7", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677",
    "#882255", "#aa4499",
)  # fmt: skip
_GOLDEN = 0.618034  # golden ratio: turn between two hues, so that they don't repeat
_BLUE = (0.5, 0.72)  # hues left out
_DISTINCT = 60  # least distance of a colour of the palette from one in use, of 442 in red, green and blue
_SHADE = 0.75  # of brightness, of each further class with a colour that is taken


def rgb(color: str) -> tuple[int, int, int]:
    """Return red, green and blue (0 to 255) of "#rrggbb"."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def hex_color(parts: Iterable[int]) -> str:
    """Return "#rrggbb" of red, green and blue (0 to 255)."""
    return "#" + "".join(f"{part:02x}" for part in parts)


def colours_for(values: Sequence[K], names: Mapping[K, str], given: Mapping[K, str]) -> dict[K, str]:
    """Return a colour for each class: the given one, that of its class of WorldCover, of a word in its name, or free.

    Args:
        values: Classes.
        names: Names of the classes.
        given: Colours of some, as the map or its user has them.
    """
    found: dict[K, str] = {}
    for value in values:
        name = names.get(value, "")
        known = [
            legend[value]
            for title, legend in _LEGENDS
            if value in legend and title[value].casefold() == name.casefold()
        ]
        wanted = given.get(value) or next(iter(known), "") or word_colour(name)
        if wanted:
            found[value] = distinct(wanted, found.values())
    more = palette(found.values())
    return {value: found.get(value) or next(more) for value in values}


def word_colour(name: str) -> str:
    """Return WorldCover's colour for a class with a common word in its name; empty for others."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z]+", plain)
    if _DENIALS & set(words):
        return ""
    for word in words:
        for form in (word, word.removesuffix("s"), word.removesuffix("es")):
            if form in _WORDS:
                return worldcover.COLOURS[_WORDS[form]]
    return ""


def distinct(wanted: str, taken: Iterable[str]) -> str:
    """Return a colour, or a darker shade of it where it is taken."""
    used = set(taken)
    while wanted in used and wanted != "#000000":
        wanted = hex_color(int(part * _SHADE) for part in rgb(wanted))
    return wanted


def palette(taken: Iterable[str]) -> Iterator[str]:
    """Yield colours that differ from each other and clearly from those `taken`, without end."""
    used = [rgb(color) for color in taken]
    for color in SAFE:
        if all(_distance(rgb(color), other) >= _DISTINCT for other in used):
            yield color
    number = 0
    while True:
        hue = number * _GOLDEN % 1 * (1 - _BLUE[1] + _BLUE[0])
        hue += (_BLUE[1] - _BLUE[0]) * (hue >= _BLUE[0])
        yield hex_color(round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.65, 0.5 + 0.4 * (number % 2)))
        number += 1


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other)) ** 0.5)
