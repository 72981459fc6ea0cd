"""Errors of an installation. Standard library only."""

from __future__ import annotations


class InstallError(Exception):
    """The environment can't be set up; `message` says why, `hint` what to do. The older one is as it was."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint


class AlteredFileError(InstallError):
    """A downloaded file isn't the pinned one: nothing else is tried after that."""


class InstallCancelledError(Exception):
    """The installation was cancelled; nothing of it is left."""
