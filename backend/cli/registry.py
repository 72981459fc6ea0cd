"""List the commands of the command line, in the order in which its help shows them."""

from __future__ import annotations

from backend.cli.commands.accuracy import ACCURACY
from backend.cli.commands.archive import ARCHIVE
from backend.cli.commands.calibrate import CALIBRATE
from backend.cli.commands.card import CARD
from backend.cli.commands.change import CHANGE
from backend.cli.commands.command import Command
from backend.cli.commands.composite import COMPOSITE
from backend.cli.commands.design import DESIGN
from backend.cli.commands.info import INFO
from backend.cli.commands.model_runs import MODEL_RUNS
from backend.cli.commands.mosaic import MOSAIC
from backend.cli.commands.next_samples import NEXT_SAMPLES
from backend.cli.commands.polygons import POLYGONS
from backend.cli.commands.serve import SERVE
from backend.cli.commands.train import TRAIN
from backend.cli.commands.zones import ZONES

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        *MODEL_RUNS,
        TRAIN,
        ARCHIVE,
        MOSAIC,
        SERVE,
        ACCURACY,
        POLYGONS,
        ZONES,
        CHANGE,
        CALIBRATE,
        COMPOSITE,
        DESIGN,
        NEXT_SAMPLES,
        INFO,
        CARD,
    )
}
