"""Run commands, and print progress."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class SetupError(Exception):
    """Signal that the set-up cannot continue; the text says what to do."""


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(f"setup: {text}", flush=True)


def works(python: Path, code: str) -> bool:
    """Return whether `python` exists and runs `code` without an error."""
    return last_words(python, code) is None


def last_words(python: Path, code: str) -> str | None:
    """Return None if `python` runs `code`, else the last line of what went wrong."""
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"


def run(command: list[str], what: str) -> None:
    """Run a command with its output shown; raise SetupError naming `what` when it fails."""
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        raise SetupError(f"{what} failed (exit status {done.returncode}): {' '.join(command)}")
