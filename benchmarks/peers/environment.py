"""The peers' environment: build/peers/venv, apart from ours, whose packages theirs would replace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "peers" / "venv"
PINS = ROOT / "requirements" / "peers.txt"
# Packages of a PyTorch made for graphics cards, gigabytes that nothing here uses.
CARD_PACKAGES = ("nvidia", "triton")


def python() -> Path:
    """The environment's interpreter."""
    return FOLDER / "bin" / "python"


def torch_pin(pins: Path = PINS) -> str:
    """The line of a list of pins that names PyTorch."""
    return next(line for line in pins.read_text().splitlines() if line.startswith("torch=="))


def setup() -> None:
    """Make the environment, or bring it up to the pins; minutes, 2.8 GB.

    PyTorch comes first, with what it needs; all else as pinned and without dependencies, so that no peer brings another
    PyTorch.

    Raises:
        SystemExit: A package can't be had, or a PyTorch for graphics cards came.
    """
    if not python().exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
    pip = [str(python()), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for arguments in ([torch_pin()], ["--no-deps", "-r", str(PINS)]):
        done = subprocess.run([*pip, *arguments], check=False)
        if done.returncode:
            raise SystemExit(f"pip install {' '.join(arguments)} failed (exit status {done.returncode}).")
    listed = subprocess.run([*pip[:3], "list", "--format", "freeze"], check=True, stdout=subprocess.PIPE, text=True)
    found = [line for line in listed.stdout.splitlines() if line.startswith(CARD_PACKAGES)]
    if found:
        raise SystemExit(
            f"{torch_pin()} came for graphics cards ({', '.join(found[:3])}). Set PIP_FIND_LINKS to a CPU build."
        )


def variables(threads: int) -> dict[str, str]:
    """Environment variables of every contender: the same threads, nothing fetched, this checkout's packages."""
    # Some peers look for newer versions or models when they are imported.
    quiet = {"NO_ALBUMENTATIONS_UPDATE": "1", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    # Both PyTorch's threads and those of what NumPy multiplies with.
    return {**os.environ, **quiet, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
