"""Record a run: log, progress, alarm and monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from backend.core.events import Reporter
from training.data.dataset import ChipFolder
from training.dino.trainer import Trainer
from training.monitor.monitor import Monitor
from training.run.log import COLUMNS, CollapseAlarm, CsvLog, Speed
from training.run.schedules import values_at


class RunRecord:
    """Keep the record of a run, in its first process.

    Args:
        trainer: Trainer of the run.
        folders: Training data.
        run: Folder of the run.
        done: Steps done so far.
        reporter: Receives progress, alarms and scores.

    Raises:
        InputError: The monitor can't be set up.
    """

    def __init__(
        self, trainer: Trainer, folders: Sequence[ChipFolder], run: Path, done: int, reporter: Reporter
    ) -> None:
        self.config, self.reporter = trainer.config, reporter
        config = trainer.config
        self.log = CsvLog(run / "log.csv", done, COLUMNS + trainer.columns)
        # Before tokens are compared the teacher has no reason to distinguish images.
        steps = config.optim.steps
        self.alarm = CollapseAlarm(config.dino.levels_steps(steps) + round(config.optim.warmup * steps))
        self.speed = Speed(done, config.optim.batch)
        self.monitor = Monitor(trainer, folders, run, done, partial(reporter.log, "warning"))
        self.speed.restart()

    def step(self, step: int, row: Mapping[str, float], health: Mapping[str, float]) -> None:
        """Record a step.

        Args:
            step: Number of the step, from 0.
            row: Result of `Trainer.step`.
            health: Result of `Trainer.health`; empty if the step is not logged.
        """
        done = step + 1
        speed = self.speed.images_per_s(done)
        self.reporter.progress(done, self.config.optim.steps, loss=row["loss"], images_per_s=speed)
        if health:
            values = vars(values_at(step, self.config.optim, self.config.dino))
            numbers = {**values, **row, **health, "images_per_s": speed}
            self.log.write({**numbers, "step": step})
            self.monitor.scalars(done, {name: numbers[name] for name in self.log.columns if name != "step"})
            if alarm := self.alarm.check(step, health["information"], health["spread"]):
                self.reporter.log("warning", alarm)
        if self.monitor.due(done):
            self.speed.pause(self.monitor.look(done))
            if self.monitor.note:
                self.reporter.log("info", f"step {done}  {self.monitor.note}")

    def close(self) -> None:
        self.monitor.close()
