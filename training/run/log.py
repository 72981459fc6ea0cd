"""Log a run to CSV, measure its speed, and warn when features collapse."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.run.files import write_text

COLUMNS = (
    "step", "loss", "lr", "weight_decay", "momentum", "teacher_temp", "teacher_entropy", "information", "spread",
    "grad_norm", "images_per_s",
)  # fmt: skip


class CsvLog:
    """Append rows of numbers to a file; a resumed run first drops the rows that it will write again.

    Args:
        path: The file.
        from_step: First step that will be written; 0 drops every earlier row.
        columns: Names, including "step". Cells that an earlier file lacks stay empty.
    """

    def __init__(self, path: Path, from_step: int, columns: Sequence[str] = COLUMNS) -> None:
        kept = []
        if path.is_file() and from_step:
            with path.open(newline="", encoding="utf-8") as file:
                kept = [row for row in csv.DictReader(file) if int(row["step"]) < from_step]
        lines = [",".join(columns), *(",".join(row.get(c) or "" for c in columns) for row in kept)]
        write_text(path, "\n".join(lines) + "\n")
        self.path, self.columns = path, tuple(columns)

    def write(self, row: Mapping[str, float]) -> None:
        with self.path.open("a", newline="", encoding="utf-8") as file:
            file.write(",".join(f"{row[c]:.6g}" if c != "step" else str(int(row[c])) for c in self.columns) + "\n")


def read_log(path: Path) -> dict[str, list[float]]:
    """Return the columns of a `CsvLog` by name, with nan for empty cells; none if there is no file."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return {name: [float(row[name] or "nan") for row in rows] for name in reader.fieldnames or ()}


class Speed:
    """Measure images per second of this process, without time spent on other work.

    Args:
        start: First step of this process.
        batch: Images a step.
    """

    def __init__(self, start: int, batch: int) -> None:
        self._start, self._batch = start, batch
        self.restart()

    def restart(self) -> None:
        """Count time from now on."""
        self._began = time.monotonic()

    def pause(self, seconds: float) -> None:
        """Exclude `seconds` that were just spent on other work."""
        self._began += seconds

    def images_per_s(self, done: int) -> float:
        """Return the mean speed after `done` steps of the run."""
        return (done - self._start) * self._batch / max(time.monotonic() - self._began, 1e-9)


class CollapseAlarm:
    """Detect that the teacher no longer distinguishes images.

    DINO collapses in two ways: every image gets the same prototype, or every image gets all prototypes equally (Caron
    et al. 2021, section 5.3). In both the mutual information of image and prototype goes to 0. If the backbone itself
    collapses, the spread of its class tokens goes to 0 too.

    Args:
        ready: Step before which there is no alarm; a random teacher is near the thresholds.
        patience: Consecutive rows below a threshold.
    """

    INFORMATION = 0.02  # nats
    SPREAD = 0.02  # 1 if tokens point in all directions

    def __init__(self, ready: int, patience: int = 20) -> None:
        self.ready, self.patience, self.low = ready, patience, 0

    def check(self, step: int, information: float, spread: float) -> str:
        """Return a warning for the user; empty if all is well or the warning was given before."""
        bad = step >= self.ready and (information < self.INFORMATION or spread < self.SPREAD)
        self.low = self.low + 1 if bad else 0
        if self.low != self.patience:
            return ""
        return (
            f"Collapse alarm at step {step}: the teacher hardly distinguishes images "
            f"(information {information:.3f} nats, token spread {spread:.3f}). "
            "Try a lower dino.teacher_temp, a longer optim.warmup or a lower optim.base_lr."
        )
