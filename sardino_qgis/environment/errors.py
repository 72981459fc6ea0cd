"""Errors of an installation. Standard library only."""

from __future__ import annotations

from ..common.errors import HintedError


class InstallError(HintedError):
    """The environment can't be set up; `message` says why, `hint` what to do. The older one is as it was."""


class AlteredFileError(InstallError):
    """A downloaded file isn't the pinned one: nothing else is tried after that."""


class InstallCancelledError(Exception):
    """The installation was cancelled; nothing of it is left."""
