"""Define the errors of an installation. Standard library only."""

from __future__ import annotations

from ..common.errors import HintedError


class InstallError(HintedError):
    """Signal that the environment can't be set up; `message` says why, `hint` what to do. An older one is unchanged."""


class AlteredFileError(InstallError):
    """Signal that a downloaded file doesn't have its pinned hash, so no other build is tried."""


class FullDiskError(InstallError):
    """Signal that the disk filled up, so no other build is tried."""


class InstallCancelledError(Exception):
    """Signal that the installation was cancelled, and its files were removed."""
