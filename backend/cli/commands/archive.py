"""Define the command `archive`."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli.commands.command import Command, request_of
from backend.cli.shared_options import DEVICES, GRIDS, HEADS, add_engine, add_slopes, whole
from backend.core.context import Context
from backend.core.errors import InputError
from backend.core.supervise import add_progress
from backend.maps.request import MapContext
from backend.radiometry.units import Units

TASKS = ("landcover", "attention", "embed")


def _add_options(parser: argparse.ArgumentParser) -> None:
    kinds = "folder, pattern ('scenes/*.tif'), CSV with a column input, or STAC item collection (.json)"
    parser.add_argument("plan", metavar="PLAN", help=kinds)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the results, and of the claims"
    )
    parser.add_argument(
        "--retries", type=whole, default=2, metavar="N", help="how often a failed scene is repeated (2)"
    )
    parser.add_argument(
        "--dead-after", type=float, default=120.0, metavar="SECONDS",
        help="seconds without a sign of life after which a worker's scene is taken over (120)",
    )  # fmt: skip
    parser.add_argument(
        "--no-wait", dest="wait", action="store_false", help="end while other workers still hold scenes"
    )
    parser.add_argument(
        "--cluster",
        metavar="local|ADDRESS|FILE.json",
        help="map with Dask: local, the address of a scheduler, or its file",
    )
    parser.add_argument(
        "--workers", type=whole, default=0, metavar="N", help="number of processes of --cluster local; 0 chooses"
    )
    task = parser.add_argument_group("the task, as for its own command")
    task.add_argument("--task", dest="task_name", choices=TASKS, default="landcover", help="what to do with each scene")
    task.add_argument(
        "--also", nargs="+", default=[], metavar="OUTPUT",
        help="further outputs of the task: confidence, probabilities, margin, entropy, surroundings, disagreement; "
        "masks; pca",
    )  # fmt: skip
    _add_task_options(task)
    add_progress(parser)


def _add_task_options(task: argparse._ArgumentGroup) -> None:
    task.add_argument("--model", metavar="NAME|DIR", help="name of an installed model, or a model folder")
    task.add_argument("--bands", type=whole, nargs="+", metavar="N", help="band numbers, in the model's order")
    task.add_argument(
        "--units", choices=[u.value for u in Units], default=Units.AUTO.value, help="units of the rasters"
    )
    task.add_argument("--accept-values", action="store_true", help="also map values that can't be backscatter")
    task.add_argument(
        "--extent", type=float, nargs=4, metavar=("XMIN", "YMIN", "XMAX", "YMAX"),
        help="area to map, in the CRS of each raster",
    )  # fmt: skip
    add_slopes(task, one=False)
    task.add_argument("--device", choices=DEVICES, default="auto", help="device of this process")
    task.add_argument("--batch-size", type=whole, default=0, metavar="N", help="number of tiles at once; 0 chooses")
    add_engine(task)
    task.add_argument(
        "--bits", type=int, choices=(8, 32), default=32, help="bits of a value of embeddings, probabilities, confidence"
    )
    task.add_argument(
        "--heads",
        choices=HEADS,
        default=HEADS[0],
        help="heads of attention: their mean, all, or the mean of logarithms",
    )
    task.add_argument("--block", type=int, default=-1, help="transformer block, for attention and embed")
    task.add_argument("--grid", choices=GRIDS, default="patch", help="grid of embed")


def _run(options: argparse.Namespace, context: Context) -> None:
    from backend.archive.command import archive
    from backend.archive.request import ArchiveRequest
    from backend.archive.task import TaskOptions
    from backend.grd.request import Slopes

    if options.workers and options.cluster != "local":
        raise InputError("--workers has no effect without --cluster local.", "Leave it out, or add that.")
    task = request_of(TaskOptions, options, task=options.task_name, slopes=request_of(Slopes, options))
    archive(request_of(ArchiveRequest, options, task=task), MapContext.of(context))


ARCHIVE = Command("archive", "map all scenes of an archive, together with other processes", _add_options, _run)
