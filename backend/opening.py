"""Open what GDAL opens, and refuse what it doesn't, or would wait for without end."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from backend.errors import InputError
from backend.stack import virtual_raster

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
        InputError: There is no such file, or it is no raster.
    """
    _check_kind(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            return rasterio.open(path)
        except RasterioError as error:
            # Names that GDAL understands, such as NETCDF:"a.nc":vv or /vsizip/…, are no paths of this system.
            if "://" not in path and not path.startswith("/vsi") and not Path(path).exists() and ":" not in path[2:]:
                raise InputError(f"There is no file {path}.", "Check the path.") from error
            raise InputError(f"{path} is not a raster that GDAL can open.", HINT) from error


def _check_kind(path: str) -> None:
    """Refuse pipes and the like: GDAL would wait for whoever is to write to it."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return  # nothing of that name: GDAL may know better
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode):
        raise InputError(f"{path} is not a file but a pipe, socket or device.", HINT)
