"""Define the errors of an installation. Standard library only."""

from __future__ import annotations

from ..common.errors import HintedError


class InstallError(HintedError):
    """The environment can't be set up; `message` says why, `hint` what to do. An older one is unchanged."""


class AlteredFileError(InstallError):
    """A downloaded file doesn't have its pinned hash, so no other build is tried."""


class FullDiskError(InstallError):
    """The disk filled up, so no other build is tried."""


class InstallCancelledError(Exception):
    """The installation was cancelled, and its files were removed."""
