"""Install the managed environment, and put it in use once the backend has run in it.

QGIS's own Python is not changed: an interpreter creates a virtual environment, pip (or uv) installs packages into it,
and the new interpreter runs the backend. Only then does it replace an older environment. Standard library only.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ..common.i18n import tr
from . import store
from .builder import EnvironmentBuilder
from .errors import AlteredFileError, FullDiskError, InstallError
from .pinned import Build
from .plan import Plan, refuse_foreign
from .progress import InstallFeedback
from .texts import readable


def install(plan: Plan, feedback: InstallFeedback) -> Path:
    """Build and test a new environment, replace the older one, and return the interpreter of the new one.

    Raises:
        InstallError: The installation failed, another one is running, or the folder is used for other files.
        InstallCancelledError: The feedback asked to stop.
    """
    folder = plan.request.folder
    refuse_foreign(folder)
    try:
        with store.exclusive(folder):
            store.sweep(folder)
            made = _first_that_works(plan, feedback)
            store.activate(made)
            store.sweep(folder, lambda left: feedback.log(words_on_left(left)))
    except store.BusyError as busy:
        raise InstallError(
            tr("Another installation into {} is running (process {}).").format(folder, busy.process or "?"),
            tr("Wait until it is done."),
        ) from busy
    except OSError as error:
        raise InstallError(
            str(error), tr("Check that the disk has space left, and that you may write to {}.").format(folder)
        ) from error
    feedback.progress(1, tr("Done"))
    return store.interpreter_in(made)


def words_on_left(folder: Path) -> str:
    """Return a line on a numbered folder that is not removed, though its environment isn't in use."""
    return tr("{} is kept: it was not made by this plugin, or other files were added to it.").format(folder)


def _check_space(plan: Plan, build: Build) -> None:
    needed = plan.download(build) + plan.disk(build)
    free = shutil.disk_usage(plan.request.folder).free
    if free < needed:
        raise InstallError(
            tr("{free} are free in {folder}, and about {needed} are needed.").format(
                free=readable(free), folder=plan.request.folder, needed=readable(needed)
            ),
            tr("Free some space, or choose another folder."),
        )


def _first_that_works(plan: Plan, feedback: InstallFeedback) -> Path:
    """Try the builds one after the other, each in a new folder."""
    problem = InstallError("")
    for build in plan.builds:
        made = store.make_next(plan.request.folder)
        if problem.message:
            feedback.log(tr("This build failed: {}").format(problem.message))
        if build.label:
            feedback.log(tr("PyTorch: {}.").format(build.label))
        try:
            _check_space(plan, build)
            EnvironmentBuilder(plan, build, made, feedback).create()
            return made
        except InstallError as error:
            problem = error
            shutil.rmtree(made, ignore_errors=True)
            if isinstance(error, (AlteredFileError, FullDiskError)):
                break
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    raise problem
