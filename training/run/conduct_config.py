"""Define how a pre-training run is carried out and monitored; a resumed run may change nearly all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from training.run.common_config import Precision
from training.run.limits import Amount, Count, Device, NotNegative, Range, Seed, check_limits


@dataclass(frozen=True)
class RunConfig:
    """Set how a run is carried out; a resumed run may change everything but the seed and the resulting precision.

    Attributes:
        seed: Seed of every random draw.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "float32", "bfloat16", or "auto" (bfloat16 on CUDA devices that support it, else float32).
        workers: Processes that cut crops; 0 cuts them in the training process.
        memory_gb: Size up to which each process keeps images in memory, as float16; others are read when drawn.
        log_every: Steps between rows of log.csv.
        checkpoint_every_s: Seconds between checkpoints.
    """

    seed: Seed = 0
    device: Device = "auto"
    precision: Precision = "auto"
    workers: Amount = 0
    memory_gb: NotNegative = 4.0
    log_every: Count = 10
    checkpoint_every_s: NotNegative = 300.0

    def __post_init__(self) -> None:
        check_limits(self, "run")


@dataclass(frozen=True)
class MonitorConfig:
    """Set how a running pre-training is monitored. This does not change what is learnt; a resumed run may change it.

    Attributes:
        every: Steps between two evaluations of the teacher; 0 for ten a run.
        probe: Labelled data folder for the k-NN score of the tokens; empty for none.
        probe_tokens: Maximum number of tokens of each split of that folder.
        pictures: Number of scenes drawn with attention and principal components; 0 for none.
        tensorboard: Also write everything to RUN/tensorboard.
    """

    every: Amount = 0
    probe: str = ""
    # With more, the other processes of a distributed run would wait longer than their time limit.
    probe_tokens: Annotated[int, Range(100, 100_000)] = 4000
    pictures: Annotated[int, Range(0, 32)] = 4
    tensorboard: bool = True

    def __post_init__(self) -> None:
        check_limits(self, "monitor")
