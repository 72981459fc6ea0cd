"""Install the Debian packages that the machine lacks: QGIS, venv, Qt's lrelease."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.lrelease import HINT, PACKAGE, find_lrelease
from tools.setup.process import SetupError, last_words, run, say, works

QGIS_PACKAGES = ["qgis", "python3-qgis", "qgis-providers"]


def missing_packages(python: Path, with_qgis: bool) -> list[str]:
    """Return the Debian packages that this machine lacks."""
    missing: list[str] = []
    has_process = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if with_qgis and not (has_process and works(python, "import qgis.core, osgeo.gdal")):
        missing += QGIS_PACKAGES
    if not works(python, "import venv, ensurepip"):
        missing.append("python3-venv")
    return missing


def become_root() -> list[str] | None:
    """Return the command prefix for root's rights, or None if there are none."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def install_packages(packages: list[str]) -> None:
    """Install Debian packages, or raise SetupError with the commands to run by hand."""
    wanted = " ".join(packages)
    without = "For the backend and training alone, without QGIS: make setup WITHOUT_QGIS=1"
    if not sys.platform.startswith("linux") or not shutil.which("apt-get"):
        raise SetupError(
            f"missing here: {wanted}, and this is not Debian or Ubuntu, where they could be installed for you.\n"
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
    """Install missing packages, and check them afterwards."""
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
    """Install Qt's lrelease if possible; without it, the plugin is English only."""
    if find_lrelease() is not None:
        return
    if not shutil.which("apt-get") or become_root() is None:
        say(f"translations will not be compiled: {HINT}")
        return
    try:
        install_packages([PACKAGE])
    except SetupError as error:
        say(f"translations will not be compiled: {error}")
