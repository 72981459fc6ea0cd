"""List the maps of an archive that a mosaic is made of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from backend.archive.dates import span
from backend.archive.folder import ArchiveFolder
from backend.archive.footprint import Box
from backend.archive.manifest import FINISHED, read_manifest, row_box
from backend.card.model_card import LandCoverClass
from backend.core.errors import InputError
from backend.core.plain_json import parse_json


@dataclass(frozen=True)
class Source:
    """Hold a finished map.

    Attributes:
        name: Name of the scene.
        classes: Its raster of classes.
        probabilities: Its raster with a band for each class; None if there is none.
        date: ISO 8601; empty if unknown.
        box: West, south, east, north in degrees; west is larger than east across the antimeridian.
        digest: SHA-256 of the map.
    """

    name: str
    classes: Path
    probabilities: Path | None
    date: str
    box: Box
    digest: str


def read_sources(manifest: Path) -> tuple[list[Source], list[LandCoverClass]]:
    """Return the finished maps of an archive, in its order, and their legend.

    Raises:
        InputError: The manifest or an item can't be read, or the archive holds no land cover.
    """
    folder = ArchiveFolder(manifest.parent)
    rows = [row for row in read_manifest(manifest) if row["status"] == FINISHED]
    options = folder.options()
    if options["task"] != "landcover":
        raise InputError(f"{manifest} is of the task {options['task']}.", "A mosaic is made of land cover.")
    if not rows:
        raise InputError(f"{manifest} lists no finished scene.", "Finish the archive first.")
    classes = [LandCoverClass(*fields) for fields in options["classes"]]
    wanted = "probabilities" in options["also"]
    for row in rows:
        if row.get("model_sha256") != options["model_sha256"]:
            raise InputError(
                f"{row['name']} in {manifest} was mapped with another model than the archive's ({options['model']}).",
                "A mosaic is made of maps of one model: run the archive again, in another folder.",
            )
    return [_source(folder, row, wanted) for row in rows], classes


def _source(folder: ArchiveFolder, row: dict[str, str], wanted: bool) -> Source:
    name = row["name"]
    probabilities = None
    try:
        if wanted:
            assets = parse_json(folder.item(name).read_bytes())["assets"]
            probabilities = folder.scenes / name / os.path.basename(unquote(assets["probabilities"]["href"]))
        box = row_box(row)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The item of {name} can't be read: {error}.", "Run the archive again.") from error
    if box is None:
        raise InputError(
            f"{name} has no coordinate system: it has no place in a mosaic.",
            "Leave it out of the archive's plan, or give it one.",
        )
    return Source(name, folder.root / row["output"], probabilities, row["datetime"], box, row["sha256"])


def newest_first(sources: Sequence[Source]) -> list[Source]:
    """Return maps by date, the newest first.

    Raises:
        InputError: The date of one is unknown.
    """
    dated = []
    for source in sources:
        times = span(source.date)
        if times is None:
            raise InputError(
                f"The date of {source.name} is {repr(source.date) if source.date else 'unknown'}.",
                "Give dates in the plan of the archive (a CSV with a column datetime), or use --by probability.",
            )
        dated.append((times, source))
    return [source for _, source in sorted(dated, key=lambda pair: pair[0], reverse=True)]
