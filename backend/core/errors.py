"""Define refusals: each says what was found and wanted (message) and what to do (hint)."""


class SarDinoError(Exception):
    """Serve as the base class of all errors that are shown to users.

    Args:
        message: One line: what was found and what was wanted.
        hint: One line: what to do. May be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(SarDinoError):
    """Signal that the raster, or an argument about it, can't be used."""


class UnreadableError(InputError):
    """Signal that the raster is missing, damaged, or not a raster."""


class NothingValidError(InputError):
    """Signal that no pixel holds data."""


class ModelError(SarDinoError):
    """Signal that the model folder is missing, damaged or unsuitable."""


class ResourceError(SarDinoError):
    """Signal that a device, memory, disk or output path is not sufficient."""


class Cancelled(SarDinoError):  # noqa: N818 - not an error to the user
    """Signal that the user stopped the run."""

    def __init__(self, message: str = "Cancelled.", hint: str = "") -> None:
        super().__init__(message, hint)


def unforeseen(error: Exception) -> SarDinoError:
    """Return the one-line error to show for an exception that no code expected."""
    if isinstance(error, MemoryError):
        return ResourceError("Memory ran out.", "Close other programs, or map the raster in parts with --extent.")
    first = (str(error).splitlines() or [""])[0]
    return SarDinoError(
        f"Unexpected {type(error).__name__}: {first}",
        "This is a fault of the program; run again with SARDINO_DEBUG=1 in the environment and report the trace.",
    )
