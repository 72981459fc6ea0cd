"""Open rasters with GDAL; refuse what is not a raster, and files on which GDAL would block."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from backend.core.errors import InputError, UnreadableError
from backend.raster.behind import check_behind
from backend.raster.dimap import check_placed, images
from backend.raster.errors import RASTER_ERRORS
from backend.raster.foreign import unknown
from backend.raster.virtual import virtual_raster


def open_files(paths: Sequence[str]) -> tuple[Any, list[tuple[str, str]]]:
    """Return one file, or several with their bands stacked or their tiles joined, as an opened rasterio dataset.

    Returns:
        The dataset, and (level, message) pairs for the log.

    Raises:
        InputError: A file can't be opened, or is neither on the grid of the first nor a tile of the same raster.
    """
    files = [file for path in paths for file in images(path)]
    notes: list[tuple[str, str]] = []
    if files != list(paths):
        notes.append(("info", f"Images of the SNAP product that are read: {', '.join(files)}."))
        for file in files:
            with open_raster(file) as opened:
                check_placed(opened)
    if len(files) == 1:
        return open_raster(files[0]), notes
    with ExitStack() as stack:
        text, joined = virtual_raster([stack.enter_context(open_raster(file)) for file in files])
    return open_raster(text), [*notes, *joined]


def open_raster(path: str) -> Any:
    """Return a raster as an opened rasterio dataset.

    Raises:
        UnreadableError: The file is missing, is not a raster, or has contradictory metadata; or as `check_behind`.
        InputError: Its name is not valid UTF-8.
    """
    check_name(path)
    check_behind(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            return rasterio.open(path)
        except RasterioError as error:
            # Names for GDAL, such as NETCDF:"a.nc":vv or /vsizip/…, are not paths of the file system.
            if "://" not in path and not path.startswith("/vsi") and not os.path.exists(path) and ":" not in path[2:]:
                raise UnreadableError(f"There is no file {path}.", "Check the path.") from error
            raise unknown(path) from error
        except UnicodeDecodeError as error:
            raise not_utf8(path) from error
        except RASTER_ERRORS as error:
            raise undecodable(path, error) from error


def undecodable(path: str, error: Exception) -> UnreadableError:
    """Return the refusal of a raster whose metadata GDAL can't decode."""
    reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return UnreadableError(f"{path} can't be read: {reason}.", "Copy or download the file again.")


def not_utf8(path: str) -> UnreadableError:
    """Return the refusal of a raster with texts, such as band names, that are not UTF-8."""
    return UnreadableError(
        f"{path} has names that are not valid UTF-8.", "Rename its bands, for instance with gdal_edit.py."
    )


def check_name(path: str) -> None:
    """Refuse a file name that can't be passed to GDAL.

    Raises:
        InputError: The name is not valid UTF-8.
    """
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"The name {ascii(path)} is not valid UTF-8.", "Rename the file or folder.") from error
