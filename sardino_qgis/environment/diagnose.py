"""Report versions, device and paths as text for those who help users. It contains no secrets.

Run it off the main thread: the backend takes some seconds to answer.
"""

from __future__ import annotations

import configparser
import json
import os
import platform
import subprocess  # nosec B404
from typing import Any

from ..common import plugin_files
from ..common.i18n import tr
from ..common.process import output_of
from . import locate, store
from .kinds import PYTORCH_PACKAGES, Kind, kind_of
from .pinned import nvidia_card
from .request import SOURCE_VARIABLE
from .texts import discreet, shortened
from .variables import worker_environment

_ENGINES = ("openvino", "onnxruntime")


def report() -> str:
    """Return facts about QGIS, the plugin and the backend, one per line, with the home folder as `~`."""
    lines = [
        f"SAR Land Cover (DINO) {_plugin_version()}",
        tr("QGIS: {}").format(_qgis_version()),
        tr("This Python: {}").format(platform.python_version()),
        tr("System: {}").format(platform.platform()),
        tr("Graphics card: {}").format(nvidia_card(worker_environment()) or tr("no NVIDIA card found")),
        tr("Plugin: {}").format(plugin_files.plugin_folder()),
        tr("Managed environment: {}").format(_managed()),
    ]
    for name in (locate.VARIABLE, SOURCE_VARIABLE, "SARDINO_MODELS"):
        if os.environ.get(name):
            lines.append(f"{name}: {os.environ[name]}")
    if locate.stored_interpreter():
        lines.append(tr("Interpreter set in the plugin: {}").format(locate.stored_interpreter()))
    lines += _backend()
    return "\n".join(shortened(discreet(line)) for line in lines)


def _plugin_version() -> str:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(plugin_files.shipped("metadata.txt"), encoding="utf-8")
    return parser.get("general", "version", fallback="?")


def _qgis_version() -> str:
    try:
        from qgis.core import Qgis
        from qgis.PyQt.QtCore import QT_VERSION_STR
    except ImportError:
        return tr("not in this Python")
    return f"{Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}"


def _managed() -> str:
    folder = locate.managed_folder()
    number = store.current(folder)
    if not number:
        return tr("none in {}").format(folder)
    kind = kind_of(store.current_interpreter(folder))
    return f"{folder / number}" + (f" ({kind.title})" if kind else "")


def _backend() -> list[str]:
    try:
        python, root = locate.find_interpreter(), locate.backend_root()
    except locate.BackendMissingError as missing:
        return [tr("Backend: none. {}").format(missing)]
    lines = [tr("Backend's Python: {}").format(python)]
    command = [python, "-m", "backend", "info", "--progress", "json"]
    try:
        said = output_of(command, worker_environment(), str(root))
        facts: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or b"").decode("utf-8", "replace").strip().splitlines()
        return [*lines, tr("Backend: it fails: {}").format(last[-1] if last else error)]
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        return [*lines, tr("Backend: it fails: {}").format(error)]
    versions = facts["versions"]
    kind = Kind.PYTORCH if versions.get("torch") else Kind.MAPPING
    lines.append(tr("Installation: {}").format(kind.purpose))
    # One engine is enough, and what the other kind of installation has is not missing.
    unneeded = () if kind is Kind.PYTORCH else PYTORCH_PACKAGES
    unneeded += _ENGINES if any(versions.get(name) for name in _ENGINES) else ()
    shown = (name for name in versions if versions[name] or name not in unneeded)
    lines += [f"{name}: {versions[name] or tr('missing')}" for name in shown]
    lines.append(tr("Device: {} (available: {})").format(facts["device"], ", ".join(facts["devices"])))
    return [*lines, tr("Models: {}").format(", ".join(model["name"] for model in facts["models"]))]
