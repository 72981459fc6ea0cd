"""Build a virtual environment in a new folder, and check that the backend runs in it. Standard library only."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..common.i18n import tr
from ..common.process import ChildProcess
from . import locate, store
from .errors import AlteredFileError, FullDiskError, InstallCancelledError, InstallError
from .kinds import Kind, site_packages
from .pinned import Build
from .plan import Plan
from .progress import InstallFeedback, PipProgress
from .request import variables_for
from .texts import discreet, readable
from .variables import worker_environment

# On Windows the guard of a program needs a moment to end it; elsewhere both are killed together.
STOP_SECONDS = 3.0 if sys.platform == "win32" else 0.0
_FULL = re.compile(r"no space left|errno 28\b|not enough space|disk quota exceeded|os error (28|112)\b", re.IGNORECASE)
_PYTORCH_CHECK = """
import json, rasterio, torch
import backend.network.timm_import
cuda = torch.cuda.is_available()
if cuda:
    torch.ones(2, device="cuda").sum().item()
print(json.dumps({"engine": "PyTorch " + torch.__version__, "cuda": cuda}))
"""
_MAPPING_CHECK = """
import json, numpy, openvino, rasterio, safetensors, scipy, sklearn
assert "CPU" in openvino.Core().available_devices
print(json.dumps({"engine": "OpenVINO " + openvino.__version__.split("-")[0], "cuda": False}))
"""
# Packages whose tests are removed: a seventh of the environment, which no code imports.
_TESTED = ("numpy", "scipy", "sklearn")
_RAW_SINCE = (24, 1)  # the version of pip that came to know --progress-bar raw


class EnvironmentBuilder:
    """Build one environment of a plan, with one of the builds of PyTorch if that is wanted."""

    def __init__(self, plan: Plan, build: Build, folder: Path, feedback: InstallFeedback) -> None:
        self._plan, self._build, self._folder, self._feedback = plan, build, folder, feedback
        self._python = str(store.interpreter_in(folder))
        self._variables = variables_for(plan.request)
        self._progress = PipProgress(feedback, plan.request.folder, plan.download(build))
        # In QGIS `sys.executable` may be QGIS itself.
        is_python = Path(sys.executable or "").name.lower().startswith("python")
        self._guard = sys.executable if is_python else plan.base.path
        self._raw = False  # whether this pip knows --progress-bar raw

    def create(self) -> None:
        """Create the environment, install the packages, and run the backend in it.

        Raises:
            InstallError: One of these failed; AlteredFileError where a file doesn't have its pinned hash.
            InstallCancelledError: The feedback asked to stop.
            OSError: Writing failed.
        """
        self._feedback.progress(0, tr("Creating the environment"))
        venv = [self._plan.base.path, "-m", "venv", str(self._folder)]
        if self._plan.uv:
            # The folder is there, with the file that marks it as made here.
            venv = [self._plan.uv, "venv", "--no-project", "--allow-existing", "--python", self._plan.base.path]
            venv.append(str(self._folder))
        self._run(venv)
        temporary = self._folder / "tmp"
        temporary.mkdir()
        self._variables.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)))
        self._install_packages()
        if self._plan.kind is Kind.MAPPING:
            self._slim()
        shutil.rmtree(temporary)
        self._feedback.progress(0.93, tr("Testing the environment"))
        self._prove()

    def _install_packages(self) -> None:
        """Install the packages; every package that has a hash is checked against it."""
        pinned, hashed = self._plan.pinned, ["--require-hashes", "--no-deps"]
        if not pinned.hashed:
            hashed = []
        if pinned.pip() and not (self._plan.uv or self._plan.request.wheels):
            self._add(pinned.pip(), [*hashed, "--upgrade"])
        self._raw = self._pip_version() >= _RAW_SINCE
        if self._plan.kind is Kind.MAPPING:
            # Compiled when the tests are gone.
            return self._add(pinned.text(), hashed if self._plan.uv else [*hashed, "--no-compile"])
        if self._build.kind == "listed":
            return self._add(pinned.text(), hashed)
        self._feedback.log(
            tr("PyTorch and torchvision are pinned by version only: no hashes are known for this build.")
        )
        pair = pinned.pair("+cpu" if self._build.kind == "cpu" else "")
        self._add(pair, ["--no-deps"], place=True)
        self._add(pinned.text(torch=False), hashed)
        if self._build.kind == "source":
            # That build may need packages that the list lacks: on Linux another version of CUDA's libraries.
            self._add(pair, [], place=True)

    def _pip_version(self) -> tuple[int, ...]:
        """Return the version of the environment's pip from the name of a folder."""
        names = [path.name for place in site_packages(self._folder) for path in place.glob("pip-*.dist-info")]
        return max((tuple(map(int, re.findall(r"\d+", name)[:2])) for name in names), default=(0,))

    def _slim(self) -> None:
        """Remove packages for installing and testing only, and compile the rest, so that the first run isn't slower."""
        self._feedback.progress(0.91, tr("Unpacking"))
        if not self._plan.uv:
            self._run([self._python, "-m", "pip", "uninstall", "--yes", "--quiet", "setuptools", "pip"])
        for place in site_packages(self._folder):
            for name in _TESTED:
                for tests in [path for path in place.joinpath(name).rglob("tests") if path.is_dir()]:
                    shutil.rmtree(tests, ignore_errors=True)
            try:
                self._run([self._python, "-m", "compileall", "-q", "-j", "0", str(place)])
            except FullDiskError:
                raise
            except InstallError:
                pass  # a file that can't be compiled is no fault, unless something imports it

    def _add(self, requirements: str, options: Sequence[str], place: bool = False) -> None:
        """Run pip or uv for a list of requirements; with `place`, PyTorch may come from the source in the request."""
        path = self._folder / "tmp" / "requirements.txt"
        path.write_text(requirements, encoding="utf-8")
        request, variables, words = self._plan.request, dict(self._variables), []
        if request.wheels:
            words += ["--no-index", "--find-links", os.path.abspath(request.wheels)]
        if place and request.source and os.path.isdir(request.source):
            words += ["--find-links", os.path.abspath(request.source)]
        elif place and request.source:
            # Not on the command line, which other users can read: the URL may contain a password.
            variables.update(PIP_INDEX_URL=request.source, UV_DEFAULT_INDEX=request.source)
        if self._plan.uv:
            program = [self._plan.uv, "pip", "install", "--python", self._python]
        else:
            program = [self._python, "-m", "pip", "install", "--progress-bar", "raw" if self._raw else "off"]
        self._run(
            [*program, "--only-binary", ":all:", *words, *options, "-r", str(path)], variables, self._progress.take
        )

    def _prove(self) -> None:
        """Import the libraries in the new interpreter, and run the backend's `info` command."""
        clean, root = worker_environment(), str(locate.backend_root())
        command = [self._python, "-m", "backend", "info", "--progress", "json"]
        check = _MAPPING_CHECK if self._plan.kind is Kind.MAPPING else _PYTORCH_CHECK
        facts = _answer(self._run([self._python, "-c", check], clean, cwd=root), "engine")
        info = self._run(command, clean, cwd=root)
        self._feedback.log(tr("{}, device {}.").format(facts["engine"], _answer(info, "device")["device"]))
        if self._plan.kind is Kind.PYTORCH and self._plan.card and not facts["cuda"]:
            self._feedback.log(
                tr("This PyTorch does not use the graphics card ({}); the processor is used.").format(self._plan.card)
            )

    def _run(
        self,
        command: Sequence[str],
        variables: Mapping[str, str] | None = None,
        hear: Callable[[str], bool] | None = None,
        cwd: str = "",
    ) -> list[str]:
        """Run a program to its end, and return its last lines. It ends with this process, however that ends."""
        guarded = [self._guard, "-I", "-S", str(Path(__file__).with_name("guard.py")), *command]
        worker = ChildProcess(guarded, cwd or str(self._plan.request.folder), variables or self._variables, merged=True)
        last: deque[str] = deque(maxlen=30)
        try:
            while True:
                if self._feedback.cancelled():
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
                    if not line.startswith("{"):  # an answer to this plugin
                        self._feedback.log(last[-1])
            worker.finished(30)
        finally:
            worker.stop(STOP_SECONDS)
        if worker.process.returncode != 0:
            raise self._full(last) or _failure(command, last)
        return list(last)

    def _full(self, last: Sequence[str]) -> InstallError | None:
        """Return the error of a full disk, if a program's last lines tell of one."""
        said = [line for line in last if _FULL.search(line)]
        if not said:
            return None
        needed = self._plan.download(self._build) + self._plan.disk(self._build)
        hint = tr("Free some space, or choose another folder.")
        if needed:
            hint = tr("About {} are needed in all.").format(readable(needed)) + " " + hint
        return FullDiskError(tr("The disk filled up: {}").format(said[-1][:300]), hint)


def _answer(lines: Sequence[str], key: str) -> dict[str, Any]:
    """Return the last line that is a JSON object with that key."""
    for line in reversed(lines):
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if isinstance(answer, dict) and key in answer:
            return answer
    raise InstallError(
        tr("The backend in the new environment gave no valid answer."), tr("Try again; if it fails again, report this.")
    )


def _failure(command: Sequence[str], last: Sequence[str]) -> InstallError:
    text = "\n".join(last)
    if re.search(r"do not match the hashes|hash mismatch", text, re.IGNORECASE):
        return AlteredFileError(
            tr("A downloaded file does not have the pinned hash:") + "\n" + text,
            tr("Try again; if it fails again, something between this machine and the package index alters files."),
        )
    words = [line for line in last if re.search(r"error", line, re.IGNORECASE)] or [*last]
    name = " ".join([os.path.basename(command[0]), *(word for word in command[1:4] if "\n" not in word)])
    hint = tr("If it fails again, report it with the log.")
    if "pip" in command:
        hint = tr(
            "Check the internet connection and the proxy (QGIS: Settings > Options > Network). Without a connection, "
            "download the wheels on another machine and choose their folder here."
        )
    return InstallError(tr("{} failed: {}").format(name, words[-1][:300] if words else tr("no output")), hint)
