"""What runs the tiles of a session: PyTorch, or OpenVINO where that was asked for or gains."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Callable

from torch import Tensor

from backend.card.model_card import ModelCard
from backend.core.cancel import Cancel
from backend.core.errors import ModelError, ResourceError
from backend.engines.choice import choose_engine, tile_flop
from backend.engines.pytorch import TileRunner
from backend.network.int8 import quantised
from backend.network.vit import SarViT
from backend.stream.tiles import Model

if TYPE_CHECKING:
    from backend.engines.openvino import OpenVinoRunner
    from backend.maps.session import Session

# From the network and tiles [n, bands, tile, tile] to [n, channels, t, t].
Answer = Callable[[SarViT, Tensor], Tensor]


def make_runner(run: Session, answer: Answer, tiles: int, fetch: bool = True) -> Model:
    """A callable on arrays for the stream; the session is told which engine it is.

    Args:
        run: An entered session.
        answer: What is wanted of the network.
        tiles: How many will come.
        fetch: As for `TileRunner`; False on a graphics card alone.

    Raises:
        ModelError: The card's ranges don't fit the network.
        ResourceError: The engine that was asked for can't run it.
    """
    wanted, log = run.request.engine, run.request.reporter.log
    run.engine = choose_engine(wanted, run.device, run.card, tiles * tile_flop(run.model, run.card.tile))
    if run.engine != "pytorch":
        try:
            runner = through_openvino(
                run.model, run.card, answer, run.batch, run.engine == "openvino-int8", run.request.cancel
            )
        except ResourceError as refusal:
            if wanted != "auto":
                raise
            log("warning", f"{refusal.message} PyTorch runs it instead.")
            run.engine = "pytorch"
        else:
            log("info", f"OpenVINO runs the model{' in eight bits' if run.engine == 'openvino-int8' else ''}.")
            return runner
    return TileRunner(partial(answer, run.model), run.device, run.batch, log, fetch)


def through_openvino(
    network: SarViT, card: ModelCard, answer: Answer, batch: int, in_eight_bits: bool, cancel: Cancel
) -> OpenVinoRunner:
    """OpenVINO on the processor, checked against PyTorch unless it runs in eight bits; `cancel` ends its answers.

    Raises:
        ModelError: The card's ranges don't fit the network.
        ResourceError: It can't be loaded, can't run the network, or comes to another result.
    """
    try:
        from backend.engines.openvino import OpenVinoRunner
    except (ImportError, OSError) as error:
        raise ResourceError(f"OpenVINO is here but can't be loaded ({error}).", "Install it again.") from error

    if in_eight_bits:
        try:
            network = quantised(network, card.activation_ranges)
        except ValueError as error:
            raise ModelError(f"activation_ranges of the card don't fit: {error}.", "Copy the model again.") from error
    runner = OpenVinoRunner(network, answer, len(card.bands), card.tile, batch, cancel)
    if not in_eight_bits:
        runner.check()
    return runner
