"""Write the manifest of an archive: a CSV with a line for each scene, and a STAC collection of the results."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from backend import __version__
from backend.archive.folder import ArchiveFolder
from backend.archive.footprint import Box, union_box
from backend.archive.items import item_date
from backend.archive.units import Unit
from backend.archive.worker import State
from backend.card.mlm import ALWAYS, EXTENSIONS, TASKS, WORLD, mlm_item, stac_licence
from backend.card.model_card import ModelCard
from backend.card.model_files import measure_files
from backend.card.registry import CARD, model_folder
from backend.core.atomic_files import refusing, write_files
from backend.core.claims import claim
from backend.core.errors import InputError, ResourceError
from backend.core.plain_json import parse_json

FINISHED, GIVEN_UP, OPEN = "finished", "given up", "open"
COLUMNS = (
    "name", "status", "datetime", "input", "output", "bytes", "sha256", "model", "model_sha256", "version", "device",
    "engine", "seconds", "checks", "attempt", "worker", "made", "west", "south", "east", "north", "error",
    "warnings",
)  # fmt: skip
Row = dict[str, Any]


def write_manifest(folder: ArchiveFolder, units: Sequence[Unit], state: State, model: str | None) -> bool:
    """Write manifest.csv, collection.json and model.json.

    Lines of an older manifest are taken over, but for scenes that this run has made: a finished scene never changes,
    unless a user removes its result, and so each item is read once, not once for each worker that ends.

    Args:
        folder: Folder of the archive.
        units: The plan.
        state: Finished scenes, and those given up.
        model: Name or folder of the model.

    Returns:
        False if another process is writing the manifest.

    Raises:
        InputError: An item can't be read.
        ResourceError: The disk can't be written to.
    """
    card = ModelCard.load(model_folder(model) / CARD)
    try:
        with claim(folder.manifest):
            rows, known = _rows(folder, units, state)
            if rows == known:
                return True
            with refusing(folder.root):
                write_files({
                    folder.model: _json(_model_item(folder, model, card)),
                    folder.collection: _json(_collection(rows, card)),
                    folder.manifest: _csv(rows),
                })  # fmt: skip
    except ResourceError as error:
        if isinstance(error.__cause__, BlockingIOError) and folder.manifest.exists():
            return False
        rows, known = _rows(folder, units, state)
        if rows != known:  # else it is complete, on a disk that is full or may only be read
            raise
    return True


def _rows(folder: ArchiveFolder, units: Sequence[Unit], state: State) -> tuple[list[Row], list[Row]]:
    """Return the lines of the manifest as they should be, and as they are."""
    found = read_manifest(folder.manifest) if folder.manifest.exists() else []
    known = {row["name"]: {key: row.get(key) or "" for key in COLUMNS} for row in found}
    rows = [_row(folder, unit, state, known) for unit in units]
    return [{key: str(row[key]) for key in COLUMNS} for row in rows], list(known.values())


def read_manifest(path: Path) -> list[dict[str, str]]:
    """Return the lines of a manifest, by column.

    Raises:
        InputError: It can't be read, or isn't a manifest.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f"The manifest {path} can't be read: {error}.", "Give the manifest.csv of an archive."
        ) from error
    if not {"name", "status", "output"} <= set(reader.fieldnames or ()):
        raise InputError(f"{path} is not the manifest of an archive.", "Give the manifest.csv of an archive.")
    return rows


def row_box(row: Mapping[str, Any]) -> Box | None:
    """Return west, south, east and north of a line, in degrees; None if the place of its scene is unknown."""
    west, south, east, north = (float(row[side] or "nan") for side in ("west", "south", "east", "north"))
    return None if math.isnan(west + south + east + north) else (west, south, east, north)


def _row(folder: ArchiveFolder, unit: Unit, state: State, known: Mapping[str, Row]) -> Row:
    old = known.get(unit.name)
    if unit.name in state.finished:
        kept = old is not None and old["status"] == FINISHED and unit.name not in state.made
        return old if old is not None and kept else _finished_row(folder, unit)
    row: Row = dict.fromkeys(COLUMNS, "")
    row |= {"name": unit.name, "datetime": unit.date, "input": "|".join(unit.recorded), "status": OPEN}
    if unit.name in state.given_up:
        row |= {"status": GIVEN_UP, "error": state.given_up[unit.name]}
    return row


def _finished_row(folder: ArchiveFolder, unit: Unit) -> Row:
    path = folder.item(unit.name)
    try:
        item = parse_json(path.read_bytes())
        facts, output = item["properties"], item["assets"]["output"]
        west, south, east, north = item.get("bbox") or [""] * 4
        checks = {check["name"]: check["verdict"] for check in facts["sardino:checks"]}
        return {
            "name": unit.name, "status": FINISHED, "datetime": unit.date, "input": "|".join(unit.recorded),
            "output": f"scenes/{unit.name}/{unquote(output['href'])[2:]}", "bytes": output["file:size"],
            "sha256": output["file:checksum"][4:], "model": facts["mlm:name"],
            "model_sha256": facts["sardino:model_sha256"], "version": next(iter(facts["processing:software"].values())),
            "device": facts["sardino:device"], "engine": facts["sardino:engine"], "seconds": facts["sardino:seconds"],
            "checks": " ".join(f"{name}={verdict}" for name, verdict in checks.items()),
            "attempt": facts["sardino:attempt"], "worker": facts["sardino:worker"], "made": facts["created"],
            "west": west, "south": south, "east": east, "north": north, "error": "",
            "warnings": " ".join(facts.get("sardino:warnings", ())),
        }  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The result {path} can't be read: {error}.", f"Remove the folder {path.parent} to map that scene again."
        ) from error


def _collection(rows: Sequence[Row], card: ModelCard) -> dict[str, Any]:
    done = [row for row in rows if row["status"] == FINISHED]
    box = union_box(box for box in map(row_box, done) if box is not None) or WORLD
    dates = [item_date(row["datetime"]) for row in done]
    known = [d for d in dates if d != ALWAYS]
    first = min((d["datetime"] or d["start_datetime"] for d in known), default=None)
    last = max((d["datetime"] or d["end_datetime"] for d in known), default=None)
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "stac_extensions": [EXTENSIONS[0]],
        "id": "archive",
        "title": f"Results of {card.title}",
        "description": f"{len(done)} of {len(rows)} scenes, by SAR Land Cover (DINO) {__version__} with {card.name}.",
        "license": stac_licence(card.licence) if card.licence else "other",
        "extent": {"spatial": {"bbox": [list(box)]}, "temporal": {"interval": [[first, last]]}},
        # As JSON Schemas: the form that both STAC and the schema of MLM 1.4.0 accept.
        "summaries": {"mlm:name": {"const": card.name}, "mlm:tasks": {"const": TASKS}},
        "links": [
            {"rel": "root", "href": "./collection.json", "type": "application/json"},
            {"rel": "about", "href": "./model.json", "type": "application/geo+json", "title": card.title},
            *(
                {"rel": "item", "href": f"./scenes/{row['name']}/{row['name']}.json", "type": "application/geo+json"}
                for row in done
            ),
        ],
    }


def _model_item(folder: ArchiveFolder, model: str | None, card: ModelCard) -> dict[str, Any]:
    files = model_folder(model)
    try:
        base = quote(Path(os.path.relpath(files, folder.root)).as_posix()) + "/"
    except ValueError:  # another drive of Windows
        base = Path(os.path.abspath(files)).as_uri() + "/"
    return mlm_item(card, measure_files(files, card), base)


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, allow_nan=False) + "\n").encode()


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")
