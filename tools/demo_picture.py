"""Draw one picture of a result: the SAR scene, the land cover with its legend, the attention map.

It is read with the GDAL of QGIS. Names and colours come from the land-cover file itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from osgeo import gdal

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402  (after the choice of a backend that needs no display)
from matplotlib.patches import Patch  # noqa: E402

gdal.UseExceptions()

# Stretch of the composite in dB, the same for every scene: VV, VH and their difference.
STRETCH = ((-22.0, 0.0), (-28.0, -7.0), (2.0, 14.0))
MISSING = 0.62  # grey of pixels without data; the legend's snow is lighter
MAX_SIDE = 1600  # larger scenes are thinned for the picture


def read(path: Path) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read a raster, thinned to the picture's size, as [bands, H, W], and its validity [H, W]."""
    dataset = gdal.Open(str(path))
    scale = max(1.0, max(dataset.RasterXSize, dataset.RasterYSize) / MAX_SIDE)
    size = {
        "buf_xsize": max(1, round(dataset.RasterXSize / scale)),
        "buf_ysize": max(1, round(dataset.RasterYSize / scale)),
    }
    bands = [dataset.GetRasterBand(index + 1) for index in range(dataset.RasterCount)]
    values = np.stack([unpacked(band, band.ReadAsArray(**size)) for band in bands])
    masks = np.stack([band.GetMaskBand().ReadAsArray(**size) > 0 for band in bands])
    return values, masks.all(axis=0) & np.isfinite(values).all(axis=0)


def unpacked(band: Any, stored: NDArray[Any]) -> NDArray[Any]:
    """Return values in their unit: integers may be packed with a scale and an offset."""
    scale, offset = band.GetScale() or 1.0, band.GetOffset() or 0.0
    return stored if (scale, offset) == (1.0, 0.0) else stored.astype(np.float32) * scale + offset


def composite(values: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return red VV, green VH, blue VV - VH as [H, W, 3] in 0…1; a single band becomes grey."""
    decibels = values.astype(np.float32)
    if decibels[0][valid].size and float(decibels[0][valid].min()) >= 0:  # linear power
        decibels = 10 * np.log10(np.maximum(decibels, 1e-6))
    first, second = decibels[0], decibels[min(1, len(decibels) - 1)]
    channels = (first, second, first - second) if len(decibels) > 1 else (first, first, first)
    limits = STRETCH if len(decibels) > 1 else (STRETCH[0],) * 3
    colours = [np.clip((channel - low) / (high - low), 0, 1) for channel, (low, high) in zip(channels, limits)]
    return np.where(valid[..., None], np.stack(colours, axis=-1), np.float32(MISSING)).astype(np.float32)


def legend(path: Path, present: NDArray[Any]) -> list[tuple[int, str, tuple[float, float, float]]]:
    """Return value, name and colour of the classes that occur, from the file's colour table and category names."""
    dataset = gdal.Open(str(path))  # the dataset must outlive its band
    band = dataset.GetRasterBand(1)
    table, names = band.GetRasterColorTable(), band.GetRasterCategoryNames() or []
    entries = []
    for value in (int(value) for value in present):
        red, green, blue = (part / 255 for part in table.GetColorEntry(value)[:3]) if table else (0.5, 0.5, 0.5)
        name = names[value] if value < len(names) and names[value] else f"class {value}"
        entries.append((value, name, (red, green, blue)))
    return entries


def paint(classes: NDArray[Any], valid: NDArray[np.bool_], entries: list[Any]) -> NDArray[np.float32]:
    """Return class values as colours, [H, W, 3]."""
    colours = np.full((*classes.shape, 3), MISSING, np.float32)
    for value, _, colour in entries:
        colours[valid & (classes == value)] = colour
    return colours


def draw(scene: Path, landcover: Path, attention: Path, target: Path, title: str) -> Path:
    """Draw the three layers side by side into the PNG `target` and return it."""
    sar, sar_valid = read(scene)
    classes, class_valid = read(landcover)
    weights, weights_valid = read(attention)
    values, counts = np.unique(classes[0][class_valid], return_counts=True)
    entries = legend(landcover, values)

    figure, axes = plt.subplots(2, 3, figsize=(16, 6), layout="constrained", height_ratios=[1, 0.2])
    axes[0, 0].imshow(composite(sar, sar_valid), interpolation="nearest")
    axes[0, 0].set_title(f"Input: {title}\n" + ("red VV, green VH, blue VV − VH (dB)" if len(sar) > 1 else "dB"))
    axes[0, 1].imshow(paint(classes[0], class_valid, entries), interpolation="nearest")
    axes[0, 1].set_title("Land cover\nsardino:landcover")
    mean = np.where(weights_valid, weights[-1], np.nan)
    colours = matplotlib.colormaps["inferno"].with_extremes(bad=str(MISSING))
    shown = axes[0, 2].imshow(mean, cmap=colours, interpolation="nearest", **limits(mean))
    axes[0, 2].set_title("Attention of the class token, mean of the heads' logarithms\nsardino:attention")
    for axis in axes.flat:
        axis.set_axis_off()
        axis.set_anchor("S")

    total = max(1, int(counts.sum()))
    patches = [
        Patch(color=colour, label=f"{value} {name} ({100 * int(count) / total:.1f} %)")
        for (value, name, colour), count in zip(entries, counts)
    ]
    patches.append(Patch(color=str(MISSING), label="no data"))
    axes[1, 1].legend(handles=patches, loc="upper center", ncols=2, fontsize=9, frameon=False)
    bar = figure.colorbar(shown, cax=axes[1, 2].inset_axes((0.1, 0.75, 0.8, 0.15)), orientation="horizontal")
    bar.set_label("log2 of the attention relative to its mean over the tile")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
    plt.close(figure)
    return target


def limits(values: NDArray[Any]) -> dict[str, float]:
    """Return the ends of the colours, as of the layer's style: the 2nd and the 98th percentile."""
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, (2, 98)) if finite.size else (0.0, 1.0)
    return {"vmin": float(low), "vmax": float(high)}
