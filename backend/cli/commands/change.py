"""Define the command `change`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.accuracy import REMAP
from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import add_writing, whole
from backend.core.context import Context
from backend.core.errors import InputError
from backend.radiometry.units import Units

MAPS, SAR = "maps", "sar"
# Options of one kind of input, by destination; they have no effect on the other one, which refuses them.
OF_MAPS = ("mapping", "ignore", "samples", "field", "before_field", "after_field")
OF_SAR = (
    "window", "level", "looks", "decibels", "p_value", "bands", "units", "before_with", "after_with", "accept_values"
)  # fmt: skip


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="BEFORE", help="raster of the earlier date")
    parser.add_argument("after", metavar="AFTER", help="raster of the later date")
    parser.add_argument("output", metavar="OUTPUT", type=Path, help="GeoTIFF to write: transitions, or changes of SAR")
    parser.add_argument(
        "--from", dest="kind", choices=(MAPS, SAR), default=MAPS,
        help="what the rasters are: maps of classes (the default), or backscatter",
    )  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="HTML", help="also write a page with both dates and the areas")
    parser.add_argument("--json", type=Path, help="also write every figure as JSON")
    parser.add_argument("--csv", type=Path, help="also write the areas as CSV")
    add_writing(parser)
    _add_map_options(parser.add_argument_group("for maps of classes"))
    _add_sar_options(parser.add_argument_group("for backscatter (--from sar)"))


def _add_map_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--remap", dest="mapping", type=REMAP, metavar="OLD=NEW,…",
        help="values of the earlier map to use for values or names of the later one",
    )  # fmt: skip
    group.add_argument("--ignore", type=int, nargs="+", metavar="VALUE", help="values to leave out of both maps")
    group.add_argument("--samples", metavar="FILE", help="GeoJSON of reference points or polygons, for areas of change")
    group.add_argument("--field", metavar="NAME", help="field of the samples with the transition, by number or name")
    group.add_argument("--before-field", metavar="NAME", help="field of the samples with the class before")
    group.add_argument("--after-field", metavar="NAME", help="field of the samples with the class after")


def _add_sar_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--window",
        type=whole,
        metavar="PIXELS",
        help="side in pixels of the window that is averaged, an odd number (7)",
    )
    group.add_argument("--level", type=float, metavar="P", help="share of unchanged pixels that may be marked (0.01)")
    group.add_argument("--looks", type=float, metavar="N", help="equivalent looks of a pixel; estimated by default")
    group.add_argument("--decibels", type=Path, metavar="PATH", help="also write the change in dB")
    group.add_argument("--p-value", type=Path, metavar="PATH", help="also write the p value of no change")
    what = "another raster of the {} date, such as the other polarisation (may be repeated)"
    for name in ("before", "after"):
        group.add_argument(f"--{name}-with", action="append", metavar="FILE", help=what.format(name))
    group.add_argument(
        "--bands", type=whole, nargs="+", metavar="N", help="band numbers in both rasters, co-polarisation first"
    )
    group.add_argument("--units", choices=[u.value for u in Units], help="units of both rasters (auto)")
    group.add_argument(
        "--accept-values", action="store_true", default=None, help="also compare values that can't be backscatter"
    )


def _run(options: argparse.Namespace, context: Context) -> None:
    _refuse_others(options)
    if options.kind == SAR:
        _run_sar(options, context)
        return
    from backend.change.command import ChangeRequest, change
    from backend.change.reference_samples import SampleFields

    fields = SampleFields(options.field, options.before_field, options.after_field)
    more = {"fields": fields, "mapping": options.mapping or {}, "ignore": options.ignore or ()}
    change(request_of(ChangeRequest, options, **more), context)


def _run_sar(options: argparse.Namespace, context: Context) -> None:
    from backend.change.date_pair import DateInput
    from backend.change.sar_command import SarChangeRequest, sar_change

    units, accept = Units(options.units or Units.AUTO.value), bool(options.accept_values)
    before, after = (
        DateInput(path, further or (), options.bands, units, accept)
        for path, further in ((options.before, options.before_with), (options.after, options.after_with))
    )
    given = {
        name: getattr(options, name) for name in ("window", "level", "looks") if getattr(options, name) is not None
    }
    paths = {name: getattr(options, name) for name in ("output", "decibels", "p_value", "report", "json", "csv")}
    sar_change(SarChangeRequest(before, after, overwrite=options.overwrite, **paths, **given), context)


def _refuse_others(options: argparse.Namespace) -> None:
    """Refuse options that would have no effect.

    Raises:
        InputError: There is one.
    """
    wrong, other = (OF_MAPS, "maps of classes") if options.kind == SAR else (OF_SAR, "backscatter (--from sar)")
    for name in wrong:
        if getattr(options, name) is not None:
            shown = "--remap" if name == "mapping" else f"--{name.replace('_', '-')}"
            raise InputError(f"{shown} has an effect on {other} only.", "Leave it out, or change --from.")
    if options.kind == MAPS and not options.samples:
        for name in ("field", "before_field", "after_field"):
            if getattr(options, name) is not None:
                raise InputError(f"--{name.replace('_', '-')} has no effect without --samples.", "Add --samples.")


CHANGE = Command("change", "compare two dates: maps of classes, or backscatter", _add_options, _run)
