"""Compute means and standard deviations of results, and format the tables of the report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Cells = Mapping[str, Any]


def values(cells: Cells, prefix: str, name: str) -> list[float]:
    """Return a figure of every run whose key is `prefix` and a seed, in order of the seeds."""
    found = [
        (int(key.rpartition("/")[2]), cell[name])
        for key, cell in cells.items()
        if key.rpartition("/")[0] == prefix and name in cell
    ]
    return [float(value) for _, value in sorted(found)]


def mean_spread(numbers: Sequence[float], digits: int = 3) -> str:
    """Format mean and standard deviation over runs; the latter only for two runs or more."""
    if not numbers:
        return "–"
    text = f"{np.mean(numbers):.{digits}f}"
    return text if len(numbers) < 2 else f"{text} ± {np.std(numbers, ddof=1):.{digits}f}"


def gain(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Format the difference of two arms, seed by seed.

    Args:
        ours: Score of each seed.
        theirs: Score of the other arm; equal seeds share chips, draws and random weights.
    """
    differences = np.subtract(ours, theirs)
    ahead = int((differences > 0).sum())
    return f"{np.mean(differences):+.3f} (ahead with {ahead} of {len(differences)} seeds)"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table; the first column is text, the others are figures."""
    lines = [titles, [":--", *("--:" for _ in titles[1:])], *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    # In names from a user's file a bar would end the cell, a tag would become HTML, and brackets a link or a picture.
    shown = "".join(character if character.isprintable() else " " for character in text)
    return re.sub(r"([\\`\[\]|])", r"\\\1", shown.replace("&", "&amp;").replace("<", "&lt;"))


def bold_best(cells: Sequence[Sequence[float]]) -> list[str]:
    """Format mean and standard deviation of each cell of a row, the highest mean in bold."""
    means = [float(np.mean(numbers)) if numbers else float("-inf") for numbers in cells]
    best = int(np.argmax(means))
    return [f"**{mean_spread(n)}**" if i == best and n else mean_spread(n) for i, n in enumerate(cells)]
