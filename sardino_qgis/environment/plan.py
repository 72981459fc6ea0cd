"""Plan the installation of the managed environment: shown to the user, carried out by `install`.

Standard library only.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..common.i18n import tr
from .errors import InstallError
from .interpreters import Base, UnfitError, find_base
from .ownership import foreign_in
from .pinned import CPU_TORCH_MB, Build, Pinned, builds, nvidia_card, read
from .variables import worker_environment

SOURCE_VARIABLE = "SARDINO_TORCH_INDEX"
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
# uv doesn't read pip's variables.
_PIP_TO_UV = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX", "PIP_FIND_LINKS": "UV_FIND_LINKS",
              "PIP_CERT": "SSL_CERT_FILE"}  # fmt: skip


@dataclass(frozen=True)
class InstallRequest:
    """The user's choices.

    Attributes:
        folder: The managed folder.
        python: Interpreter to build on; one is searched for if empty.
        wheels: Folder of wheels to use instead of any index.
        source: Folder or index with another build of PyTorch.
        proxy: Environment variables that set a proxy.
    """

    folder: Path
    python: str = ""
    wheels: str = ""
    source: str = ""
    proxy: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """An installation that can be carried out."""

    request: InstallRequest
    base: Base
    pinned: Pinned
    builds: Sequence[Build]
    uv: str
    card: str

    def lines(self) -> list[str]:
        """Describe for the user what is installed, from where, how large it is, and where it goes."""
        tool = "uv" if self.uv else "pip"
        place = self.request.wheels or tr("the package index that {} is configured to use").format(tool)
        lines = [
            tr("Packages: PyTorch, timm, rasterio and their dependencies, from {}").format(place),
            tr("PyTorch: {}").format(tr("; otherwise ").join(build.label for build in self.builds)),
            tr("Size: {}").format(self._sizes()),
            tr("Folder: {}").format(shortened(str(self.request.folder))),
            tr("Built on: Python {version}, {path} (with {tool})").format(
                version=self.base.version, path=shortened(self.base.path), tool=tool
            ),
        ]
        if self.card:
            lines.append(tr("Graphics card: {}").format(self.card))
        if not self.request.source and not self.request.wheels:
            lines += self._advice()
        if not self.pinned.hashed:
            lines.append(
                tr("No hashes are known for {} with Python {}: versions are pinned, files are not checked.").format(
                    self.base.platform, self.base.version
                )
            )
        return lines

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

    def _sizes(self) -> str:
        if not self.pinned.size:
            return tr("unknown for this machine; 0.2 to 3 GB to download on others")
        first, last = self.builds[0], self.builds[-1]
        texts = [self._size(first)]
        if first.kind == "cpu":
            texts.append(tr("with CUDA {}").format(self._size(last)))
        return "; ".join(texts)

    def _size(self, build: Build) -> str:
        return tr("about {:.1f} GB to download, {:.1f} GB on disk").format(
            self.download(build) / 1e9, self.disk(build) / 1e9
        )

    def download(self, build: Build) -> int:
        """Return roughly how many bytes are downloaded; 0 where unknown."""
        known = self.pinned.size
        if known and build.kind == "cpu":
            known = self.pinned.size_without_torch + CPU_TORCH_MB
        return known * 10**6

    def disk(self, build: Build) -> int:
        """Return roughly how many bytes the finished environment takes; 0 where unknown."""
        download = self.download(build)
        return download and 2 * download + 8 * 10**8


def shortened(text: str) -> str:
    """Return `text` with the user's home folder as `~`."""
    home = str(Path.home())
    return re.sub(re.escape(home) + r"(?![^\\/\s:;,'\")])", "~", text) if len(home) > 1 else text


def discreet(line: str) -> str:
    """Return `line` without the user names and passwords in URLs."""
    return re.sub(r"://[^/\s@]+@", "://***@", line)


def make_plan(request: InstallRequest) -> Plan:
    """Find an interpreter, the list of packages and the builds of PyTorch for a request.

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
        base = find_base(request.python, variables, needed)
    except UnfitError as unfit:
        raise InstallError(
            tr("No suitable Python was found to build the environment on ({}).").format(shortened(str(unfit))),
            tr("Install a 64-bit Python (3.10 to 3.14) and try again, or name one."),
        ) from unfit
    pinned = read(base.platform, base.version)
    if not pinned.entries:
        raise InstallError(
            tr("The plugin is incomplete: it has no list of packages."), tr("Install the plugin's zip again.")
        )
    card = nvidia_card(variables)
    return Plan(request, base, pinned, builds(base.platform, bool(card), request.source), uv, card)


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder for environments in which others keep files.

    Raises:
        InstallError: It is one, or can't be read.
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


def variables_for(request: InstallRequest) -> dict[str, str]:
    """Return the environment variables for pip and uv."""
    variables = worker_environment()
    for name in _CERTIFICATES:
        # QGIS for Windows names a folder that doesn't exist.
        if variables.get(name) and not os.path.exists(variables[name]):
            del variables[name]
    for theirs, uvs in _PIP_TO_UV.items():
        if variables.get(theirs):
            value = variables[theirs]
            variables.setdefault(uvs, ",".join(value.split()) if uvs == "UV_FIND_LINKS" else value)
    variables.update(request.proxy)
    # A user's settings of pip may install packages elsewhere, or cache gigabytes.
    variables.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_CACHE_DIR="1")
    variables.update(UV_PYTHON_DOWNLOADS="never")
    unwanted = ["PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_HASHES", "PIP_NO_DEPS"]
    if request.wheels:
        # Only that folder is used, not the indexes and folders that settings name.
        unwanted += [*_PIP_TO_UV, *_PIP_TO_UV.values()]
        variables.update(PIP_CONFIG_FILE=os.devnull)
    return {name: value for name, value in variables.items() if name not in unwanted}
