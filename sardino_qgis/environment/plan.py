"""Plan the installation of the managed environment: shown to the user, carried out by `install`.

Standard library only.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..common.i18n import tr
from .errors import InstallError
from .interpreters import Base, UnfitError, find_base
from .kinds import Kind, kind_of
from .ownership import foreign_in
from .pinned import CPU_TORCH_MB, LISTED, Build, Pinned, builds, nvidia_card, read
from .request import InstallRequest, variables_for
from .store import current_interpreter
from .texts import readable, shortened

# Bytes on disk for each byte to download, measured on Linux.
_UNPACKED = 3.3


@dataclass(frozen=True)
class Plan:
    """Hold an installation that can be carried out."""

    request: InstallRequest
    base: Base
    pinned: Pinned
    builds: Sequence[Build]
    uv: str
    card: str

    @property
    def kind(self) -> Kind:
        """Return the kind of installation."""
        return self.request.kind

    def lines(self) -> list[str]:
        """Describe for the user what is installed, from where, how large it is, and where it goes."""
        tool = "uv" if self.uv else "pip"
        place = self.request.wheels or tr("the package index that {} is configured to use").format(tool)
        packages = ["OpenVINO"] if self.kind is Kind.MAPPING else ["PyTorch", "timm", "OpenVINO"]
        lines = [
            tr("Packages: {packages}, rasterio, scikit-learn and their dependencies, from {place}").format(
                packages=", ".join(packages), place=place
            )
        ]
        if self.kind is Kind.PYTORCH:
            lines.append(tr("PyTorch: {}").format(tr("; otherwise ").join(build.label for build in self.builds)))
        lines += [
            tr("Size: {}").format(self.sizes()),
            tr("Folder: {}").format(shortened(str(self.request.folder))),
            tr("Built on: Python {version}, {path} (with {tool})").format(
                version=self.base.version, path=shortened(self.base.path), tool=tool
            ),
            self._card(),
        ]
        installed = kind_of(current_interpreter(self.request.folder))
        if installed is not None:
            lines.append(tr("Installed there now, and replaced when the new one works: {}").format(installed.title))
        if self.kind is Kind.PYTORCH and not self.request.source and not self.request.wheels:
            lines += self._advice()
        if not self.pinned.hashed:
            lines.append(
                tr("No hashes are known for {} with Python {}: versions are pinned, files are not checked.").format(
                    self.base.platform, self.base.version
                )
            )
        return lines

    def _card(self) -> str:
        """Return a sentence on the graphics card, and which installation uses it."""
        apple = self.base.platform == "darwin-arm64"
        if not self.card and not apple:
            return tr("Graphics card: {}").format(tr("no NVIDIA card found"))
        said = tr("Graphics card: {}").format(self.card or tr("that of the Apple processor"))
        if self.kind is Kind.PYTORCH:
            return said
        return said + ". " + tr("This installation computes on the processor; With PyTorch uses the card.")

    def _advice(self) -> list[str]:
        if self.builds[0].kind == "cpu":
            return [tr("For the smaller CPU build, choose PyTorch's package index for CPUs as the source of PyTorch.")]
        if self.card and self.base.platform.startswith("win32"):
            return [
                tr(
                    "The default build of PyTorch for Windows does not use the card. For one that does, choose "
                    "PyTorch's package index for CUDA as the source of PyTorch."
                )
            ]
        return []

    def sizes(self) -> str:
        """Return a sentence on the size, with the build of PyTorch that is tried first and with the last."""
        if not self.pinned.size:
            if self.kind is Kind.MAPPING:
                return tr("unknown for this machine; about 130 MB to download on others")
            return tr("unknown for this machine; 0.2 to 3 GB to download on others")
        first, last = self.builds[0], self.builds[-1]
        texts = [self._size(first)]
        if first.kind == "cpu":
            texts.append(tr("with CUDA {}").format(self._size(last)))
        return "; ".join(texts)

    def _size(self, build: Build) -> str:
        return tr("about {} to download, {} on disk").format(readable(self.download(build)), readable(self.disk(build)))

    def download(self, build: Build) -> int:
        """Return roughly how many bytes are downloaded; 0 where unknown."""
        known = self.pinned.size
        if known and build.kind == "cpu":
            known = self.pinned.size_without_torch + CPU_TORCH_MB
        return known * 10**6

    def disk(self, build: Build) -> int:
        """Return roughly how many bytes the finished environment takes; 0 where unknown."""
        download = self.download(build)
        if self.kind is Kind.MAPPING:
            return int(_UNPACKED * download)
        return download and 2 * download + 8 * 10**8


def make_plan(request: InstallRequest) -> Plan:
    """Find an interpreter, the list of packages and, with PyTorch, its builds for a request.

    Raises:
        InstallError: There is no Python to build on, the choices contradict each other, or the folder is used for
            other files.
    """
    refuse_foreign(request.folder)
    if request.wheels and not os.path.isdir(request.wheels):
        raise InstallError(tr("There is no folder {}.").format(request.wheels), tr("Choose a folder of wheels."))
    if request.wheels and request.source and not os.path.isdir(request.source):
        raise InstallError(
            tr("With a folder of wheels no package index is used, but the source of PyTorch is an index."),
            tr("Choose a folder as the source of PyTorch too, or leave one of the two empty."),
        )
    variables = variables_for(request)
    uv = shutil.which("uv", path=variables.get("PATH")) or ""
    needed = () if uv else ("ssl", "venv", "ensurepip")
    try:
        base = find_base(request.python, variables, needed, request.kind)
    except UnfitError as unfit:
        oldest = "{}.{}".format(*request.kind.oldest)
        raise InstallError(
            tr("No suitable Python was found to build the environment on ({}).").format(shortened(str(unfit))),
            tr("Install a 64-bit Python ({} to 3.14) and try again, or name one.").format(oldest),
        ) from unfit
    card = nvidia_card(variables)
    pinned = read(request.kind, base.platform, base.version)
    if not pinned.entries:
        raise InstallError(
            tr("The plugin is incomplete: it has no list of packages."), tr("Install the plugin's zip again.")
        )
    return Plan(request, base, pinned, _ways(request, base, card), uv, card)


def _ways(request: InstallRequest, base: Base, card: str) -> list[Build]:
    return builds(base.platform, bool(card), request.source) if request.kind is Kind.PYTORCH else [LISTED]


def offers(plan: Plan) -> dict[Kind, str]:
    """Return the purpose of each kind of installation, and its size on the plan's interpreter where that is known."""
    texts = {}
    for kind in Kind:
        request, pinned = replace(plan.request, kind=kind), read(kind, plan.base.platform, plan.base.version)
        other = replace(plan, request=request, pinned=pinned, builds=_ways(request, plan.base, plan.card))
        size = other.sizes() if pinned.size else ""
        texts[kind] = f"{kind.use} {size[:1].upper()}{size[1:]}".strip()
    return texts


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder for environments in which others keep files.

    Raises:
        InstallError: The folder holds files of others, or can't be read.
    """
    try:
        found = foreign_in(folder)
    except OSError as error:
        raise InstallError(str(error), tr("Choose a new or an empty folder.")) from error
    if found:
        raise InstallError(
            tr("The folder {folder} holds {name}, which was not made by this plugin.").format(
                folder=shortened(str(folder)), name=found
            ),
            tr("Choose a new or an empty folder."),
        )
