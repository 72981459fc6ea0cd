"""Small networks fitted to the features of samples, and put into the head that maps with them.

Each member of the ensemble is a perceptron with one hidden layer; half of them see the windowed backscatter alone and
half the tokens too. Where a handful of samples is all there is, the tokens' many dimensions fit anything and the plain
features hold the average up; with more samples the tokens say what windows can't.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from backend.pixel_head import PixelHead
from training.own.features import Table

# Chosen with benchmarks/own_classes.py in sight; the figures move little with any of them.
STEPS, BATCH, RATE, DECAY = 150, 256, 5e-3, 1e-2
NOISE = 0.3  # deviations of the features, added anew at each step: samples stand for what is like them
SOFTENING = 0.05  # label smoothing: drawn labels are sometimes wrong
SPREAD = 1.4  # of the first weights


@dataclass(frozen=True)
class Ensemble:
    """Weights of all members, for features scaled by `Scaler`: [M, F, H], [M, 1, H], [M, H, K], [M, 1, K]."""

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor

    def logits(self, x: Tensor) -> Tensor:
        """Of each member, [M, n, K], of scaled features [n, F]."""
        return F.gelu(x @ self.first + self.first_bias) @ self.second + self.second_bias

    def probabilities(self, x: Tensor) -> Tensor:
        """Mean of the members' probabilities, [n, K], of scaled features [n, F]."""
        parts = [self.logits(part).softmax(dim=-1).mean(dim=0) for part in torch.split(x, BATCH)]
        return torch.cat(parts)


@dataclass(frozen=True)
class Scaler:
    """Standardises features and gives tokens and pixels, whatever their numbers, the same say.

    Attributes:
        mean: [F].
        factor: [F].
        tokens: How many of the F are tokens; they come first.
    """

    mean: Tensor
    factor: Tensor
    tokens: int

    @staticmethod
    def of(table: Table) -> Scaler:
        """Scaling by all that was read, not by the samples, which may be few."""
        mean, deviation = table.scaling
        tokens, pixels = table.tokens.shape[1], table.pixels.shape[1]
        weight = torch.cat((torch.full((tokens,), tokens**-0.5), torch.full((pixels,), pixels**-0.5)))
        return Scaler(mean, weight / deviation, tokens)

    def __call__(self, tokens: Tensor, pixels: Tensor) -> Tensor:
        """Scaled features [n, F] of a table's tokens and pixels."""
        return (torch.cat((tokens, pixels), dim=1) - self.mean) * self.factor


def fit(
    x: Tensor,
    classes: Tensor,
    weights: Tensor,
    count: int,
    tokens: int,
    *,
    members: int,
    hidden: int,
    seed: int = 0,
    step_done: Callable[[], None] = lambda: None,
) -> Ensemble:
    """Fit all members.

    Args:
        x: Scaled features, float32 [n, F].
        classes: Class index of each, [n].
        weights: What each counts, float32 [n].
        count: Number of classes K.
        tokens: How many of the F are tokens, which the first half of the members doesn't see.
        members: Networks, an even number.
        hidden: Channels of the hidden layer of each.
        seed: Of weights and draws.
        step_done: Called after each of 2 * STEPS steps; may raise to end the work.
    """
    rng = torch.Generator().manual_seed(seed)
    parts = [
        _descend(x[:, skipped:], classes, weights, count, members // 2, hidden, rng, step_done)
        for skipped in (tokens, 0)
    ]
    blind = F.pad(parts[0].first, (0, 0, tokens, 0))
    return Ensemble(
        torch.cat((blind, parts[1].first)),
        *(torch.cat([getattr(part, name) for part in parts]) for name in ("first_bias", "second", "second_bias")),
    )


@contextmanager
def _lightly() -> Iterator[None]:
    """Matrices as small as these gain little from a second core, and where others use it they wait for it for ages.

    And without denormal numbers, which gradients of saturated units become: processors take 20 times as long for them.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)


def _descend(
    x: Tensor,
    classes: Tensor,
    weights: Tensor,
    count: int,
    members: int,
    hidden: int,
    rng: torch.Generator,
    step_done: Callable[[], None],
) -> Ensemble:
    """Members of one kind at once, with AdamW on the cross entropy."""
    first = torch.randn(members, x.shape[1], hidden, generator=rng).mul(SPREAD).requires_grad_()
    second = torch.randn(members, hidden, count, generator=rng).div(hidden**0.5).requires_grad_()
    biases = [torch.zeros(members, 1, width, requires_grad=True) for width in (hidden, count)]
    made = Ensemble(first, biases[0], second, biases[1])
    optimiser = torch.optim.AdamW([first, second, *biases], lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    noise = NOISE * x.square().mean(dim=0).sqrt()
    for _ in range(STEPS):
        drawn = torch.randint(len(x), (min(BATCH, len(x)),), generator=rng)
        logits = made.logits(x[drawn] + noise * torch.randn(len(drawn), x.shape[1], generator=rng))
        target = classes[drawn].expand(members, -1)
        loss = F.cross_entropy(logits.transpose(1, 2), target, reduction="none", label_smoothing=SOFTENING)
        (loss * weights[drawn]).mean(dim=1).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        step_done()
    return Ensemble(*(tensor.detach() for tensor in (first, biases[0], second, biases[1])))


def put_into(head: PixelHead, ensemble: Ensemble, scaler: Scaler) -> None:
    """Write an ensemble into a head, with the scaling multiplied into its first layer.

    Args:
        head: Of the same members, hidden channels, features and classes.
        ensemble: Fitted to features scaled by `scaler`.
        scaler: Is no longer needed afterwards.
    """
    members, features, hidden = ensemble.first.shape
    # [members * hidden, F]: a row for each hidden channel.
    rows = ensemble.first.permute(0, 2, 1).reshape(members * hidden, features).double() * scaler.factor.double()
    bias = ensemble.first_bias.reshape(-1).double() - rows @ scaler.mean.double()
    classify = ensemble.second.permute(0, 2, 1).reshape(-1, hidden)
    with torch.no_grad():
        head.tokens.weight.copy_(rows[:, : scaler.tokens, None, None])
        head.pixels.weight.copy_(rows[:, scaler.tokens :, None, None])
        cast(Tensor, head.pixels.bias).copy_(bias)
        head.classify.weight.copy_(classify[..., None, None])
        cast(Tensor, head.classify.bias).copy_(ensemble.second_bias.reshape(-1))
