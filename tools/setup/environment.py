"""Make the virtual environment, and install the Python packages into it, with or without PyTorch.

The environment is made on the interpreter of QGIS and sees QGIS through the system packages, so that one pytest run
reaches plugin and backend. (Users don't need that: there, QGIS and the backend are two processes with two
interpreters.)
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tools.setup.process import ROOT, SetupError, last_words, run, say

REQUIREMENTS = ROOT / "requirements"
# A release whose Python side loads with a torch that it was not compiled for (one warning, no operators).
LENIENT_TORCHVISION = "torchvision==0.16.2"


def venv_python(venv: Path) -> Path:
    """Return the interpreter of a virtual environment on this platform."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def installation(python: Path) -> tuple[str, str] | None:
    """Return version and base folder of an interpreter's installation; None if it doesn't run.

    An environment has the base folder of the interpreter that it was made on. The version alone isn't enough: pyenv's
    3.11 doesn't see the QGIS of the system's 3.11.
    """
    code = "import os, sys; print('%d.%d' % sys.version_info[:2], os.path.realpath(sys.base_prefix))"
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    version, _, folder = done.stdout.strip().partition(" ")
    return (version, folder) if done.returncode == 0 else None


def make_venv(base: Path, venv: Path, with_qgis: bool) -> Path:
    """Create the environment, or keep one that is made on `base`; return its interpreter."""
    python = venv_python(venv)
    wanted = installation(base)
    if wanted is None:
        raise SetupError(f"{base} does not run.\n  Name another Python with  make setup QGIS_PYTHON=…")
    fresh = installation(python) != wanted
    if fresh or with_qgis != ("include-system-site-packages = true" in (venv / "pyvenv.cfg").read_text()):
        say(f"making {venv} on {base} (Python {wanted[0]})")
        command = [str(base), "-m", "venv", str(venv)]
        if with_qgis:
            command.append("--system-site-packages")
        if fresh and venv.exists():
            command.append("--clear")
        run(command, "making the virtual environment")
    return python


def requirement_files(with_qgis: bool, complete: bool = True) -> list[Path]:
    """Return the requirement files that apply: of the demo, or of tests, training and tools too."""
    names = ["runtime.txt", "demo.txt"] + (["qgis.txt"] if with_qgis else [])
    names += ["pytorch.txt", "training.txt", "dev.txt"] if complete else []
    return [REQUIREMENTS / name for name in names]


def constraint_file(python: Path) -> Path | None:
    """Return the exact versions tested with this Python, if there is such a list."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    path = REQUIREMENTS / f"constraints-{version}.txt"
    return path if path.exists() else None


def install_python_packages(python: Path, with_qgis: bool, complete: bool = True) -> None:
    """Install the requirements; pip finds torch by its own settings (PIP_FIND_LINKS and the like).

    Args:
        python: Interpreter of the environment.
        with_qgis: Whether it sees QGIS.
        complete: Whether it is for tests, training and tools; else for the demo, without PyTorch.
    """
    command = [str(python), "-m", "pip", "install", "--quiet"]
    for path in requirement_files(with_qgis, complete):
        command += ["-r", str(path)]
    constraints = constraint_file(python)
    if constraints:
        command += ["-c", str(constraints)]
    what = "PyTorch and the other Python packages" if complete else "the Python packages of the demo"
    say(f"installing {what} (one minute, or as long as the download takes)")
    run(command, "pip")
    if not complete:
        return
    reference = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(REQUIREMENTS / "reference.txt")]
    run(reference, "pip")


def ensure_torchvision(python: Path) -> None:
    """Check that timm imports; if torchvision and torch don't fit, install a torchvision that loads.

    A CPU-only torch with a torchvision compiled for CUDA doesn't fit: its operators can't be registered. timm needs
    only the Python side of torchvision.
    """
    wrong = last_words(python, "import torchvision, timm")
    if wrong is None:
        return
    say(f"torchvision does not fit this torch ({wrong})")
    say(f"falling back to {LENIENT_TORCHVISION}, without its dependencies: enough for timm")
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    # That release also imports requests, one of its dependencies.
    commands = [[*pip, "requests"], [*pip, "--no-deps", LENIENT_TORCHVISION]]
    if all(subprocess.run(command, check=False).returncode == 0 for command in commands):
        wrong = last_words(python, "import torchvision, timm")
        if wrong is None:
            return
    raise SetupError(
        f"`import torchvision, timm` fails: {wrong}.\n"
        "  Install the torchvision that was built with your torch, from the index your torch came from, then\n"
        "  run `make setup` again."
    )


def check_imports(python: Path, with_qgis: bool, complete: bool = True) -> None:
    """Raise SetupError unless everything imports, in one process."""
    code = "import numpy, scipy.ndimage, rasterio, safetensors, sklearn, openvino, matplotlib, markdown"
    if complete:
        code += ", torch, torchvision, timm, safetensors.torch, pytest"
    if with_qgis:
        code = "import qgis.core; from osgeo import gdal, gdal_array; " + code
    wrong = last_words(python, code)
    if wrong is not None:
        raise SetupError(f"the environment is there but does not work: {wrong}.\n  Remove .venv and try again.")
