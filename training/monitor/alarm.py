"""Warn in plain words when a run learns nothing, as soon as its scores show it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from training.run.pretrain_config import PretrainConfig

# Share of the steps that compare tokens after which targets should no longer be uniform.
EARLY = 0.2
# Entropy of the targets relative to that of the uniform guess, and information of image and prototype in nats.
NEARLY_UNIFORM, LEAST_INFORMATION = 0.99, 0.05
# Looks in a row below random weights.
PATIENCE = 2

ADVICE = (
    "Take more and smaller steps (optim.steps, optim.batch), a lower optim.base_lr or fewer prototypes "
    "(dino.out_dim); if it was so from the beginning, check the stem and its initialisation (model.arch)."
)


class LearningAlarm:
    """Compare a run with random weights and with the uniform guess.

    Args:
        config: Settings of the run.
        before: Columns of probe.csv of an earlier part of the run, if there was one.
    """

    def __init__(self, config: PretrainConfig, before: Mapping[str, Sequence[float]]) -> None:
        self.config, self._told = config, set[str]()
        self._first: dict[str, float] = {}
        self._below = 0
        for row in zip(*before.values()):
            # A warning that an earlier part of the run gave is not repeated.
            if self.scores(dict(zip(before, row))):
                self._told.add("scores")

    def scores(self, scores: Mapping[str, float]) -> str:
        """Look at the scores of the teacher; the first are those of random weights.

        Args:
            scores: Balanced accuracies and more, by name; "step" is the number of steps done.

        Returns:
            What is wrong, once; else an empty text.
        """
        kinds = {"knn_balanced_accuracy": "nearest neighbours", "linear_balanced_accuracy": "the linear probe"}
        known = {name: scores[name] for name in kinds if name in scores and not math.isnan(scores[name])}
        if not self._first:
            self._first = known
            return ""
        worse = [name for name, value in known.items() if value < self._first.get(name, -math.inf)]
        self._below = self._below + 1 if worse else 0
        if self._below < PATIENCE or "scores" in self._told:
            return ""
        self._told.add("scores")
        told = " and ".join(f"{kinds[name]} {known[name]:.3f}, at first {self._first[name]:.3f}" for name in worse)
        return (
            f"After {scores['step']:.0f} steps the tokens tell land cover worse than random weights of the same "
            f"network ({told}), for the second time: this run unlearns. {ADVICE}"
        )

    def targets(self, done: int, log: Mapping[str, Sequence[float]]) -> str:
        """Look at the targets of the latest fifth of the rows of log.csv in which tokens are compared.

        Args:
            done: Steps done.
            log: Its columns.

        Returns:
            What is wrong, once; else an empty text.
        """
        dino, steps = self.config.dino, self.config.optim.steps
        levels = dino.levels_steps(steps)
        rows = sum(step >= levels for step in log.get("step", ()))
        early = done - levels < EARLY * (steps - levels)
        if early or not rows or "targets" in self._told or not (dino.dino_weight or dino.ibot_weight):
            return ""
        latest = -max(1, round(EARLY * rows))
        entropy, information = (float(np.mean(log[name][latest:])) for name in ("teacher_entropy", "information"))
        most = math.log(dino.out_dim)
        if entropy < NEARLY_UNIFORM * most and information >= LEAST_INFORMATION:
            return ""
        self._told.add("targets")
        same = "are nearly uniform" if entropy >= NEARLY_UNIFORM * most else "are nearly the same for all images"
        return (
            f"After {done} steps the targets of the teacher {same} (entropy {entropy:.3f} of at most {most:.3f} nats, "
            f"information {information:.3f}): there is nothing to learn from them. Lower dino.teacher_temp"
            f"{'' if dino.standardise else ', or set dino.standardise=true'}. {ADVICE}"
        )
