"""Draw the figures of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from backend.core.arrays import DoubleArray, FloatArray
from backend.maps.attention import logarithms
from training.monitor.pictures import principal_scores, pseudo_colour, stretch
from training.study.curve import ARMS
from training.study.experiment import Experiment
from training.study.material import Material, StudyTile, spread_tiles
from training.study.networks import PRETRAINED
from training.study.settings import StudyConfig
from training.study.summary import Cells, values

# Palette of Okabe & Ito, which colour-blind readers can distinguish; arms with a frozen backbone are dashed.
_COLOURS = ("#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#333333")
_DASHED = (False, True, False, True, False)


def draw_curves(cells: Cells, config: StudyConfig) -> Figure:
    """Draw mean IoU over the share of labels: means over seeds, with bands of one standard deviation."""
    figure = Figure(figsize=(7.5, 4.6), dpi=120, layout="constrained")
    axis = figure.subplots()
    shares = sorted(config.curve.fractions)
    for arm, colour, dashed in zip(ARMS, _COLOURS, _DASHED):
        runs = [values(cells, f"curve/{arm}/{share:g}", "mean_iou") for share in shares]
        mean = np.array([np.mean(run) for run in runs])
        spread = np.array([np.std(run, ddof=1) if len(run) > 1 else 0 for run in runs])
        axis.plot(shares, mean, marker="o", color=colour, linestyle="--" if dashed else "-", label=arm)
        axis.fill_between(shares, mean - spread, mean + spread, color=colour, alpha=0.12, linewidth=0)
    axis.set_xscale("log")
    axis.set_xticks(shares, [f"{100 * share:g} %" for share in shares])
    axis.minorticks_off()
    axis.set(xlabel="share of the labelled training chips", ylabel="mean IoU, test regions")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, fontsize=8)
    return figure


def draw_heat(matrix: NDArray[Any], rows: Sequence[str], columns: Sequence[str], middle: float, title: str) -> Figure:
    """Draw a matrix as colours and numbers; `middle` is white if there are values on both sides of it."""
    figure = Figure(figsize=(2.6 + 0.75 * len(columns), 1.2 + 0.28 * len(rows)), dpi=120, layout="constrained")
    axis = figure.subplots()
    reach = float(np.nanmax(np.abs(matrix - middle)))
    low = middle - reach if (matrix < middle).any() else middle
    axis.imshow(matrix, aspect="auto", cmap="RdBu_r" if low < middle else "Blues", vmin=low, vmax=middle + reach)
    for (row, column), value in np.ndenumerate(matrix):
        strong = abs(value - middle) > 0.65 * reach
        axis.text(
            column, row, f"{value:.2f}", ha="center", va="center", fontsize=6, color="white" if strong else "black"
        )
    # A dollar sign in a user's class name must not start a formula.
    axis.set_xticks(range(len(columns)), [name.replace("$", r"\$") for name in columns], rotation=40, ha="right")
    axis.set_yticks(range(len(rows)), [name.replace("$", r"\$") for name in rows])
    axis.tick_params(labelsize=7)
    axis.set_title(title, fontsize=9)
    return figure


def draw_position(scores: Mapping[str, float]) -> Figure:
    """Draw R² of row and column by the source that they were predicted from."""
    figure = Figure(figsize=(7.5, 1.0 + 0.24 * len(scores)), dpi=120, layout="constrained")
    axis = figure.subplots()
    colours = [_COLOURS[0] if name.startswith(PRETRAINED) else "0.6" for name in scores]
    axis.barh(range(len(scores)), list(scores.values()), color=colours)
    axis.set_yticks(range(len(scores)), list(scores), fontsize=7)
    axis.invert_yaxis()
    axis.axvline(0, color="0.3", linewidth=0.8)
    axis.set_xlabel("R² of row and column in the tile, test regions")
    axis.grid(alpha=0.3, axis="x")
    return figure


def draw_gallery(experiment: Experiment) -> Figure | None:
    """Draw tiles of test regions, one per row: backscatter, labels, components, logarithms of attention by head."""
    material, networks, config = experiment
    tiles = spread_tiles(material.test, config.tile, material.bands, config.pictures)
    if not tiles:
        return None
    vit = networks.frozen(PRETRAINED)
    with torch.inference_mode():
        x = torch.from_numpy(np.stack([tile.x for tile in tiles]))
        tokens, attention = vit.tokens(x).numpy(), vit.attention(x).numpy()
    colours = _components(tokens, x.mean(dim=1).numpy(), vit.patch)
    heads = [f"head {i + 1}" for i in range(attention.shape[1])]
    titles = ["backscatter", "labels", "token components", "attention: mean", *heads]
    figure = Figure(figsize=(1.45 * len(titles), 1.5 * len(tiles) + 0.5), dpi=110, layout="constrained")
    axes = figure.subplots(len(tiles), len(titles), squeeze=False)
    for row, tile, colour, maps in zip(axes, tiles, colours, attention):
        row[0].imshow(pseudo_colour(tile.db, np.isfinite(tile.db).any(axis=0)), interpolation="nearest")
        row[1].imshow(_labels(tile, material), interpolation="nearest")
        row[2].imshow(colour, interpolation="nearest")
        logs = logarithms(maps)
        for axis, values_ in zip(row[3:], [logs.mean(axis=0), *logs]):
            axis.imshow(stretch(values_), cmap="inferno", vmin=0, vmax=1, interpolation="nearest")
        for axis in row:
            axis.set_axis_off()
    for axis, title in zip(axes[0], titles):
        axis.set_title(title, fontsize=8)
    return figure


def _components(tokens: FloatArray, level: FloatArray, patch: int) -> FloatArray:
    """Return the first three principal components of all tokens as colours [N, rows, columns, 3] from 0 to 1."""
    count, width, rows, columns = tokens.shape
    flat = tokens.transpose(0, 2, 3, 1).reshape(-1, width)
    bright = level.reshape(count, rows, patch, columns, patch).mean(axis=(2, 4)).ravel()
    scores = principal_scores(flat, bright, None)
    coloured: FloatArray = np.stack([stretch(column) for column in scores.T], axis=-1)
    return coloured.reshape(count, rows, columns, 3)


def _labels(tile: StudyTile, material: Material) -> DoubleArray:
    table = ListedColormap([to_rgb("#ffffff"), *(to_rgb(item.color) for item in material.classes)])
    result: DoubleArray = table(tile.target + 1)
    return result
