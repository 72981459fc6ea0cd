"""Draw the pictures of the worked example: scenes, class maps and transitions, each small enough for the guide."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import rasterio
from numpy.typing import NDArray

from backend.change.previews import painted
from backend.output.styles import LEGEND_TAG
from tools.screenshots import squeeze

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  (after the choice of a backend that needs no display)
from matplotlib.patches import Patch  # noqa: E402

DPI = 100


def draw_pictures(folder: Path, target: Path) -> list[Path]:
    """Draw the pictures of the example in `folder` into `target`; return their paths."""
    scenes = [grey_scene(folder / f"simulated_{name}.tif") for name in ("before", "after")]
    maps = [classes(folder / f"landcover_{name}.tif") for name in ("before", "after")]
    changes = [classes(folder / name) for name in ("change.tif", "sar_change.tif")]
    target.mkdir(parents=True, exist_ok=True)
    titles = ("Before", "After")
    made = [
        draw(target / "worked-scenes.png", scenes, [f"{title} (simulated, VV)" for title in titles], []),
        draw(target / "worked-maps.png", [m[0] for m in maps], [f"{title}: land cover" for title in titles],
             list(dict.fromkeys(maps[0][1] + maps[1][1]))),
        draw(target / "worked-change.png", [c[0] for c in changes], ["Transitions", "Change of backscatter"],
             list(dict.fromkeys(changes[0][1] + changes[1][1]))),
    ]  # fmt: skip
    return made


def grey_scene(path: Path) -> NDArray[Any]:
    """Return VV averaged over 2 x 2 pixels as grey, uint8 [H, W, 3]."""
    with rasterio.open(path) as file:
        power = np.power(10.0, file.read(1) / 10)
    rows, columns = (side // 2 for side in power.shape)
    mean = 10 * np.log10(power[: rows * 2, : columns * 2].reshape(rows, 2, columns, 2).mean(axis=(1, 3)))
    low, high = np.percentile(mean, (1, 99))
    shade = (np.clip((mean - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return np.stack([shade] * 3, axis=-1)


def classes(path: Path) -> tuple[NDArray[Any], list[tuple[str, str]]]:
    """Return a map as colours, uint8 [H, W, 3], and the colours and names of classes with 0.2 % of it or more."""
    with rasterio.open(path) as file:
        values, legend = file.read(1), json.loads(file.tags()[LEGEND_TAG])
    entries = [(color, name) for value, name, color in legend if (values == value).mean() >= 0.002]
    return painted(values, {value: color for value, _, color in legend}).transpose(1, 2, 0), entries


def draw(
    target: Path, pictures: Sequence[NDArray[Any]], titles: Sequence[str], legend: Sequence[tuple[str, str]]
) -> Path:
    """Draw pictures side by side with a legend below, in as many colours as MAX_BYTES allow."""
    lines = -(-len(legend) // 2)
    height = 3.9 + 0.22 * lines
    figure, axes = plt.subplots(1, len(pictures), figsize=(7.6, height))
    figure.subplots_adjust(
        left=0.01, right=0.99, top=1 - 0.28 / height, bottom=(0.06 + 0.22 * lines) / height, wspace=0.03
    )
    for axis, picture, title in zip(axes, pictures, titles):
        axis.imshow(picture, interpolation="nearest")
        axis.set_title(title, fontsize=10)
        axis.set_axis_off()
    if legend:
        handles = [Patch(facecolor=color, edgecolor="#888", label=name) for color, name in legend]
        figure.legend(handles=handles, loc="lower center", ncol=2, fontsize=8, frameon=False)
    figure.savefig(target, dpi=DPI)
    plt.close(figure)
    squeeze(target, target)
    return target
