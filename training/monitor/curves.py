"""Draw the course of a run from log.csv and probe.csv."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

Columns = Mapping[str, Sequence[float]]


def draw_curves(log: Columns, probe: Columns) -> Figure:
    """Draw losses, learning rate, entropies of the teacher and scores of the probes over the steps done.

    Args:
        log: Columns of log.csv; "step" counts from 0, so that step + 1 steps are done after it.
        probe: Columns of probe.csv; "step" is the number of steps done. Empty without a probe.
    """
    figure = Figure(figsize=(10, 6.4), dpi=110, layout="constrained")
    (loss, rate), (teacher, knn) = figure.subplots(2, 2)
    done = [step + 1 for step in log.get("step", ())]
    _lines(loss, done, {name: values for name, values in log.items() if name.startswith("loss")}, "loss, nats")
    _lines(rate, done, _some(log, "lr"), "learning rate")
    _lines(teacher, done, _some(log, "teacher_entropy", "information"), "entropy of targets, nats")
    scores = {name.replace("knn_", "k-NN ").replace("_", " "): v for name, v in probe.items() if name != "step"}
    _lines(knn, probe.get("step", ()), scores, "probes of tokens", marker="o", markersize=3)
    if not scores:
        knn.text(0.5, 0.5, "no probe folder (monitor.probe)", ha="center", transform=knn.transAxes, color="0.5")
    return figure


def _some(columns: Columns, *names: str) -> Columns:
    return {name.replace("_", " "): columns[name] for name in names if name in columns}


def _lines(axis: Any, steps: Sequence[float], columns: Columns, title: str, **style: Any) -> None:
    for name, values in columns.items():
        axis.plot(steps, values, label=name, linewidth=1.2, **style)
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_xlabel("steps done", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.3)
    if len(columns) > 1:
        axis.legend(fontsize=8, frameon=False)
