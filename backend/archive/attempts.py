"""Claim scenes for a worker, by files on the disk of the results; see whose worker has died.

Attempt N on a scene is the file NAME.N.claim. It is created exclusively, which one process only can do, and written
every few seconds. If it failed, NAME.N.failed says why. The next attempt is another file, N + 1: nothing is taken over
in place, so that two workers can't take over one scene, nor a worker a claim that was renewed a moment ago.
Ages are by the disk's own clock: times of change of files on it are compared. What a worker writes lies in a folder
whose name no other gets: one that was suspended touches nothing of another's, even if that got the same number.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from backend.archive.folder import ArchiveFolder
from backend.archive.request import RETRIES
from backend.core.atomic_files import refusing, sync_folder, write_files
from backend.core.errors import SarDinoError
from backend.core.plain_json import parse_json

CLAIM, FAILED, DEAD = ".claim", ".failed", ".dead"
# A scene whose workers died so often is given up: it may be what kills them, for instance by its size.
MOST_DEATHS = 10


@dataclass
class Attempts:
    """Hold attempts on one scene, by number.

    Attributes:
        claimed: Those that were begun and haven't ended with a failure, as far as is known.
        failed: Those that failed.
    """

    claimed: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)

    @property
    def last(self) -> int:
        """Return the number of the last one; 0 if there is none."""
        return max(self.claimed | self.failed, default=0)

    @property
    def open(self) -> bool:
        """Return whether the last one hasn't failed: it goes on, or its worker has died."""
        return self.last > 0 and self.last not in self.failed

    @property
    def deaths(self) -> int:
        """Return the number of attempts that ended without a failure, apart from the last one."""
        return len(self.claimed - self.failed - {self.last})


@dataclass(frozen=True)
class Held:
    """Hold an attempt that this process has claimed.

    Attributes:
        name: Name of the scene.
        number: Number of the attempt.
        claim: File that is written while it goes on.
        work: Folder to write into.
        text: What the claim holds.
    """

    name: str
    number: int
    claim: Path
    work: Path
    text: str


class AttemptBook:
    """Keep the attempts of an archive on its disk.

    Args:
        folder: Folder of the archive.
        worker: Name of this process, written into its claims.
        retries: Number of times that a failed scene is repeated.
        dead_after: Seconds without a sign of life after which a worker counts as dead.
    """

    def __init__(self, folder: ArchiveFolder, worker: str, retries: int, dead_after: float) -> None:
        self.folder, self.worker, self.retries, self.dead_after = folder, worker, retries, dead_after
        self._clock = folder.claims / f".clock-{secrets.token_hex(6)}"

    def close(self) -> None:
        """Remove the file from which the disk's time is read."""
        with suppress(OSError):
            self._clock.unlink()

    def listing(self) -> dict[str, Attempts]:
        """Return the attempts on all scenes that have any. Takes one look at one folder."""
        found: dict[str, Attempts] = {}
        with refusing(self.folder.root):
            names = os.listdir(self.folder.claims)
        for entry in names:
            start, _, kind = entry.rpartition(".")
            name, _, number = start.rpartition(".")
            if not name or not number.isdigit() or entry.startswith("."):
                continue
            attempts = found.setdefault(name, Attempts())
            (attempts.failed if f".{kind}" == FAILED else attempts.claimed).add(int(number))
        return found

    def may_follow(self, name: str, attempts: Attempts, rest: float = 0.0) -> bool | None:
        """Return whether another attempt may be made: None if not now, False if never.

        Args:
            name: Of the scene.
            attempts: On it. Not now, if the last one goes on.
            rest: Seconds for each failure, before which a scene that failed isn't repeated.
        """
        if not attempts.open:
            often = len(attempts.failed)
            age = self.age(self._claim(name, attempts.last).with_suffix(FAILED)) if often and rest else None
            return False if often > self.retries else None if age is not None and age < rest * often else True
        age = self.age(self._claim(name, attempts.last))
        if age is not None and age < self.dead_after:
            return None
        return attempts.deaths + 1 < MOST_DEATHS + max(0, self.retries - RETRIES)

    def age(self, claim: Path) -> float | None:
        """Return the seconds since a claim was written, by the disk's clock; None if it has gone."""
        with refusing(self.folder.root):
            # Written, not touched: a time that is set may be this computer's.
            self._clock.write_bytes(b".")
            try:
                return self._clock.stat().st_mtime - claim.stat().st_mtime
            except FileNotFoundError:
                return None

    def take(self, name: str, after: int = 0) -> Held | None:
        """Claim attempt `after` + 1 on a scene; None if another worker has it, or the scene is finished."""
        number, token = after + 1, secrets.token_hex(4)
        claim, text = self._claim(name, number), json.dumps({"worker": self.worker, "attempt": number, "token": token})
        held = Held(name, number, claim, self.folder.work / f"{name}.{number}-{token}", text)
        with refusing(self.folder.root):
            try:
                with claim.open("x", encoding="utf-8") as file:
                    file.write(text)
            except FileExistsError:
                return None
            except OSError:
                with suppress(OSError):
                    claim.unlink(missing_ok=True)  # of a full disk: nobody's claim
                raise
            # Since attempts were listed, another may have finished the scene, or failed, and removed its claims.
            if (self.folder.scenes / name).exists() or claim.with_suffix(FAILED).exists():
                claim.unlink(missing_ok=True)
                return None
            self._clear_all(name, number)
            held.work.mkdir()
        return held

    def commit(self, held: Held) -> bool:
        """Give a finished scene its place by one rename; False if another worker was first, or took it over.

        What is in the folder of work must be on the disk.
        """
        with refusing(self.folder.root):
            sync_folder(held.work)
            try:
                os.rename(held.work, self.folder.scenes / held.name)
            except OSError:
                if (self.folder.scenes / held.name).exists() or not held.work.exists():
                    self.release(held)
                    return False
                raise
            sync_folder(self.folder.scenes)
            self._forget(held.name, held.number)
        return True

    def fail(self, held: Held, error: SarDinoError) -> None:
        """Record why an attempt failed, unless it isn't this worker's any more."""
        if held.claim.exists():
            facts = {"worker": self.worker, "message": error.message, "hint": error.hint}
            with refusing(self.folder.root):
                write_files({held.claim.with_name(f"{held.name}.{held.number}{FAILED}"): json.dumps(facts).encode()})
        self.release(held)

    def release(self, held: Held) -> None:
        """Give up an attempt as if it had not been made."""
        self._clear(held.work)
        with suppress(OSError):
            # Another worker's, if this one was taken over and its number was given anew.
            if held.claim.read_text(encoding="utf-8") == held.text:
                held.claim.unlink()

    def release_all(self, run: str) -> None:
        """Give up all attempts of workers whose names begin with that of a run; they must be dead, or about to die."""
        for name, attempts in self.listing().items():
            for number in attempts.claimed:
                claim = self._claim(name, number)
                with suppress(OSError, ValueError, KeyError, TypeError):
                    text = claim.read_text(encoding="utf-8")
                    facts = parse_json(text.encode())
                    if str(facts["worker"]).startswith(run):
                        work = self.folder.work / f"{name}.{number}-{facts['token']}"
                        self.release(Held(name, number, claim, work, text))

    def sweep(self, finished: Collection[str]) -> None:
        """Remove claims and files of finished scenes that killed workers left."""
        for name, attempts in self.listing().items():
            if name in finished:
                self._forget(name, attempts.last)
        with suppress(OSError):
            for left in os.listdir(self.folder.work):
                if left.endswith(DEAD) or left.rpartition("-")[0].rpartition(".")[0] in finished:
                    shutil.rmtree(self.folder.work / left, ignore_errors=True)

    def reason(self, name: str, attempts: Attempts) -> str:
        """Return why a scene was given up."""
        if attempts.failed:
            try:
                facts = parse_json(self._claim(name, max(attempts.failed)).with_suffix(FAILED).read_bytes())
                return str(facts["message"])
            except (OSError, ValueError, KeyError, TypeError):
                return "the reason can't be read"
        return f"its workers died {attempts.deaths + 1} times"

    def _claim(self, name: str, number: int) -> Path:
        return self.folder.claims / f"{name}.{number}{CLAIM}"

    def _forget(self, name: str, last: int) -> None:
        """Remove the attempts on a finished scene."""
        for number in range(1, last + 1):
            for suffix in (CLAIM, FAILED):
                with suppress(OSError):
                    self._claim(name, number).with_suffix(suffix).unlink()

    def _clear_all(self, name: str, last: int) -> None:
        """Remove what attempts up to a number have written. Takes one look at one folder."""
        numbers = {f"{name}.{number}" for number in range(1, last + 1)}
        for entry in os.listdir(self.folder.work):
            if entry.rpartition("-")[0] in numbers and not entry.endswith(DEAD):
                self._clear(self.folder.work / entry)

    def _clear(self, work: Path) -> None:
        """Remove a folder of work: renamed first, so that who still writes there can't commit a part of it."""
        dead = work.with_name(f"{work.name}.{secrets.token_hex(4)}{DEAD}")
        with suppress(OSError):
            os.rename(work, dead)
            shutil.rmtree(dead, ignore_errors=True)
