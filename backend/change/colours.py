"""Choose the colours of transitions: pale where nothing changed, clear where something did."""

from __future__ import annotations

from collections.abc import Sequence

from backend.card.colours import hex_color, rgb

# Share of the class's colour where nothing changed; the rest is PALE.
MUTED, PALE = 0.22, (242, 242, 240)
# Share of the later class in the colour of a change.
LATER = 0.72


def transition_colour(before: str, after: str) -> str:
    """Return the colour of a transition between two classes of these colours; of no change if they are one class."""
    if before == after:
        return _mixed(rgb(before), PALE, MUTED)
    return _mixed(rgb(after), rgb(before), LATER)


def _mixed(one: Sequence[int], other: Sequence[int], share: float) -> str:
    return hex_color([round(share * a + (1 - share) * b) for a, b in zip(one, other)])
