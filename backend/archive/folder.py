"""Lay out the folder of an archive, and keep it to one plan and one set of options.

archive.json      plan and options, written once; a run with others is refused
plan.csv          the scenes
claims/           NAME.N.claim, attempt N on a scene; NAME.N.failed, why it failed
work/NAME.N-TOKEN/ what attempt N has written so far
scenes/NAME/      a finished scene: its rasters, and NAME.json, a STAC item
manifest.csv, collection.json, model.json
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend import __version__
from backend.archive.plan import SETTINGS, plan_digest, plan_text
from backend.archive.units import Unit
from backend.core.atomic_files import Part, refusing, sync_folder
from backend.core.cancel import POLL_S
from backend.core.errors import InputError
from backend.core.plain_json import parse_json

SCHEMA = 1
_NEW = {"card_sha256"}
# Seconds to wait for a process that is writing the settings.
WAIT_S = 10.0
_OTHER = "Give the plan and the options of its first run, or another folder with --out."


class ArchiveFolder:
    """Locate the files in the folder of an archive.

    Args:
        root: Its path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings, self.plan = root / SETTINGS, root / "plan.csv"
        self.claims, self.work, self.scenes = root / "claims", root / "work", root / "scenes"
        self.manifest, self.collection, self.model = (
            root / "manifest.csv",
            root / "collection.json",
            root / "model.json",
        )

    def open(self, units: Sequence[Unit], options: Mapping[str, Any]) -> None:
        """Make the folder for a plan and options, or check that it was made for these.

        Args:
            units: The plan.
            options: Options that the results depend on; plain JSON types.

        Raises:
            InputError: The folder is of another plan or other options, or holds something else.
            ResourceError: It can't be written to.
        """
        wanted = {"schema_version": SCHEMA, "plan_sha256": plan_digest(units), "units": len(units), "options": options}
        with refusing(self.root):
            if not self.settings.exists():
                self._refuse_foreign()
                for folder in (self.root, self.claims, self.work, self.scenes):
                    folder.mkdir(parents=True, exist_ok=True)
                _write_once(self.settings, json.dumps({**wanted, "program": __version__}, indent=2) + "\n")
        self._compare(wanted)
        with refusing(self.root):
            if (
                not self.plan.exists()
            ):  # after the settings: of several processes that begin, those of one plan are left
                _write_once(self.plan, plan_text(units))

    def options(self) -> dict[str, Any]:
        """Return the options that the folder was made for.

        Raises:
            InputError: It is no folder of an archive.
        """
        found: dict[str, Any] = self._read()["options"]
        return found

    def program(self) -> str:
        """Return the version that the folder was made by."""
        return str(self._read().get("program"))

    def check(self, options: Mapping[str, Any]) -> None:
        """Raise InputError if the folder was made for other options."""
        before = self.options()
        # Earlier versions left out what they didn't know.
        other = [
            key for key in sorted({*before, *options} - (_NEW - before.keys())) if before.get(key) != options.get(key)
        ]
        if other:
            listed = "; ".join(f"{key} was {before.get(key)!r}, now {options.get(key)!r}" for key in other)
            raise InputError(f"{self.root} was begun with other options: {listed}.", _OTHER)

    def finished(self) -> set[str]:
        """Return the names of the scenes that are finished. Takes one look at one folder."""
        with refusing(self.root):
            return set(os.listdir(self.scenes))

    def item(self, name: str) -> Path:
        """Return the path of the STAC item of a finished scene."""
        return self.scenes / name / f"{name}.json"

    def _refuse_foreign(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise InputError(f"{self.root} is a file.", "Give a folder for the results.")
        # The settings, if another process has begun since.
        known = {"claims", "work", "scenes", self.plan.name, self.settings.name}
        foreign = (
            [n for n in os.listdir(self.root) if n not in known and not n.startswith(".")] if self.root.exists() else []
        )
        if foreign:
            raise InputError(
                f"The folder {self.root} holds {foreign[0]} and was not made by this command.",
                "Give a new or an empty folder with --out.",
            )

    def _read(self) -> dict[str, Any]:
        try:
            found = parse_json(self.settings.read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(f"{self.settings} can't be read: {error}.", "Give the folder of an archive.") from error
        if not isinstance(found, dict) or found.get("schema_version") != SCHEMA:
            raise InputError(f"{self.settings} is of another version of this program.", _OTHER)
        return found

    def _compare(self, wanted: Mapping[str, Any]) -> None:
        found = self._read()
        if found["plan_sha256"] != wanted["plan_sha256"]:
            raise InputError(
                f"The plan has changed: {self.root} was begun for {found['units']} scenes, and the plan now names "
                f"{wanted['units']} scenes, or others.",
                f"Run with {self.plan} as plan to finish those, or give another folder with --out for the new ones.",
            )
        self.check(wanted["options"])


def _write_once(path: Path, text: str) -> None:
    """Write a file, unless another process has written it already."""
    part = Part(path)
    try:
        part.write(text.encode("utf-8", "surrogateescape"))
        try:
            os.link(part.temporary, path)
        except FileExistsError:
            return
        except OSError:
            _place_alone(part.temporary, path)  # no hard links here
        sync_folder(path.parent)
    finally:
        part.discard()


def _place_alone(temporary: Path, path: Path) -> None:
    """Rename a file to a name that nothing has, while a folder that one process only can make keeps others from it.

    Raises:
        OSError: It can't be renamed, or a process was killed here.
    """
    lock, last = path.with_name(f".{path.name}.lock"), time.monotonic() + WAIT_S
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError as error:
            if path.exists():
                return
            if time.monotonic() > last:
                raise OSError(f"remove {lock} if no other process is beginning") from error
            time.sleep(POLL_S)
    try:
        if not path.exists():
            os.replace(temporary, path)
    finally:
        lock.rmdir()
