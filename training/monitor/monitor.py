"""Evaluate the teacher at intervals during a run: scores, pictures and curves, also for TensorBoard.

This does not change what is learnt: the teacher is not changed and the state of each random generator is restored. A
failure before the first step is a refusal; a later failure is reported once, and the run goes on.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from backend.core.errors import InputError, SarDinoError
from backend.network.vit import SarViT
from training.data.dataset import ChipFolder
from training.dino.trainer import Trainer
from training.monitor.alarm import LearningAlarm
from training.monitor.curves import draw_curves
from training.monitor.event_files import EventFiles
from training.monitor.pictures import Gallery, choose_scenes
from training.monitor.probe import LINEAR, STATISTICS, Probe
from training.run.common_config import ModelConfig
from training.run.files import write_bytes
from training.run.log import CsvLog, read_log

LOOKS = 10
SWITCHES = "monitor.probe, monitor.pictures or monitor.tensorboard"


class Monitor:
    """Evaluate the teacher in the first process of a run; a new run's random teacher is evaluated at once.

    Args:
        trainer: Trainer of the run; its teacher is not changed.
        folders: Training data, for the pictures.
        run: Folder of the run.
        done: Steps done so far.
        say: Prints a line.

    Attributes:
        note: The newest and the first scores, and that of backscatter alone, for the progress line; empty before.

    Raises:
        InputError: The probe folder can't be used, or a file can't be written.
    """

    def __init__(
        self, trainer: Trainer, folders: Sequence[ChipFolder], run: Path, done: int, say: Callable[[str], None]
    ) -> None:
        self.run, self.device, self.say = run, trainer.world.device, say
        config = self.config = trainer.config
        settings = config.monitor
        self.steps, self.every = config.optim.steps, settings.every or -(-config.optim.steps // LOOKS)
        self.vit = network_around(trainer.pair.teacher.backbone, config.model)
        self.probe = Probe(Path(settings.probe), config.model, settings.probe_tokens) if settings.probe else None
        scenes = choose_scenes(folders, config.model, settings.pictures) if settings.pictures else []
        self.gallery = Gallery(scenes) if scenes else None
        self.note = ""
        self._at_first: dict[str, float] = {}
        self._running, self._reported = False, set[str]()
        with self._reported_once("Opening the files"):
            self._open(settings.tensorboard, done)
        if not done:
            self.look(0)
        self._running = True

    def _open(self, tensorboard: bool, done: int) -> None:
        self.scores = None
        self.alarm = LearningAlarm(self.config, {})
        if self.probe:
            # The step of a score is the number of steps done; the score at the checkpoint itself is kept.
            path = self.run / "probe.csv"
            self.scores = CsvLog(path, done + 1 if done else 0, ("step", *self.probe.columns))
            before = read_log(path)
            self._at_first = {name: values[0] for name, values in before.items() if values}
            self.alarm = LearningAlarm(self.config, before)
        if self.gallery:
            (self.run / "pictures").mkdir(exist_ok=True)
        self.board = EventFiles(self.run / "tensorboard", done) if tensorboard else None

    def due(self, done: int) -> bool:
        """Return whether the teacher is evaluated after `done` steps."""
        return done % self.every == 0 or done == self.steps

    def scalars(self, done: int, values: Mapping[str, float]) -> None:
        """Write a row of log.csv for TensorBoard."""
        if self.board:
            with self._reported_once("Writing for TensorBoard"):
                self.board.scalars("train", done, values)

    def look(self, done: int) -> float:
        """Score and draw the teacher after `done` steps; return the seconds spent."""
        began = time.monotonic()
        with _same_draws(self.device), self._reported_once("The probe"):
            self._score(done)
        with _same_draws(self.device), self._reported_once("Drawing pictures"):
            self._draw(done)
        with self._reported_once("Drawing curves"):
            log, scores = (read_log(self.run / name) for name in ("log.csv", "probe.csv"))
            self._write(self.run / "curves.png", draw_curves(log, scores))
            if alarm := self.alarm.targets(done, log):
                self.say(alarm)
        return time.monotonic() - began

    def _score(self, done: int) -> None:
        if self.probe and self.scores:
            scores = self.probe.score(self.vit, self.device)
            self._at_first = self._at_first or scores
            self.note = self._note(scores)
            if alarm := self.alarm.scores({"step": done, **scores}):
                self.say(alarm)
            self.scores.write({"step": done, **scores})
            if self.board:
                self.board.scalars("probe", done, scores)

    def _note(self, scores: Mapping[str, float]) -> str:
        first = {name: f"at first {self._at_first[name]:.3f}" for name in ("knn_accuracy", LINEAR)}
        return (
            f"k-NN {scores['knn_accuracy']:.3f} ({first['knn_accuracy']}), linear, balanced {scores[LINEAR]:.3f} "
            f"({first[LINEAR]}, backscatter alone {scores[STATISTICS]:.3f})"
        )

    def _draw(self, done: int) -> None:
        if self.gallery:
            figure = self.gallery.draw(self.vit, self.device, f"Teacher after {done} of {self.steps} steps")
            png, size = self._write(self.run / "pictures" / f"step_{done:06d}.png", figure)
            if self.board:
                self.board.picture("scenes", done, png, *size)

    def _write(self, path: Path, figure: Figure) -> tuple[bytes, tuple[int, int]]:
        """Write a figure as PNG; return the content of the file, and width and height."""
        buffer = BytesIO()
        figure.savefig(buffer, format="png")
        write_bytes(path, buffer.getvalue())
        return buffer.getvalue(), figure.canvas.get_width_height()

    @contextmanager
    def _reported_once(self, what: str) -> Iterator[None]:
        try:
            yield
        except SarDinoError as error:
            if not self._running:
                raise
            self._report(what, error.message)
        except Exception as error:  # a training of days must not end because a picture fails
            if not self._running:
                raise InputError(
                    f"{what} failed before the first step: {error}.", f"Correct it, or switch it off with {SWITCHES}."
                ) from error
            self._report(what, f"{type(error).__name__}: {error}")

    def _report(self, what: str, error: str) -> None:
        if what not in self._reported:
            self._reported.add(what)
            self.say(f"{what} failed ({error}). The training goes on; further failures of this kind are not reported.")

    def close(self) -> None:
        if self.board:
            with self._reported_once("Writing for TensorBoard"):
                self.board.close()


def network_around(backbone: nn.Module, model: ModelConfig) -> SarViT:
    """Build a SarViT around a backbone, for its tokens and attention; the head has no values.

    Args:
        backbone: A timm vision transformer; shared, not copied.
        model: Its sizes and bands.
    """
    with torch.device("meta"):  # uses no memory and no random draws
        vit = SarViT(
            dataclasses.replace(model.arch, head="linear"), len(model.bands), model.tile, model.patch, classes=1
        )
    vit.backbone = backbone  # type: ignore[assignment]
    return vit


@contextmanager
def _same_draws(device: torch.device) -> Iterator[None]:
    """Restore the state of every random generator."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
