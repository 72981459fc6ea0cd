"""Setting up the plugin's own environment, and the proof that it works.

Nothing of it enters QGIS's own Python: an interpreter is asked to make a virtual environment, pip (or uv) to fill it,
and the new interpreter to run the backend. Only then does it take the place of an older one. Standard library only.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..common.duration import time_left
from ..common.i18n import tr
from ..common.process import ChildProcess
from . import locate, store
from .pinned import Build
from .plan import InstallError, Plan, discreet, variables_for
from .variables import worker_environment

_CHECK = """
import json, rasterio, torch
import backend.network.timm_import
cuda = torch.cuda.is_available()
if cuda:
    torch.ones(2, device="cuda").sum().item()
print(json.dumps({"torch": torch.__version__, "cuda": cuda}))
"""


class InstallCancelledError(Exception):
    """It was cancelled; nothing of it is left."""


class _AlteredError(InstallError):
    """A file isn't the one that was pinned: nothing else is tried after that."""


class InstallFeedback:
    """Hears what goes on; this one keeps quiet."""

    def log(self, line: str) -> None:
        """Take a line for the log."""

    def progress(self, fraction: float, text: str) -> None:
        """Take how much is done (0 to 1) and what is being done."""

    def cancelled(self) -> bool:
        """Whether it should stop."""
        return False


def install(plan: Plan, feedback: InstallFeedback) -> Path:
    """Build a new environment, prove it, and put it in place of the older one; its interpreter.

    Raises:
        InstallError: It didn't work out, or somebody else is at it.
        InstallCancelledError: The feedback said so.
    """
    folder = plan.request.folder
    try:
        with store.exclusive(folder):
            store.sweep(folder)
            made = _first_that_works(plan, feedback)
            store.activate(made)
            store.sweep(folder)
    except store.BusyError as busy:
        raise InstallError(
            tr("Another installation into {} is running (process {}).").format(folder, busy.process or "?"),
            tr("Wait until it is done."),
        ) from busy
    except OSError as error:
        raise InstallError(str(error), tr("Is there space left, and may you write to {}?").format(folder)) from error
    feedback.progress(1, tr("Done"))
    return store.interpreter_in(made)


def _check_space(plan: Plan, build: Build) -> None:
    needed = plan.download(build) + plan.disk(build)
    free = shutil.disk_usage(plan.request.folder).free
    if free < needed:
        raise InstallError(
            tr("{free:.1f} GB are free in {folder}, and about {needed:.1f} GB are needed.").format(
                free=free / 1e9, folder=plan.request.folder, needed=needed / 1e9
            ),
            tr("Make room, or name another folder."),
        )


def _first_that_works(plan: Plan, feedback: InstallFeedback) -> Path:
    """Try the ways to get PyTorch one after the other, each in a fresh folder."""
    problem = InstallError("")
    for build in plan.builds:
        made = store.next_folder(plan.request.folder)
        if problem.message:
            feedback.log(tr("That did not work: {}").format(problem.message))
        feedback.log(tr("PyTorch: {}.").format(build.label))
        try:
            _check_space(plan, build)
            _Work(plan, build, made, feedback).do()
            return made
        except InstallError as error:
            problem = error
            shutil.rmtree(made, ignore_errors=True)
            if isinstance(error, _AlteredError):
                break
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    raise problem


class _Work:
    """One try: an environment in a fresh folder."""

    def __init__(self, plan: Plan, build: Build, folder: Path, feedback: InstallFeedback) -> None:
        self.plan, self.build, self.folder, self.feedback = plan, build, folder, feedback
        self.python = str(store.interpreter_in(folder))
        self.variables = variables_for(plan.request)
        self.begun = time.monotonic()
        self.received = 0  # bytes of the files that are complete
        self.fraction = 0.0
        self.raw = False  # whether this pip can tell its progress in numbers

    def do(self) -> None:
        self.feedback.progress(0, tr("Making the environment"))
        venv = [self.plan.base.path, "-m", "venv", str(self.folder)]
        if self.plan.uv:
            venv = [self.plan.uv, "venv", "--no-project", "--python", self.plan.base.path, str(self.folder)]
        self.run(venv)
        temporary = self.folder / "tmp"
        temporary.mkdir()
        self.variables.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)))
        self.install_packages()
        shutil.rmtree(temporary)
        self.feedback.progress(0.93, tr("Trying it out"))
        self.prove()

    def install_packages(self) -> None:
        """Fill the environment; everything that has a hash is checked against it."""
        pinned, hashed = self.plan.pinned, ["--require-hashes", "--no-deps"]
        if not pinned.hashed:
            hashed = []
        if pinned.pip() and not (self.plan.uv or self.plan.request.wheels):
            self.add(pinned.pip(), [*hashed, "--upgrade"])
            self.raw = True
        if self.build.kind == "listed":
            return self.add(pinned.text(), hashed)
        self.feedback.log(tr("PyTorch and torchvision are pinned by version; files from there have no known hashes."))
        pair = pinned.pair("+cpu" if self.build.kind == "cpu" else "")
        self.add(pair, ["--no-deps"], place=True)
        self.add(pinned.text(torch=False), hashed)
        if self.build.kind == "source":
            # What that build needs beyond what the list has: CUDA's libraries of another version, on Linux.
            self.add(pair, [], place=True)

    def add(self, requirements: str, options: Sequence[str], place: bool = False) -> None:
        """Run pip or uv for a list; with `place`, PyTorch may come from where somebody said."""
        path = self.folder / "tmp" / "requirements.txt"
        path.write_text(requirements, encoding="utf-8")
        request, variables, words = self.plan.request, dict(self.variables), []
        if request.wheels:
            words += ["--no-index", "--find-links", os.path.abspath(request.wheels)]
        if place and request.source and os.path.isdir(request.source):
            words += ["--find-links", os.path.abspath(request.source)]
        elif place and request.source:
            # Not on the command line, which others can read: it may hold a password.
            variables.update(PIP_INDEX_URL=request.source, UV_DEFAULT_INDEX=request.source)
        if self.plan.uv:
            program = [self.plan.uv, "pip", "install", "--python", self.python]
        else:
            program = [self.python, "-m", "pip", "install", "--progress-bar", "raw" if self.raw else "off"]
        self.run([*program, "--only-binary", ":all:", *words, *options, "-r", str(path)], variables, self.hear)

    def hear(self, line: str) -> bool:
        """Take what pip tells of its progress; whether the line is nothing else."""
        numbers = re.fullmatch(r"Progress (\d+) of (\d+)", line.strip())
        local = re.match(r"Processing (.+?\.whl)", line)
        if numbers:
            self.show_received(int(numbers.group(1)), int(numbers.group(2)))
        elif local:
            path = self.plan.request.folder / local.group(1)
            size = path.stat().st_size if path.is_file() else 0
            self.show_received(size, size)
        elif line.startswith("Installing collected packages"):
            self.feedback.progress(self.fraction, tr("Unpacking"))
        return bool(numbers)

    def show_received(self, now: int, whole: int) -> None:
        """Show how much is there, given the bytes of the file that is being read."""
        done, total = self.received + now, self.plan.download(self.build)
        if now == whole:
            self.received += whole
        if total:
            share = min(1.0, done / total)
            left = time_left((time.monotonic() - self.begun) * (1 - share) / share) if share > 0.02 else ""
            text = tr("Downloading, {:.0f} MB of about {:.0f} MB").format(done / 1e6, max(done, total) / 1e6)
            self.fraction = 0.02 + 0.88 * share
            self.feedback.progress(self.fraction, f"{text}, {left}" if left else text)

    def prove(self) -> None:
        """Run in the new interpreter what the algorithms will run."""
        clean, root = worker_environment(), str(locate.backend_root())
        command = [self.python, "-m", "backend", "info", "--progress", "json"]
        facts = _answer(self.run([self.python, "-c", _CHECK], clean, cwd=root), "torch")
        info = self.run(command, clean, cwd=root)
        self.feedback.log(tr("PyTorch {}, device {}.").format(facts["torch"], _answer(info, "device")["device"]))
        if self.plan.card and not facts["cuda"]:
            self.feedback.log(
                tr("This PyTorch does not use the graphics card ({}); the processor is used.").format(self.plan.card)
            )

    def run(
        self,
        command: Sequence[str],
        variables: Mapping[str, str] | None = None,
        hear: Callable[[str], bool] | None = None,
        cwd: str = "",
    ) -> list[str]:
        """Run a program to its end; its last lines."""
        worker = ChildProcess(command, cwd or str(self.plan.request.folder), variables or self.variables, merged=True)
        last: deque[str] = deque(maxlen=30)
        try:
            while True:
                if self.feedback.cancelled():
                    raise InstallCancelledError()
                try:
                    line = worker.lines.get(timeout=0.1)
                except queue.Empty:
                    if worker.process.poll() is None:
                        continue
                    break
                if line is None:
                    break
                if line.strip() and not (hear and hear(line)):
                    last.append(discreet(line))
                    if not line.startswith("{"):  # an answer for us
                        self.feedback.log(last[-1])
            worker.finished(30)
        finally:
            worker.stop(0)
        if worker.process.returncode != 0:
            raise _failure(command, last)
        return list(last)


def _answer(lines: Sequence[str], key: str) -> dict[str, Any]:
    """The last line that is a JSON object with that key."""
    for line in reversed(lines):
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if isinstance(answer, dict) and key in answer:
            return answer
    raise InstallError(
        tr("The new environment doesn't answer as it should."), tr("Try again; if it fails, report this.")
    )


def _failure(command: Sequence[str], last: Sequence[str]) -> InstallError:
    text = "\n".join(last)
    if re.search(r"do not match the hashes|hash mismatch", text, re.IGNORECASE):
        return _AlteredError(
            tr("A downloaded file is not the one that was pinned:") + "\n" + text,
            tr("Try again; if it stays so, something between you and the package index alters files."),
        )
    words = [line for line in last if re.search(r"error", line, re.IGNORECASE)] or [*last]
    name = " ".join([os.path.basename(command[0]), *(word for word in command[1:4] if "\n" not in word)])
    hint = tr("If it fails again, report it with the log.")
    if "pip" in command:
        hint = tr(
            "Is the machine connected, and does it need a proxy (QGIS: Settings > Options > Network)? Without a "
            "connection, fill a folder with wheels on another machine and name it here."
        )
    return InstallError(tr("{} failed: {}").format(name, words[-1][:300] if words else tr("it said nothing")), hint)
