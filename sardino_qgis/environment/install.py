"""Setting up the plugin's own environment, and the proof that it works.

Nothing of it enters QGIS's own Python: an interpreter is asked to make a virtual environment, pip (or uv) to fill it,
and the new interpreter to run the backend. Only then does it take the place of an older one. Standard library only.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ..common.i18n import tr
from . import store
from .builder import EnvironmentBuilder
from .errors import AlteredFileError, InstallError
from .pinned import Build
from .plan import Plan
from .progress import InstallFeedback


def install(plan: Plan, feedback: InstallFeedback) -> Path:
    """Build a new environment, prove it, and put it in place of the older one; its interpreter.

    Raises:
        InstallError: It didn't work out, or somebody else is at it.
        InstallCancelledError: The feedback said so.
    """
    folder = plan.request.folder
    try:
        with store.exclusive(folder):
            store.sweep(folder)
            made = _first_that_works(plan, feedback)
            store.activate(made)
            store.sweep(folder)
    except store.BusyError as busy:
        raise InstallError(
            tr("Another installation into {} is running (process {}).").format(folder, busy.process or "?"),
            tr("Wait until it is done."),
        ) from busy
    except OSError as error:
        raise InstallError(str(error), tr("Is there space left, and may you write to {}?").format(folder)) from error
    feedback.progress(1, tr("Done"))
    return store.interpreter_in(made)


def _check_space(plan: Plan, build: Build) -> None:
    needed = plan.download(build) + plan.disk(build)
    free = shutil.disk_usage(plan.request.folder).free
    if free < needed:
        raise InstallError(
            tr("{free:.1f} GB are free in {folder}, and about {needed:.1f} GB are needed.").format(
                free=free / 1e9, folder=plan.request.folder, needed=needed / 1e9
            ),
            tr("Make room, or name another folder."),
        )


def _first_that_works(plan: Plan, feedback: InstallFeedback) -> Path:
    """Try the ways to get PyTorch one after the other, each in a fresh folder."""
    problem = InstallError("")
    for build in plan.builds:
        made = store.next_folder(plan.request.folder)
        if problem.message:
            feedback.log(tr("That did not work: {}").format(problem.message))
        feedback.log(tr("PyTorch: {}.").format(build.label))
        try:
            _check_space(plan, build)
            EnvironmentBuilder(plan, build, made, feedback).create()
            return made
        except InstallError as error:
            problem = error
            shutil.rmtree(made, ignore_errors=True)
            if isinstance(error, AlteredFileError):
                break
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    raise problem
