"""Refusals: each says what was found and wanted (message) and what to do about it (hint)."""


class SarDinoError(Exception):
    """Base of every refusal that a user is meant to read.

    Args:
        message: One line: what was found and what was wanted.
        hint: One line: what the user can do. May be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep message and hint apart, so that each front end can show them its own way."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(SarDinoError):
    """The raster, or an argument about it, can't be used."""


class UnreadableError(InputError):
    """The raster can't be opened, or its pixels can't be read: missing, damaged, or no raster at all."""


class ModelError(SarDinoError):
    """The model folder is missing, damaged or doesn't fit."""


class ResourceError(SarDinoError):
    """Device, memory, disk or output path can't do what was asked."""


class Cancelled(SarDinoError):  # noqa: N818 - not an error to the user
    """The user stopped the run."""

    def __init__(self, message: str = "Cancelled.", hint: str = "") -> None:
        """Default the message, since a cancel needs no explanation."""
        super().__init__(message, hint)


def unforeseen(error: Exception) -> SarDinoError:
    """What a user is told of an error that is nobody's refusal: one line, the rest on demand."""
    if isinstance(error, MemoryError):
        return ResourceError("Memory ran out.", "Close other programs, or map the raster in parts, with --extent.")
    first = (str(error).splitlines() or [""])[0]
    return SarDinoError(
        f"Unexpected {type(error).__name__}: {first}",
        "This is a fault of the program; run again with SARDINO_DEBUG=1 in the environment and report the trace.",
    )
