"""Run one command from its options."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from typing import Any, Callable, TypeVar

from backend.core.cancel import Cancel
from backend.core.events import Reporter, print_lines
from backend.maps.request import Context, Request
from backend.radiometry.units import Units

# Commands that `serve` takes too, one after another.
MODEL_COMMANDS = ("landcover", "attention", "embed", "similarity")
R = TypeVar("R")


def run(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    """Run the command that the options name.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    others: dict[str, Callable[[argparse.Namespace, Reporter, Cancel], None]] = {
        "train": _train, "accuracy": _accuracy, "calibrate": _calibrate, "serve": _serve, "info": _info,
        "card": _card,
    }  # fmt: skip
    if options.command in others:
        others[options.command](options, reporter, cancel)
    else:
        run_model(options, Context(reporter, cancel))


def request_of(kind: Callable[..., R], options: argparse.Namespace, **more: Any) -> R:
    """Build a request from the options that have the names of its fields.

    Args:
        kind: Dataclass of the request.
        options: Parsed command line.
        more: Fields that no option sets, or that take another value.
    """
    given = vars(options)
    names = {field.name for field in fields(kind)} & given.keys()  # type: ignore[arg-type]
    return kind(**{**{name: given[name] for name in names}, **more})


def run_model(options: argparse.Namespace, context: Context) -> None:
    """Run one of MODEL_COMMANDS.

    Args:
        options: Parsed command line.
        context: Reporter, cancel and models.

    Raises:
        SarDinoError: Refused or cancelled.
    """
    from backend.maps.attention import attention
    from backend.maps.embeddings import embed
    from backend.maps.landcover import landcover
    from backend.maps.similarity import similarity

    request, given = _model_request(options), options
    commands: dict[str, Callable[[], object]] = {
        "landcover": lambda: landcover(request, given.confidence, given.probabilities, context),
        "attention": lambda: attention(request, given.heads, given.block, given.mass, given.masks, context),
        "embed": lambda: embed(request, given.block, given.grid, given.pca, context),
        "similarity": lambda: similarity(request, given.point, given.block, given.grid, context),
    }
    commands[given.command]()


def _model_request(options: argparse.Namespace) -> Request:
    return request_of(Request, options, units=Units(options.units))


def _train(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.own_classes.command import SampleSource, train

    context = Context(reporter, cancel)
    train(_model_request(options), request_of(SampleSource, options), not options.no_check, context)


def _accuracy(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.accuracy.command import AccuracyRequest, accuracy

    accuracy(request_of(AccuracyRequest, options, reporter=reporter, cancel=cancel))


def _calibrate(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.grd.command import calibrate
    from backend.grd.pipeline import CalibrateRequest

    calibrate(request_of(CalibrateRequest, options, reporter=reporter, cancel=cancel))


def _serve(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.cli.serve import Inbox, serve

    inbox = Inbox()
    cancel.watch_stdin(inbox.take)
    serve(inbox, sys.stdout, cancel, options.device, options.idle_minutes * 60)


def _info(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.cli import info

    asked = request_of(info.Asked, options, units=Units(options.units))
    facts = info.describe_checked(options.target) if options.check else info.describe(options.target, asked)
    if options.progress == "json":
        reporter.result(facts)
    else:
        print_lines(info.as_lines(facts))


def _card(options: argparse.Namespace, reporter: Reporter, cancel: Cancel) -> None:
    from backend.cli.card import CardRequest, card

    card(request_of(CardRequest, options, printed=options.progress != "json"), Context(reporter, cancel))
