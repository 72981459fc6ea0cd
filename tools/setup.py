"""Make the development environment: QGIS, `.venv`, PyTorch, the tools. Run by `make setup`.

Standard library only, Python 3.9 or later, and safe to run again: with nothing missing it ends in a second.

One virtual environment on the interpreter QGIS is bound to sees QGIS through the system packages, so that one
pytest run reaches the plugin and the backend alike. (Users of the plugin need no such thing: there QGIS and the
backend are two processes with an interpreter each.)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.lrelease import HINT, PACKAGE, find_lrelease

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
QGIS_PACKAGES = ["qgis", "python3-qgis", "qgis-providers"]
STAMP = "sardino-setup.json"

# The release whose Python side still loads beside a torch it was not compiled for (one warning, no operators).
LENIENT_TORCHVISION = "torchvision==0.16.2"


class SetupError(Exception):
    """The set-up cannot go on; the text says what a person can do."""


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


# --- System packages ------------------------------------------------------------------------------------------


def missing_packages(python: Path, with_qgis: bool) -> list[str]:
    """Return the Debian packages that hold what this machine lacks."""
    missing: list[str] = []
    has_process = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if with_qgis and not (has_process and works(python, "import qgis.core, osgeo.gdal")):
        missing += QGIS_PACKAGES
    if not works(python, "import venv, ensurepip"):
        missing.append("python3-venv")
    return missing


def become_root() -> list[str] | None:
    """Return the words to put before a command for root's rights, or None where there are none to be had."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def install_packages(packages: list[str]) -> None:
    """Install Debian packages, or raise SetupError that says what to do by hand."""
    wanted = " ".join(packages)
    without = "For the backend and training alone, without QGIS: make setup WITHOUT_QGIS=1"
    if not sys.platform.startswith("linux") or not shutil.which("apt-get"):
        raise SetupError(
            f"missing here: {wanted}, and this is no Debian or Ubuntu system where they could be installed for you.\n"
            "  Install QGIS (3.22 is tested) with its own installer or your package manager, then name the Python it\n"
            "  is bound to:  make setup QGIS_PYTHON=/path/to/the/python3/of/qgis\n"
            f"  {without}"
        )
    prefix = become_root()
    if prefix is None:
        raise SetupError(
            f"missing here: {wanted}; installing them needs root's rights. Run\n"
            f"    sudo apt-get update && sudo apt-get install -y --no-install-recommends {wanted}\n"
            "  (or ask an administrator to), then `make setup` again.\n"
            f"  {without}"
        )
    say(f"installing {wanted} (one to three minutes)")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    run([*apt, "update"], "refreshing the package lists")
    run([*apt, "install", "-y", "--no-install-recommends", *packages], "installing system packages")


def ensure_system(python: Path, with_qgis: bool) -> None:
    """Install what the system lacks, and check that it is there afterwards."""
    missing = missing_packages(python, with_qgis)
    if not missing:
        return
    install_packages(missing)
    still = missing_packages(python, with_qgis)
    if still:
        raise SetupError(
            f"installed, but {python} still lacks what {' '.join(still)} should hold: "
            f"{last_words(python, 'import qgis.core, osgeo.gdal, ensurepip') or 'qgis_process is not on PATH'}.\n"
            "  Is this the Python QGIS is bound to? Name another with  make setup QGIS_PYTHON=…"
        )


def ensure_lrelease() -> None:
    """Install what compiles translations where that can be done; all else works without, in English."""
    if find_lrelease() is not None:
        return
    if not shutil.which("apt-get") or become_root() is None:
        say(f"translations will not be compiled: {HINT}")
        return
    try:
        install_packages([PACKAGE])
    except SetupError as error:
        say(f"translations will not be compiled: {error}")


# --- The virtual environment ----------------------------------------------------------------------------------


def venv_python(venv: Path) -> Path:
    """Return the interpreter of a virtual environment on this platform."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def installation(python: Path) -> tuple[str, str] | None:
    """Return version and folder of the installation an interpreter belongs to, or None if it doesn't run.

    An environment has the folder of the interpreter it was made on. The version alone tells too little: pyenv's
    3.11 sees nothing of the QGIS that the system's 3.11 has.
    """
    code = "import os, sys; print('%d.%d' % sys.version_info[:2], os.path.realpath(sys.base_prefix))"
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    version, _, folder = done.stdout.strip().partition(" ")
    return (version, folder) if done.returncode == 0 else None


def make_venv(base: Path, venv: Path, with_qgis: bool) -> Path:
    """Create the environment, or keep the one that is there if it is made on `base`; return its interpreter."""
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


def requirement_files(with_qgis: bool) -> list[Path]:
    """Return the requirement files that apply."""
    names = ["runtime.txt", "dev.txt"] + (["qgis.txt"] if with_qgis else [])
    return [REQUIREMENTS / name for name in names]


def constraint_file(python: Path) -> Path | None:
    """Return the exact versions tested with this Python, if there is such a list."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    path = REQUIREMENTS / f"constraints-{version}.txt"
    return path if path.exists() else None


def install_python_packages(python: Path, with_qgis: bool) -> None:
    """Install the requirements; torch comes from wherever pip is told to look (PIP_FIND_LINKS and the like)."""
    command = [str(python), "-m", "pip", "install", "--quiet"]
    for path in requirement_files(with_qgis):
        command += ["-r", str(path)]
    constraints = constraint_file(python)
    if constraints:
        command += ["-c", str(constraints)]
    say("installing PyTorch and the other Python packages (one minute, or as long as the download takes)")
    run(command, "pip")
    reference = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(REQUIREMENTS / "reference.txt")]
    run(reference, "pip")


def ensure_torchvision(python: Path) -> None:
    """Check that timm imports; where torchvision and torch don't fit, fall back to a torchvision that loads.

    A CPU-only torch beside the torchvision of the ordinary index, compiled for CUDA, is such a pair: its
    operators can't be registered. timm needs torchvision's Python side only.
    """
    wrong = last_words(python, "import torchvision, timm")
    if wrong is None:
        return
    say(f"torchvision does not fit this torch ({wrong})")
    say(f"falling back to {LENIENT_TORCHVISION}, without its dependencies: enough for timm")
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    # That release also imports requests, which it would have brought along.
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


def check_imports(python: Path, with_qgis: bool) -> None:
    """Raise SetupError unless everything imports, in one process."""
    code = "import numpy, scipy.ndimage, torch, torchvision, timm, rasterio, safetensors.torch, pytest"
    if with_qgis:
        code = "import qgis.core; from osgeo import gdal, gdal_array; " + code
    wrong = last_words(python, code)
    if wrong is not None:
        raise SetupError(f"the environment is there but does not work: {wrong}.\n  Remove .venv and try again.")


# --- The stamp ------------------------------------------------------------------------------------------------


def fingerprint(base: Path, with_qgis: bool) -> str:
    """Return a digest of all that decides what the environment holds."""
    digest = hashlib.sha256(f"{base} {with_qgis}".encode())
    for path in [Path(__file__), *sorted(REQUIREMENTS.glob("*.txt"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_stamp(venv: Path) -> dict[str, Any]:
    """Return what the set-up that completed the environment noted in it; empty where none did."""
    try:
        noted = json.loads((venv / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def choose(venv: Path, without_qgis: str, qgis_python: str) -> tuple[Path, bool]:
    """Return the interpreter to build on, and whether QGIS is wanted.

    What isn't said this time is as the set-up before chose it: `make test` runs the set-up too, and must not install
    QGIS where it was left out, nor look for it in another Python.

    Args:
        venv: the environment, with or without a stamp.
        without_qgis: "1" to leave QGIS out, "0" to have it, "" to leave it as it is (with QGIS, the first time).
        qgis_python: the interpreter named by hand; QGIS is wanted then, unless `without_qgis` is "1". Or "".
    """
    noted = read_stamp(venv)
    with_qgis = without_qgis == "0" if without_qgis else bool(qgis_python) or noted.get("with_qgis") is not False
    kept = str(noted.get("base", "")) if noted.get("with_qgis") is with_qgis else ""
    # `python3` on PATH may well be another one (pyenv, conda), which can't see QGIS.
    default = "/usr/bin/python3" if with_qgis else sys.executable
    return Path(qgis_python or kept or default), with_qgis


def is_current(venv: Path, digest: str) -> bool:
    """Return whether the environment was completed with these very requirements and still runs."""
    if read_stamp(venv).get("digest") != digest:
        return False
    looked_for = "'torch', 'torchvision', 'timm', 'rasterio', 'pytest'"
    return works(venv_python(venv), f"from importlib.util import find_spec; assert all(map(find_spec, ({looked_for})))")


def main() -> int:
    """Set up what is missing; return the exit status."""
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--without-qgis", choices=["0", "1", ""], default="", help="1: the backend and training alone; 0: QGIS too"
    )
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="folder of the virtual environment")
    arguments = parser.parse_args()
    venv: Path = arguments.venv.resolve()
    base, with_qgis = choose(venv, arguments.without_qgis, os.environ.get("QGIS_PYTHON", ""))
    digest = fingerprint(base, with_qgis)
    try:
        ensure_system(base, with_qgis)
        if with_qgis:
            ensure_lrelease()
        if is_current(venv, digest):
            say("everything is there" if with_qgis else "everything is there (without QGIS: WITHOUT_QGIS=0 adds it)")
            return 0
        python = make_venv(base, venv, with_qgis)
        install_python_packages(python, with_qgis)
        ensure_torchvision(python)
        check_imports(python, with_qgis)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    (venv / STAMP).write_text(json.dumps({"base": str(base), "with_qgis": with_qgis, "digest": digest}) + "\n")
    say(f"done: {venv}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
