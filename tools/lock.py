"""Pin the plugin's own environment with hashes: requirements/runtime.txt to requirements/locked.txt.

    python -m tools.lock [--uv PATH]      # uv resolves for all platforms at once: pip install uv

The list names every package with its dependencies, and the hashes of the wheels for the platforms and Python versions
below: those for which QGIS is distributed and PyTorch has wheels. Its head states these, and the size of the download.
`sardino_qgis/environment/pinned.py` reads it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging import tags
from packaging.markers import Marker
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "requirements" / "runtime.txt"
TARGET = ROOT / "requirements" / "locked.txt"
# timm wants 3.10 at least. QGIS brings 3.12 on Windows, 3.10 to 3.14 on Linux distributions; Macs have any of them.
PYTHONS = ((3, 10), (3, 11), (3, 12), (3, 13), (3, 14))
LINUX = [f"manylinux_2_{minor}" for minor in range(28, 4, -1)] + ["manylinux2014", "manylinux2010", "manylinux1"]
PLATFORMS = {
    "linux-x86_64": [f"{name}_x86_64" for name in LINUX],
    "linux-aarch64": [f"{name}_aarch64" for name in LINUX],
    "win32-x86_64": ["win_amd64"],
    "darwin-arm64": list(tags.mac_platforms((14, 0), "arm64")),
}
# Packages that only the CUDA build of PyTorch needs, and the two that another build replaces.
CUDA = ("nvidia-", "cuda-", "triton")
TORCH = ("torch", "torchvision")


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


def resolve(uv: str) -> list[dict[str, Any]]:
    """Return the packages of the universal resolution, with markers and files, as PEP 751 writes them."""
    import tomllib

    with tempfile.TemporaryDirectory() as folder:
        wanted, lock = Path(folder, "wanted.in"), Path(folder, "pylock.toml")
        # The pip of an environment may be too old for today's wheels, and it reports no progress.
        wanted.write_text(SOURCE.read_text() + "\npip\n")
        command = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.10", "--format",
                   "pylock.toml", str(wanted), "--output-file", str(lock)]  # fmt: skip
        subprocess.run(command, check=True)
        packages: list[dict[str, Any]] = tomllib.loads(lock.read_text())["packages"]
    return packages


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


def covered(packages: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, dict[str, Any]]]]:
    """Yield platform, Python and the wheels by package, if every needed package has a wheel."""
    for platform, names in PLATFORMS.items():
        for python in PYTHONS:
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
            dotted = ".".join(map(str, python))
            if without:
                print(f"lock: {platform} with Python {dotted} is left out: no wheel of {', '.join(without)}")
                continue
            yield platform, dotted, wheels


def render(packages: list[dict[str, Any]]) -> str:
    """Return the text of the list."""
    head: list[str] = []
    hashes: dict[str, set[str]] = {}
    for platform, python, wheels in covered(packages):
        sizes = {pin: wheel["size"] for pin, wheel in wheels.items()}
        rest = sum(size for pin, size in sizes.items() if not pin.startswith(CUDA) and pin.split("==")[0] not in TORCH)
        head.append(f"# covers {platform} {python} {sum(sizes.values()) / 1e6:.0f} {rest / 1e6:.0f}")
        for pin, wheel in wheels.items():
            hashes.setdefault(pin, set()).add(wheel["hashes"]["sha256"])
    lines = [
        "# Written by `python -m tools.lock` from runtime.txt; not to be edited. Shipped as requirements-locked.txt.",
        "# covers: platform, Python, MB to download, and MB of it without PyTorch's own packages.",
        *head,
    ]
    for package in sorted(packages, key=lambda p: (p["name"], p["version"])):
        pin = f"{package['name']}=={package['version']}"
        if pin in hashes:
            # Nothing older is covered, so the condition that all share is left out.
            marker = re.sub(r"^python_full_version >= '3\.10'( and |$)", "", package.get("marker", ""))
            marker = f" ; {marker}" if marker else ""
            lines.append(" \\\n".join([pin + marker, *(f"    --hash=sha256:{h}" for h in sorted(hashes[pin]))]))
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the list; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__.splitlines()[0])
    parser.add_argument("--uv", default="uv", help="the uv program, if it is not on PATH")
    arguments = parser.parse_args()
    try:
        text = render(resolve(arguments.uv))
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"lock: uv failed: {error}. It comes with  pip install uv", file=sys.stderr)
        return 1
    TARGET.write_text(text)
    print(f"{TARGET.relative_to(ROOT)}: {text.count('==')} pins, {text.count('# covers ')} platforms and versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
