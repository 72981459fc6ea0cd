"""Make the peers' environment, build/peers/venv; its packages would replace ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "peers" / "venv"
PINS = ROOT / "requirements" / "peers.txt"
# Packages of a PyTorch with CUDA: gigabytes that nothing here uses.
CARD_PACKAGES = ("nvidia", "triton")


def python() -> Path:
    """Return the interpreter of the environment."""
    return FOLDER / "bin" / "python"


def torch_pin(pins: Path = PINS) -> str:
    """Return the line of a list of pins that names PyTorch."""
    return next(line for line in pins.read_text().splitlines() if line.startswith("torch=="))


def setup() -> None:
    """Make or update the environment: minutes, 2.8 GB.

    PyTorch is installed first with its dependencies, and the rest as pinned without dependencies, so that no peer
    replaces PyTorch.

    Raises:
        SystemExit: A package can't be installed, or PyTorch came with CUDA.
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
    """Return the environment variables of contenders: equal threads, no downloads, this checkout's packages."""
    # Some peers look for updates or models on import.
    quiet = {"NO_ALBUMENTATIONS_UPDATE": "1", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    # Limits the threads of PyTorch and of NumPy's BLAS.
    return {**os.environ, **quiet, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
