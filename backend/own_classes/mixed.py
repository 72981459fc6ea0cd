"""Find the classes that could not be learnt, and those that they are mapped as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.card.model_card import LandCoverClass

FOUND = 0.5  # share of a class's held-out pixels that must be found
TAKEN = 0.15  # smallest share of its pixels mapped as another class that is worth naming
MOST = 3  # other classes named


def mixed_classes(scores: dict[str, Any], legend: Sequence[LandCoverClass]) -> list[str]:
    """Return one line for each class of which less than half was found again.

    Args:
        scores: Result of `heldout.held_out_scores`.
        legend: Classes by index.
    """
    lines, confusion = [], scores["confusion"]
    for index, item in enumerate(legend):
        column = [row[index] for row in confusion]
        total = sum(column)
        if not total or column[index] / total >= FOUND:
            continue
        others = sorted((-count / total, legend[number].name) for number, count in enumerate(column) if number != index)
        named = [f"{-share:.0%} as {name}" for share, name in others[:MOST] if -share >= TAKEN]
        taken = f"; {', '.join(named)}" if named else ""
        lines.append(
            f"{item.name} could not be learnt: of its held-out pixels {column[index] / total:.0%} are mapped as it"
            f"{taken}. Join classes that look alike to the radar, or draw more samples."
        )
    return lines
