"""Hold the user's choices for an installation, and what pip and uv get of them. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .kinds import Kind
from .variables import worker_environment

SOURCE_VARIABLE = "SARDINO_TORCH_INDEX"
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
# uv doesn't read pip's variables.
_PIP_TO_UV = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX", "PIP_FIND_LINKS": "UV_FIND_LINKS",
              "PIP_CERT": "SSL_CERT_FILE"}  # fmt: skip


@dataclass(frozen=True)
class InstallRequest:
    """Hold the user's choices.

    Attributes:
        folder: The managed folder.
        python: Interpreter to build on; one is searched for if empty.
        wheels: Folder of wheels to use instead of any index.
        source: Folder or index with another build of PyTorch.
        proxy: Environment variables that set a proxy.
        kind: Kind of installation.
    """

    folder: Path
    python: str = ""
    wheels: str = ""
    source: str = ""
    proxy: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = Kind.MAPPING


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
