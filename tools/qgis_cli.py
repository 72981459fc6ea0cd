"""Run the packed plugin through `qgis_process` in a private QGIS profile; the user's profile is never touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


class QgisError(Exception):
    """Signal that `qgis_process` is missing or failed; the text ends with its output."""


def find_qgis_process() -> str | None:
    """Return the path of QGIS's command, or None.

    The program itself is preferred: Debian 12's `qgis_process` is a wrapper that passes a flag the program rejects.
    """
    return shutil.which("qgis_process.bin") or shutil.which("qgis_process")


def tail(output: str) -> str:
    """Return the last 25 lines of what a program printed."""
    return "\n".join(output.strip().splitlines()[-25:])


class QgisProcess:
    """Run `qgis_process` in a private QGIS profile with the plugin enabled.

    Args:
        profile: Folder of the profile; made if missing.
        plugin_path: Folder above the plugin's, or None if the plugin is in the profile itself.
        worker: Interpreter with PyTorch, passed to the plugin as SARDINO_PYTHON.
    """

    def __init__(self, profile: Path, plugin_path: Path | None = None, worker: Path | None = None) -> None:
        program = find_qgis_process()
        if program is None:
            raise QgisError(
                "qgis_process is not on PATH: install QGIS (make setup WITHOUT_QGIS=0 does, on Debian and Ubuntu)"
            )
        self.program = program
        runtime = profile / "runtime"
        runtime.mkdir(parents=True, exist_ok=True)
        runtime.chmod(0o700)  # Qt refuses a runtime folder that others can read
        self.environment = dict(
            os.environ,
            QGIS_CUSTOM_CONFIG_PATH=str(profile),
            XDG_RUNTIME_DIR=str(runtime),
            QT_QPA_PLATFORM="offscreen",
            # Not resolved: the python of a virtual environment is a link, and works only by that path.
            SARDINO_PYTHON=str(worker or sys.executable),
        )
        for name in ("QGIS_PLUGINPATH", "QGIS_OPTIONS_PATH"):  # set by pytest-qgis, and by some users
            self.environment.pop(name, None)
        if plugin_path is not None:
            self.environment["QGIS_PLUGINPATH"] = str(plugin_path)

    def enable(self, *plugins: str) -> None:
        """Enable plugins by their folder names. In a fresh profile this disables `processing`: name that too."""
        for plugin in plugins:
            self._call("plugins", "enable", plugin)

    def run(self, algorithm: str, **parameters: object) -> dict[str, Any]:
        """Run an algorithm and return its results by parameter name.

        Raises:
            QgisError: The program exits non-zero, as it does on any Processing error, or prints no results.
        """
        words = [f"--{name}={value}" for name, value in parameters.items()]
        output = self._call("--json", "run", algorithm, *words)
        # Messages of Qt and of other plugins may precede the JSON document.
        try:
            results: dict[str, Any] = json.loads(output[output.index("{") :])["results"]
        except (ValueError, KeyError) as problem:
            raise QgisError(f"qgis_process run {algorithm} printed no results:\n{tail(output)}") from problem
        return results

    def help(self, algorithm: str) -> str:
        """Return the help of an algorithm.

        Raises:
            QgisError: The program exits non-zero.
        """
        return self._call("help", algorithm)

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            [self.program, *words],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            said = tail(done.stdout + done.stderr)
            raise QgisError(f"qgis_process {' '.join(words)} exited with status {done.returncode}:\n{said}")
        return done.stdout
