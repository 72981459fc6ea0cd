"""Start to load the model of a run before the libraries that read rasters are imported."""

from __future__ import annotations

from contextlib import suppress

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.core.errors import SarDinoError
from backend.engines.answer import Answer
from backend.engines.choice import check_engine
from backend.maps.load import Wish
from backend.maps.request import MapContext, Request


def begin(request: Request, context: MapContext, answer: Answer | None) -> None:
    """Start to load the model in another thread; what is wrong with it is said when the run is prepared.

    Args:
        request: Input, outputs and options of the run.
        context: Its models keep the loaded one.
        answer: Wanted outputs of the network, where known: they are compiled and checked too.
    """
    with suppress(SarDinoError):
        context.models.begin(model_wish(request), answer)


def model_wish(request: Request) -> Wish:
    """Return which model a request wants, once its card is known to be right and its engine to be here.

    Raises:
        SarDinoError: The card is wrong, or the engine isn't available.
    """
    folder = model_folder(request.model)
    card = ModelCard.load(folder / CARD)
    check_engine(request.engine, request.device, card)
    return Wish(folder, card, request.engine, request.device, request.batch_size)
