"""Pin the plugin's own environments with hashes: requirements/*.txt to requirements/locked-*.txt.

    python -m tools.lock [--uv PATH]      # uv resolves for all platforms at once: pip install uv

There is a list for each kind of installation that *Set up backend…* offers: for mapping, and with PyTorch. Each names
every package with its dependencies, and the hashes of the wheels for the platforms and Python versions below: those for
which QGIS is distributed and the packages have wheels. Its head states these, and the size of the download.
`sardino_qgis/environment/pinned.py` reads it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from packaging import tags
from packaging.markers import Marker
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
# QGIS brings 3.9 or 3.12 on Windows, 3.9 to 3.14 on Linux distributions; Macs have any of them.
PYTHONS = ((3, 9), (3, 10), (3, 11), (3, 12), (3, 13), (3, 14))
LINUX = [f"manylinux_2_{minor}" for minor in range(28, 4, -1)] + ["manylinux2014", "manylinux2010", "manylinux1"]
# OpenVINO wants a later glibc there, which distributions with Python 3.10 have.
LINUX_ARM = [f"manylinux_2_{minor}" for minor in range(35, 28, -1)] + LINUX
PLATFORMS = {
    "linux-x86_64": [f"{name}_x86_64" for name in LINUX],
    "linux-aarch64": [f"{name}_aarch64" for name in LINUX_ARM],
    "win32-x86_64": ["win_amd64"],
    "darwin-arm64": list(tags.mac_platforms((14, 0), "arm64")),
    "darwin-x86_64": list(tags.mac_platforms((14, 0), "x86_64")),
}
# Packages that only the CUDA build of PyTorch needs, and the two that another build replaces.
CUDA = ("nvidia-", "cuda-", "triton")
TORCH = ("torch", "torchvision")


@dataclass(frozen=True)
class List:
    """Describe a list to write.

    Attributes:
        kind: Kind of the installation, as in its name.
        sources: Files of requirements.
        constraints: Files that narrow them.
        oldest: Version of Python.
        pip: Whether the newest pip is installed first, which reports the progress of downloads.
    """

    kind: str
    sources: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    oldest: tuple[int, int] = PYTHONS[0]
    pip: bool = False

    @property
    def path(self) -> Path:
        """Return the file to write."""
        return FOLDER / f"locked-{self.kind}.txt"

    @property
    def pythons(self) -> list[tuple[int, int]]:
        """Return the versions of Python that are covered where there are wheels."""
        return [python for python in PYTHONS if python >= self.oldest]


# timm wants Python 3.10 at least.
LISTS = (
    List("mapping", ("runtime.txt",), ("small.txt",)),
    List("pytorch", ("runtime.txt", "pytorch.txt"), oldest=(3, 10), pip=True),
)


def marker_environment(platform: str, python: tuple[int, int]) -> dict[str, str]:
    """Return the values of PEP 508 markers on a platform."""
    system, _, machine = platform.partition("-")
    dotted = ".".join(map(str, python))
    return {
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}[system],
        "platform_machine": "AMD64" if system == "win32" else machine,
        "os_name": "nt" if system == "win32" else "posix",
        "python_version": dotted,
        "python_full_version": f"{dotted}.9",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def resolve(uv: str, wanted: List) -> list[dict[str, Any]]:
    """Return the packages of the universal resolution, with markers and files, as PEP 751 writes them."""
    import tomllib

    with tempfile.TemporaryDirectory() as folder:
        path, lock = Path(folder, "wanted.in"), Path(folder, "pylock.toml")
        names = [f"-r {FOLDER / name}" for name in wanted.sources] + [
            f"-c {FOLDER / name}" for name in wanted.constraints
        ]
        path.write_text("\n".join([*names, *(["pip"] if wanted.pip else [])]) + "\n")
        command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", dotted(wanted.oldest)]
        command += ["--format", "pylock.toml", str(path), "--output-file", str(lock)]
        subprocess.run(command, check=True)
        packages: list[dict[str, Any]] = tomllib.loads(lock.read_text())["packages"]
    return packages


def dotted(python: tuple[int, int]) -> str:
    """Return a version of Python as text."""
    return ".".join(map(str, python))


def best_wheel(package: dict[str, Any], supported: list[tags.Tag]) -> dict[str, Any] | None:
    """Return the wheel that pip would take, or None."""
    ranks = {tag: rank for rank, tag in enumerate(supported)}
    ranked = []
    for wheel in package.get("wheels", []):
        name = wheel.get("name") or wheel["url"].rsplit("/", 1)[-1]
        fitting = [ranks[tag] for tag in parse_wheel_filename(name)[3] if tag in ranks]
        if fitting:
            ranked.append((min(fitting), wheel))
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def wheels_for(
    packages: list[dict[str, Any]], platform: str, python: tuple[int, int]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the wheels by package for a platform and a Python, and the needed packages that have none."""
    names = PLATFORMS[platform]
    supported = [
        *tags.cpython_tags(python, platforms=names),
        *tags.compatible_tags(python, f"cp{python[0]}{python[1]}", names),
    ]
    wheels: dict[str, dict[str, Any]] = {}
    without = []
    for package in packages:
        if "marker" in package and not Marker(package["marker"]).evaluate(marker_environment(platform, python)):
            continue
        wheel = best_wheel(package, supported)
        if wheel is None:
            without.append(package["name"])
        else:
            wheels[f"{package['name']}=={package['version']}"] = wheel
    return wheels, without


def render(packages: list[dict[str, Any]], wanted: List) -> str:
    """Return the text of the list."""
    head: list[str] = []
    hashes: dict[str, set[str]] = {}
    for platform, python in product(PLATFORMS, wanted.pythons):
        wheels, without = wheels_for(packages, platform, python)
        place = f"{platform} {dotted(python)}"
        if without:
            head.append(f"# lacks {place} {' '.join(without)}")
            continue
        sizes = {pin: wheel["size"] for pin, wheel in wheels.items()}
        rest = sum(size for pin, size in sizes.items() if not pin.startswith(CUDA) and pin.split("==")[0] not in TORCH)
        head.append(f"# covers {place} {sum(sizes.values()) / 1e6:.0f} {rest / 1e6:.0f}")
        for pin, wheel in wheels.items():
            hashes.setdefault(pin, set()).add(wheel["hashes"]["sha256"])
    lines = [
        f"# Written by `python -m tools.lock` from {' and '.join(wanted.sources)}; not to be edited. Shipped as",
        f"# requirements-{wanted.kind}-locked.txt.",
        "# Covers: platform, Python, MB to download, and MB of it without PyTorch's own packages.",
        "# Lacks: platform, Python, and the packages that have no wheel for them.",
        *head,
    ]
    # Nothing older is covered, so the condition that all share is left out.
    least = rf"^python_full_version >= '{re.escape(dotted(wanted.oldest))}'( and |$)"
    for package in sorted(packages, key=lambda p: (p["name"], p["version"])):
        pin = f"{package['name']}=={package['version']}"
        if pin in hashes:
            marker = re.sub(least, "", package.get("marker", ""))
            marker = f" ; {marker}" if marker else ""
            lines.append(" \\\n".join([pin + marker, *(f"    --hash=sha256:{h}" for h in sorted(hashes[pin]))]))
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the lists; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__.splitlines()[0])
    parser.add_argument("--uv", default="uv", help="the uv program, if it is not on PATH")
    arguments = parser.parse_args()
    try:
        texts = {wanted: render(resolve(arguments.uv, wanted), wanted) for wanted in LISTS}
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"lock: uv failed: {error}. It comes with  pip install uv", file=sys.stderr)
        return 1
    for wanted, text in texts.items():
        wanted.path.write_text(text)
        place, many = wanted.path.relative_to(ROOT), text.count("# covers ")
        print(f"{place}: {text.count('==')} pins, {many} platforms and versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
