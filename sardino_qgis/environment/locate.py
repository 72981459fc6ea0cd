"""Find the Python interpreter that runs the backend, and the folder that holds the backend."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..common import plugin_files
from ..common.errors import HintedError
from ..common.i18n import tr
from .hints import setup_hint
from .store import current_interpreter, default_profile

try:
    from qgis.core import QgsApplication, QgsSettings
except ImportError:  # `python -m sardino_qgis.environment` in a Python without QGIS, where there are no settings
    QgsApplication = QgsSettings = None

VARIABLE = "SARDINO_PYTHON"
SETTING = "sardino/python"


class BackendMissingError(HintedError):
    """Signal that there is no interpreter or no backend; `message` says what was found, `hint` what to do."""

    BETWEEN = " "


@dataclass(frozen=True)
class Attempt:
    """Hold one place where an interpreter was looked for.

    Attributes:
        origin: Name of the place, for messages.
        path: The interpreter there; empty where none is set.
        problem: Why it can't be used; empty where it can.
        named: Whether a user named it. Such a place decides, even where its interpreter can't be used: going on to
            another one would run something that the user did not ask for.
    """

    origin: str
    path: str
    problem: str
    named: bool = False


def managed_folder() -> Path:
    """Return the folder of the environment that the plugin manages, in the user's QGIS profile.

    Outside a running QGIS it is the profile that the plugin is installed in, or else the default profile.
    """
    if QgsApplication is not None and QgsApplication.instance() is not None:
        profile = Path(QgsApplication.qgisSettingsDirPath())
    else:
        profile = default_profile(plugin_files.plugin_folder())
    return profile / "sardino" / "env"


def stored_interpreter() -> str:
    """Return the interpreter chosen in the plugin's settings, or an empty string."""
    return str(QgsSettings().value(SETTING, "") or "").strip() if QgsSettings is not None else ""


def store_interpreter(path: str) -> None:
    """Store the chosen interpreter in the plugin's settings; an empty string removes it."""
    if path:
        QgsSettings().setValue(SETTING, path)
    else:
        QgsSettings().remove(SETTING)


def _resolved(text: str) -> str:
    """Return the path of an interpreter from its path, its name on PATH, or the folder of its environment."""
    path = Path(os.path.expanduser(text))
    if path.is_dir():
        return str(current_interpreter(path))
    if not path.exists() and os.sep not in text and "/" not in text:
        return shutil.which(text) or text
    # Absolute, not resolved: the link bin/python is what selects a virtual environment.
    return os.path.abspath(path)


def why_unusable(path: str) -> str:
    """Return why `path` can't be an interpreter, or an empty string where it can."""
    if not os.path.exists(path):
        return tr("there is no such file")
    if not os.path.isfile(path):
        return tr("this is not a file")
    if not os.access(path, os.X_OK):
        return tr("the file is not executable")
    return ""


def attempts() -> list[Attempt]:
    """Look for an interpreter, and return each place in order, up to the one that decides."""
    named = (
        (tr("environment variable {}").format(VARIABLE), os.environ.get(VARIABLE, "").strip()),
        (tr("setting of the plugin"), stored_interpreter()),
    )
    tried = []
    for origin, text in named:
        if text:
            path = _resolved(text)
            return [*tried, Attempt(origin, path, why_unusable(path), named=True)]
        tried.append(Attempt(origin, "", tr("not set")))
    managed = str(current_interpreter(managed_folder()))
    return [*tried, Attempt(tr("environment managed by the plugin"), managed, why_unusable(managed))]


def find_interpreter() -> str:
    """Return the interpreter that runs the backend.

    Raises:
        BackendMissingError: None is set up, or the one that a user named can't be used.
    """
    tried = attempts()
    last = tried[-1]
    if not last.problem:
        return last.path
    if last.named:
        raise BackendMissingError(
            tr("The Python interpreter {path} can't be used ({origin}): {problem}.").format(
                path=last.path, origin=last.origin, problem=last.problem
            ),
            tr("Correct it, or remove it.") + " " + setup_hint(),
        )
    looked = "; ".join(f"{a.origin}: {a.path + ', ' if a.path else ''}{a.problem}" for a in tried)
    # Advice comes before the places, which few readers need.
    hint = setup_hint() + " " + tr("Looked for it at: {}.").format(looked)
    raise BackendMissingError(tr("No Python interpreter for the backend is set up."), hint)


def interpreter() -> str:
    """Return the interpreter that runs the backend; an empty string where there is none."""
    try:
        return find_interpreter()
    except BackendMissingError:
        return ""


def problem() -> str:
    """Return why the backend can't be started and what to do, or an empty string where it can."""
    try:
        find_interpreter()
        backend_root()
    except BackendMissingError as missing:
        return str(missing)
    return ""


def backend_root() -> Path:
    """Return the folder that holds `backend/` and `resources/`: the installed plugin's, or the checkout's.

    Raises:
        BackendMissingError: Neither holds the backend.
    """
    here = plugin_files.plugin_folder()
    for folder in (here, here.parent):
        if (folder / "backend" / "__main__.py").is_file():
            return folder
    raise BackendMissingError(
        tr("The plugin is incomplete: no folder 'backend' in {here} or {parent}.").format(
            here=here, parent=here.parent
        ),
        tr("Install the plugin's zip again."),
    )
