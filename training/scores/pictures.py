"""Draw an evaluation: labels next to maps, and confusion matrices with reliability diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.card.model_card import ModelCard

MAPS_SHOWN = 8
_PARTS = {"all": "all classes", "summed": "groups, probabilities summed"}


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def draw_maps(images: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]], card: ModelCard, path: Path) -> None:
    """Draw label and map of each image side by side.

    Args:
        images: Name, label and mapped values [H, W] of each.
        card: Card of the model, for the legend.
        path: PNG to write.
    """
    pyplot = _pyplot()
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    table = np.ones((256, 3))
    for item in card.classes:
        table[item.value] = to_rgb(item.color)
    figure, axes = pyplot.subplots(len(images), 2, figsize=(9, 4 * len(images) + 1), squeeze=False)
    for row, (name, label, mapped) in zip(axes, images):
        for axis, values, title in zip(row, (label, mapped), ("labels", "map")):
            axis.imshow(table[values], interpolation="nearest")
            axis.set_title(f"{name}: {title}")
            axis.set_axis_off()
    handles = [Patch(facecolor=item.color, edgecolor="0.5", label=item.name) for item in card.classes]
    figure.legend(handles=handles, loc="lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)


def draw_scores(summary: dict[str, Any], path: Path) -> None:
    """Draw confusion matrices (rows as shares of the labels) above reliability diagrams.

    Args:
        summary: Result of `Evaluation.summary`.
        path: PNG to write.
    """
    pyplot = _pyplot()
    parts = {"all": summary["all"], **({"summed": summary["summed"]["all"]} if "summed" in summary else {})}
    parts = {key: scores for key, scores in parts.items() if scores["pixels"]}
    if not parts:
        return
    figure, axes = pyplot.subplots(
        2, len(parts), figsize=(7.5 * len(parts), 12), squeeze=False, layout="constrained",
        gridspec_kw={"height_ratios": (3, 2)},
    )  # fmt: skip
    for column, (key, scores) in zip(axes.T, parts.items()):
        _confusion(column[0], scores["confusion"])
        column[0].set_title(f"{_PARTS[key]}: OA {scores['overall_accuracy']:.3f}, mIoU {scores['mean_iou']:.3f}")
        _reliability(column[1], scores["calibration"])
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _confusion(axis: Any, table: dict[str, Any]) -> None:
    from sklearn.metrics import ConfusionMatrixDisplay

    counts = np.array(table["counts"], dtype=np.float64)
    there = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    counts = counts[np.ix_(there, there)]
    shares = np.divide(counts, counts.sum(axis=1, keepdims=True), out=np.zeros_like(counts), where=counts > 0)
    names = [name for name, seen in zip(table["names"], there) if seen]
    display = ConfusionMatrixDisplay(shares, display_labels=names)
    # Colours from 0 to 1, so that pictures of two models can be compared.
    display.plot(ax=axis, cmap="Blues", values_format=".2f", xticks_rotation=60, colorbar=False,
                 im_kw={"vmin": 0, "vmax": 1}, text_kw={"fontsize": 8})  # fmt: skip
    axis.set_xlabel("predicted")
    axis.set_ylabel("label")


def _reliability(axis: Any, calibration: dict[str, Any]) -> None:
    bins = calibration["bins"]
    pixels = np.array([item["pixels"] for item in bins], dtype=np.float64)
    confidence, accuracy = ([item[key] for item in bins] for key in ("confidence", "accuracy"))
    axis.plot((0, 1), (0, 1), color="0.6", linestyle="--", label="perfect")
    axis.plot(confidence, accuracy, marker="o", color="tab:blue", label="accuracy")
    axis.bar([item["from"] for item in bins], pixels / pixels.sum(), width=bins[0]["width"], align="edge",
             color="0.85", label="share of pixels", zorder=0)  # fmt: skip
    axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
    axis.set_title(f"reliability: ECE {calibration['expected_error']:.3f}")
    axis.legend(loc="upper left", frameon=False)
