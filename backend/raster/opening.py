"""Open what GDAL opens, and refuse what it doesn't, or would wait for without end."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from backend.core.errors import InputError, UnreadableError
from backend.raster.errors import RASTER_ERRORS
from backend.raster.virtual import virtual_raster

HINT = "Give a raster file, such as a GeoTIFF with VV and VH."


def open_files(paths: Sequence[str]) -> Any:
    """One file, or several as one: their bands follow each other. A rasterio dataset, for a context.

    Raises:
        InputError: One can't be opened, or does not lie on the grid of the first.
    """
    if len(paths) == 1:
        return open_raster(paths[0])
    with ExitStack() as stack:
        text = virtual_raster([stack.enter_context(open_raster(path)) for path in paths])
    return open_raster(text)


def open_raster(path: str) -> Any:
    """The opened rasterio dataset, for a context.

    Raises:
        UnreadableError: There is no such file, it is no raster, or what it says of itself makes no sense.
        InputError: Its name is no text.
    """
    check_name(path)
    _check_kind(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            return rasterio.open(path)
        except RasterioError as error:
            # Names that GDAL understands, such as NETCDF:"a.nc":vv or /vsizip/…, are no paths of this system.
            if "://" not in path and not path.startswith("/vsi") and not os.path.exists(path) and ":" not in path[2:]:
                raise UnreadableError(f"There is no file {path}.", "Check the path.") from error
            raise UnreadableError(f"{path} is not a raster that GDAL can open.", HINT) from error
        except UnicodeDecodeError as error:
            raise not_utf8(path) from error
        except RASTER_ERRORS as error:
            raise undecodable(path, error) from error


def undecodable(path: str, error: Exception) -> UnreadableError:
    """The refusal of a raster whose description of itself GDAL can't follow."""
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return UnreadableError(f"{path} can't be read: {reason}.", "Copy or download the file again.")


def not_utf8(path: str) -> UnreadableError:
    """The refusal of a raster whose names of bands, or of something else, can't be read."""
    return UnreadableError(
        f"{path} holds names that are not valid UTF-8.", "Name its bands anew, with gdal_edit.py, say."
    )


def check_name(path: str) -> None:
    """Refuse a name that GDAL can't be given.

    Raises:
        InputError: It isn't text, as names made under other encodings are.
    """
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"The name {ascii(path)} is not valid UTF-8.", "Rename the file or folder.") from error


def _check_kind(path: str) -> None:
    """Refuse pipes and the like: GDAL would wait for whoever is to write to it."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return  # nothing of that name: GDAL may know better
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode):
        raise UnreadableError(f"{path} is not a file but a pipe, socket or device.", HINT)
