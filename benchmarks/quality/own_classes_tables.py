"""Show the results of `benchmarks.quality.own_classes` as text and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
METHODS = ("forest", "smoothed", "tuned", "no tokens", "ours")


def table_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return means, and wins over the forest, a line for each kind and number of samples."""
    lines = []
    for key, title in (("all", "all classes"), ("merged", "merged groups")):
        lines.append(f"mIoU of {title}: {', '.join(METHODS)}; draws in which ours is above forest and tuned")
        for kind, count in dict.fromkeys((row["kind"], row["count"]) for row in rows):
            here = [r for r in rows if (r["kind"], r["count"]) == (kind, count) and r["ours"][key] is not None]
            if here:
                means = "  ".join(f"{np.mean([r[m][key] for r in here]):.3f}" for m in METHODS)
                wins = [sum(r["ours"][key] > r[other][key] for r in here) for other in ("forest", "tuned")]
                lines.append(f"  {count:>3} {kind:<8} {means}  {wins[0]}, {wins[1]} of {len(here)}")
    lines.append("mIoU of all classes by place: forest / tuned / ours")
    for name in dict.fromkeys(row["site"] for row in rows):
        cells = []
        for kind, count in dict.fromkeys((row["kind"], row["count"]) for row in rows):
            here = [r for r in rows if (r["kind"], r["count"], r["site"]) == (kind, count, name)]
            means = " / ".join(f"{np.mean([r[m]['all'] for r in here]):.2f}" for m in ("forest", "tuned", "ours"))
            cells.append(f"{count} {kind} {means}")
        lines.append(f"  {name}: {', '.join(cells)}")
    return lines


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the mean of each method over the number of samples, for points and polygons."""
    from matplotlib import pyplot

    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    figure, axes = pyplot.subplots(1, len(kinds), figsize=(4.5 * len(kinds), 3.6), sharey=True, squeeze=False)
    styles = {"forest": "s--", "smoothed": "^:", "tuned": "D--", "no tokens": "v:", "ours": "o-"}
    for axis, kind in zip(axes[0], kinds):
        counts = sorted({row["count"] for row in rows})
        for method in METHODS:
            means = [
                np.mean([r[method]["all"] for r in rows if r["kind"] == kind and r["count"] == count])
                for count in counts
            ]
            axis.plot(counts, means, styles[method], label=method)
        axis.set(xscale="log", xlabel=f"number of {kind}", xticks=counts)
        axis.set_xticklabels(counts)
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("mean IoU on the other half")
    axes[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
