"""Make the runner of tiles: PyTorch, or OpenVINO if it was asked for or is the default of the device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Callable

import torch
from torch import Tensor

from backend.card.model_card import ModelCard
from backend.core.cancel import Cancel
from backend.core.errors import ModelError, ResourceError
from backend.engines.choice import choose_engine
from backend.engines.pytorch import TileRunner
from backend.network.int8 import quantised
from backend.network.vit import SarViT
from backend.stream.tiles import Model

if TYPE_CHECKING:
    from backend.engines.openvino import Converted

# From the network and tiles [n, bands, tile, tile] to [n, channels, t, t].
Answer = Callable[[SarViT, Tensor], Tensor]
# Converted networks kept at most; each holds the weights again.
KEPT = 2


@dataclass(frozen=True)
class RunnerOptions:
    """Hold the options of a runner.

    Attributes:
        answer: What is wanted of the network.
        engine: One of `backend.engines.choice.ENGINES`.
        batch: Tiles at once.
        fetch: As for `TileRunner`; False on a graphics card alone.
        cancel: Once set, tiles that wait are given up.
        log: Called with (level, message).
        converted: The network as OpenVINO runs it, by answer, from earlier runs with this engine and batch; added to,
            KEPT at most.
    """

    answer: Answer
    engine: str
    batch: int
    fetch: bool
    cancel: Cancel
    log: Callable[[str, str], None]
    converted: dict[Answer, Converted] = field(default_factory=dict)


@contextmanager
def make_runner(
    network: SarViT, card: ModelCard, device: torch.device, options: RunnerOptions
) -> Iterator[tuple[Model, str]]:
    """Make a callable on arrays for the stream; its threads end with the context.

    Args:
        network: On the device.
        card: The network's.
        device: Chosen for the request.
        options: How to run it.

    Yields:
        The callable, and the name of its engine.

    Raises:
        ModelError: The card's ranges don't fit the network.
        ResourceError: The engine that was asked for can't run it.
    """
    engine = choose_engine(options.engine, device, card)
    if engine != "pytorch":
        try:
            converted = options.converted.get(options.answer)
            if converted is None:
                converted = convert(network, card, options.answer, options.batch, engine == "openvino-int8")
                while len(options.converted) >= KEPT:
                    options.converted.pop(next(iter(options.converted)))
                options.converted[options.answer] = converted
        except ResourceError as refusal:
            if options.engine != "auto":
                raise
            options.log("warning", f"{refusal.message} PyTorch runs it instead.")
        else:
            options.log("info", f"OpenVINO runs the model{' in eight bits' if engine == 'openvino-int8' else ''}.")
            with converted.runner(options.cancel) as runner:
                yield runner, engine
            return
    yield TileRunner(partial(options.answer, network), device, options.batch, options.log, options.fetch), "pytorch"


def convert(network: SarViT, card: ModelCard, answer: Answer, batch: int, in_eight_bits: bool) -> Converted:
    """Convert a network for OpenVINO on the processor, and check it against PyTorch.

    Raises:
        ModelError: The card's ranges don't fit the network.
        ResourceError: OpenVINO can't be loaded, can't run the network, or comes to another result.
    """
    try:
        from backend.engines.openvino import Converted
    except (ImportError, OSError) as error:
        raise ResourceError(f"OpenVINO is here but can't be loaded ({error}).", "Install it again.") from error

    if in_eight_bits:
        try:
            network = quantised(network, card.activation_ranges)
        except ValueError as error:
            raise ModelError(f"activation_ranges of the card don't fit: {error}.", "Copy the model again.") from error
    converted = Converted(network, answer, (len(card.bands), card.tile, card.tile), batch)
    converted.check(in_eight_bits)
    return converted
