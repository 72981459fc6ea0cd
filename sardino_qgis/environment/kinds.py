"""Define the two kinds of installation: what maps, and that with PyTorch on top. Standard library only."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from ..common.i18n import tr

# Packages that an installation for mapping doesn't have.
PYTORCH_PACKAGES = ("torch", "torchvision", "timm")


class Kind(Enum):
    """Describe a kind of installation. OpenVINO maps; PyTorch uses graphics cards and trains."""

    MAPPING = "mapping"
    PYTORCH = "pytorch"

    @property
    def oldest(self) -> tuple[int, int]:
        """Return the oldest version of Python; the second is required by timm."""
        return (3, 9) if self is Kind.MAPPING else (3, 10)

    @property
    def title(self) -> str:
        """Return its name for users."""
        return tr("For mapping") if self is Kind.MAPPING else tr("With PyTorch")

    @property
    def use(self) -> str:
        """Return its purpose in addition to mapping; may be empty."""
        return "" if self is Kind.MAPPING else tr("For NVIDIA or Apple graphics, and to train.")

    @property
    def purpose(self) -> str:
        """Return its name for users, and what it is for."""
        if self is Kind.MAPPING:
            return self.title
        return tr("With PyTorch: for NVIDIA or Apple graphics, and to train")


def site_packages(environment: Path) -> list[Path]:
    """Return the folders of packages in a virtual environment; empty where there is none."""
    return [path for name in ("Lib/site-packages", "lib/python3*/site-packages") for path in environment.glob(name)]


def has_package(python: str | Path, name: str) -> bool:
    """Return whether a package lies in the virtual environment of an interpreter, without starting it."""
    return bool(python) and any((place / name).is_dir() for place in site_packages(Path(python).parent.parent))


def kind_of(python: str | Path) -> Kind | None:
    """Return the kind of the virtual environment of an interpreter, without starting it.

    It hangs on the packages that are there, so that environments of earlier versions, and of users, are known too. None
    for what is no virtual environment, for one that sees packages of another Python, and for one without a backend's
    packages.
    """
    if not python:
        return None
    environment = Path(python).parent.parent
    try:
        settings = (environment / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return None
    names = {path.name.split("-")[0] for place in site_packages(environment) for path in place.glob("*.dist-info")}
    if "torch" in names:
        return Kind.PYTORCH
    alone = "include-system-site-packages = true" not in settings
    return Kind.MAPPING if "openvino" in names and alone else None
