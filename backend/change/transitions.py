"""Number and name the transitions between the classes of two maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.card.colours import distinct, hex_color, rgb
from backend.card.model_card import LandCoverClass
from backend.core.errors import InputError

ARROW = "→"
# Most classes of which all pairs have a number of one byte; 0 is nodata.
MOST_CLASSES, MOST_CODES = 15, 254
# Numbers of transitions that no pixel has, but a sample; they never get into a raster.
BEYOND = 1000
# Share of the class in the colour of a place where nothing changed; the rest is PALE.
MUTED, PALE = 0.22, (242, 242, 240)
# Share of the later class in the colour of a change.
LATER = 0.72


@dataclass(frozen=True)
class Transitions:
    """Hold the number of each pair of classes.

    Attributes:
        classes: Values of the common legend.
        names: Names of the classes.
        codes: Number of each (class before, class after).
        found: Pairs that occur in the maps.
    """

    classes: Sequence[int]
    names: Mapping[int, str]
    codes: Mapping[tuple[int, int], int]
    found: Sequence[tuple[int, int]]

    def name(self, pair: tuple[int, int]) -> str:
        """Return the name of a transition."""
        before, after = (self.class_name(value) for value in pair)
        return f"{before}, unchanged" if pair[0] == pair[1] else f"{before} {ARROW} {after}"

    def class_name(self, value: int) -> str:
        """Return the name of a class; its value if it has none."""
        return self.names.get(value) or f"class {value}"

    def legend(self, colours: Mapping[int, str]) -> list[LandCoverClass]:
        """Return number, name and colour of the pairs that occur; the changes have colours of their own."""
        result: list[LandCoverClass] = []
        for pair in sorted(self.found, key=lambda pair: self.codes[pair]):
            wanted = transition_colour(colours[pair[0]], colours[pair[1]])
            color = distinct(wanted, [item.color for item in result])
            result.append(LandCoverClass(self.codes[pair], self.name(pair), color))
        return result


def number_transitions(
    classes: Sequence[int], names: Mapping[int, str], found: Sequence[tuple[int, int]]
) -> Transitions:
    """Number transitions from 1 on, row by row of the matrix.

    Up to MOST_CLASSES classes the number of a transition depends on the legend alone, so that maps of several pairs of
    dates can be compared. Beyond, only pairs that occur are numbered.

    Args:
        classes: Values of the common legend, ascending.
        names: Names of the classes.
        found: Pairs that occur.

    Raises:
        InputError: More than MOST_CODES pairs occur.
    """
    there = sorted({value for pair in found for value in pair})
    kept = list(classes) if len(classes) <= MOST_CLASSES else there
    pairs = [(b, a) for b in kept for a in kept] if len(kept) <= MOST_CLASSES else sorted(found)
    if len(pairs) > MOST_CODES:
        raise InputError(
            f"The maps have {len(pairs)} different transitions; {MOST_CODES} fit into a map.",
            "Merge classes first, or leave some out with --ignore.",
        )
    return Transitions(kept, names, {pair: code for code, pair in enumerate(pairs, 1)}, sorted(found))


def transition_colour(before: str, after: str) -> str:
    """Return the colour of a transition between two classes of these colours; of no change if they are one class."""
    if before == after:
        return _mixed(rgb(before), PALE, MUTED)
    return _mixed(rgb(after), rgb(before), LATER)


def _mixed(one: Sequence[int], other: Sequence[int], share: float) -> str:
    return hex_color([round(share * a + (1 - share) * b) for a, b in zip(one, other)])
