"""Looks at the teacher every so often during a run: k-NN score, pictures, curves, and TensorBoard's copy of them.

Nothing here changes what is learnt: the teacher stays as it is, and every generator is put back. What fails before
the first step is a refusal; what fails later is told once, and the run goes on without it.
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
from training.monitor.curves import draw_curves
from training.monitor.event_files import EventFiles
from training.monitor.pictures import Gallery, choose_scenes
from training.monitor.probe import Probe
from training.run.common_config import ModelConfig
from training.run.files import write_bytes
from training.run.log import CsvLog, read_log

LOOKS = 10
SWITCHES = "monitor.probe, monitor.pictures and monitor.tensorboard switch it off"


class Monitor:
    """What the first process of a run shows.

    Args:
        trainer: what is trained; its teacher is looked at, never changed.
        folders: training data, for the pictures.
        run: folder of the run.
        done: steps done so far.
        say: prints a line.

    Attributes:
        note: the newest k-NN score and the first one, as text; empty before there is one.

    Raises:
        InputError: The probe folder can't be used, or something can't be written.
    """

    def __init__(
        self, trainer: Trainer, folders: Sequence[ChipFolder], run: Path, done: int, say: Callable[[str], None]
    ) -> None:
        """Read probe and scenes, open the files, and look at the teacher of a new run before its first step."""
        self.run, self.device, self.say = run, trainer.world.device, say
        config = trainer.config
        settings = config.monitor
        self.steps, self.every = config.optim.steps, settings.every or -(-config.optim.steps // LOOKS)
        self.vit = network_around(trainer.pair.teacher.backbone, config.model)
        self.probe = Probe(Path(settings.probe), config.model, settings.probe_tokens) if settings.probe else None
        scenes = choose_scenes(folders, config.model, settings.pictures) if settings.pictures else []
        self.gallery = Gallery(scenes) if scenes else None
        self.note = ""
        self._at_first: float | None = None
        self._running, self._told = False, set[str]()
        with self._told_once("Opening the files"):
            self._open(settings.tensorboard, done)
        if not done:
            self.look(0)
        self._running = True

    def _open(self, tensorboard: bool, done: int) -> None:
        self.scores = None
        if self.probe:
            # A score's step is the steps done: that of the checkpoint itself is kept.
            path = self.run / "probe.csv"
            self.scores = CsvLog(path, done + 1 if done else 0, ("step", *self.probe.columns))
            self._at_first = next(iter(read_log(path)["knn_accuracy"]), None)
        if self.gallery:
            (self.run / "pictures").mkdir(exist_ok=True)
        self.board = EventFiles(self.run / "tensorboard", done) if tensorboard else None

    def due(self, done: int) -> bool:
        """Whether the teacher is to be looked at after `done` steps."""
        return done % self.every == 0 or done == self.steps

    def scalars(self, done: int, values: Mapping[str, float]) -> None:
        """Pass a row of log.csv on to TensorBoard."""
        if self.board:
            with self._told_once("Writing for TensorBoard"):
                self.board.scalars("train", done, values)

    def look(self, done: int) -> float:
        """Score and draw the teacher after `done` steps; returns the seconds spent."""
        began = time.monotonic()
        with _same_draws(self.device), self._told_once("The k-NN probe"):
            self._score(done)
        with _same_draws(self.device), self._told_once("Drawing pictures"):
            self._draw(done)
        with self._told_once("Drawing curves"):
            logs = (read_log(self.run / name) for name in ("log.csv", "probe.csv"))
            self._write(self.run / "curves.png", draw_curves(*logs))
        return time.monotonic() - began

    def _score(self, done: int) -> None:
        if self.probe and self.scores:
            scores = self.probe.score(self.vit, self.device)
            now = scores["knn_accuracy"]
            self._at_first = now if self._at_first is None else self._at_first
            self.note = f"k-NN {now:.3f} (at first {self._at_first:.3f})"
            self.scores.write({"step": done, **scores})
            if self.board:
                self.board.scalars("probe", done, scores)

    def _draw(self, done: int) -> None:
        if self.gallery:
            figure = self.gallery.draw(self.vit, self.device, f"Teacher after {done} of {self.steps} steps")
            png, size = self._write(self.run / "pictures" / f"step_{done:06d}.png", figure)
            if self.board:
                self.board.picture("scenes", done, png, *size)

    def _write(self, path: Path, figure: Figure) -> tuple[bytes, tuple[int, int]]:
        """Write a figure as PNG; returns the file's content, and width and height."""
        buffer = BytesIO()
        figure.savefig(buffer, format="png")
        write_bytes(path, buffer.getvalue())
        return buffer.getvalue(), figure.canvas.get_width_height()

    @contextmanager
    def _told_once(self, what: str) -> Iterator[None]:
        try:
            yield
        except SarDinoError as error:
            if not self._running:
                raise
            self._tell(what, error.message)
        except Exception as error:  # whatever it is, a run of days must not end by a picture of it
            if not self._running:
                raise InputError(f"{what} failed before the first step: {error}.", f"Mend it; {SWITCHES}.") from error
            self._tell(what, f"{type(error).__name__}: {error}")

    def _tell(self, what: str, error: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self.say(f"{what} failed ({error}). The training goes on; further failures of this kind are not told.")

    def close(self) -> None:
        """Close TensorBoard's file."""
        if self.board:
            with self._told_once("Writing for TensorBoard"):
                self.board.close()


def network_around(backbone: nn.Module, model: ModelConfig) -> SarViT:
    """The software's own network around a backbone, for its tokens and attention; the head has no values.

    Args:
        backbone: a timm vision transformer, shared and not copied.
        model: what it is.
    """
    with torch.device("meta"):  # takes neither memory nor random draws
        vit = SarViT(
            dataclasses.replace(model.arch, head="linear"), len(model.bands), model.tile, model.patch, classes=1
        )
    vit.backbone = backbone  # type: ignore[assignment]
    return vit


@contextmanager
def _same_draws(device: torch.device) -> Iterator[None]:
    """Put every generator back as it was."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
