"""Part acquisitions into periods: all of them, seasons, or months."""

from __future__ import annotations

from collections.abc import Sequence

from rasterio.warp import transform

from backend.core.errors import InputError
from backend.raster.acquisition import Span
from backend.raster.grid import DEGREES, Grid

SEASONS = ("winter", "spring", "summer", "autumn")
NAMED = 3  # rasters without a date that a message names


def parted(names: Sequence[str], spans: Sequence[Span | None], period: str, north: bool) -> dict[str, list[int]]:
    """Return the indices of acquisitions by period, in the order of time.

    Args:
        names: Names of the acquisitions, for messages.
        spans: When each was acquired.
        period: "all", "season" or "month".
        north: Whether the place is north of the equator: summer is December to February south of it.

    Returns:
        By "" for all, "summer_2021" (winter, or summer in the south, by the year in which it ends), or "2021-07".

    Raises:
        InputError: An acquisition has no date, or one longer than the period, and periods are wanted.
    """
    if period == "all":
        return {"": list(range(len(spans)))}
    unknown = [name for name, span in zip(names, spans) if span is None or not _in_one_month(span)]
    if unknown:
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        raise InputError(
            f"The month of acquisition is unknown of {', '.join(unknown[:NAMED])}{more}.",
            "Name the files by their dates, such as S1_20210401.tif, or set the tag: gdal_edit.py -mo "
            "ACQUISITION_DATE=2021-04-01; or use --period all.",
        )
    found: dict[tuple[int, int], list[int]] = {}
    for index, span in enumerate(spans):
        if span is not None:
            found.setdefault(_key(span, period), []).append(index)
    return {_label(key, period, north): found[key] for key in sorted(found)}


def is_north(grid: Grid) -> bool:
    """Return whether the middle of a grid is north of the equator; where that is unknown it is taken to be."""
    if grid.crs is None:
        return True
    x, y = grid.transform * (grid.width / 2, grid.height / 2)
    return bool(transform(grid.crs, DEGREES, [x], [y])[1][0] >= 0)


def _in_one_month(span: Span) -> bool:
    return (span.first.year, span.first.month) == (span.last.year, span.last.month)


def _key(span: Span, period: str) -> tuple[int, int]:
    year, month = span.first.year, span.first.month
    if period == "month":
        return year, month
    return (year + 1, 0) if month == 12 else (year, month // 3)


def _label(key: tuple[int, int], period: str, north: bool) -> str:
    year, part = key
    if period == "month":
        return f"{year}-{part:02}"
    return f"{SEASONS[part if north else (part + 2) % 4]}_{year}"
