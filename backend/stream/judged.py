"""Judge the values of an opened raster, and read it from then on as they say."""

from __future__ import annotations

from collections.abc import Sequence

from backend.card.model_card import Band
from backend.radiometry.checks import REFUSED, Check
from backend.radiometry.judge import Told, judge
from backend.radiometry.ratio import ratio_row
from backend.radiometry.units import Units
from backend.raster.bands import POSITION
from backend.raster.sampling import sample_values
from backend.raster.source import RasterSource
from backend.stream.fill import get_ready

# Bands among which a ratio is looked for: composites hold VV, VH and their ratio in any order.
THREE = 3


def judge_source(source: RasterSource, bands: Sequence[Band], units: Units, accept: bool) -> tuple[Units, list[Check]]:
    """Judge the values of a raster; from then on it is read without filling and in the order that was found.

    Args:
        source: Opened with the names of `bands`.
        bands: The card's bands that it has.
        units: Declared, or AUTO.
        accept: Whether implausible values are accepted.

    Returns:
        The unit, and what was found; `refuse` raises what is refused.

    Raises:
        InputError: The values fit no unit, or not the declared one; or no pixel is valid.
    """
    ratio = _ratio_check(source)
    sample, valid = sample_values(source)
    if not valid.all():
        get_ready()
    kinds = [str(band["dtype"]) for band in source.describe_bands()]
    judged = judge(sample, valid, bands, Told(units, source.found_by, kinds, source.scaling, accept))
    source.read_as(judged.order, [(each.row, each.value) for each in judged.filling])
    return judged.units, [*ratio, *judged.checks]


def _ratio_check(source: RasterSource) -> list[Check]:
    """Refuse a ratio of polarisations that stands in the place of one, in a raster without names."""
    if source.found_by != POSITION or len(source.labels().texts) < THREE:
        return []
    with source.reopen() as more:
        more.bands = tuple(range(1, THREE + 1))
        row = ratio_row(*sample_values(more))
    if row is None or row + 1 not in source.bands:
        return []
    rest = " ".join(str(band) for band in range(1, THREE + 1) if band != row + 1)
    hint = f"Name the two polarisations with --bands, VV first, such as --bands {rest}; in QGIS choose Bands."
    return [Check("ratio", f"Band {row + 1} is the ratio of two others", "backscatter is wanted", REFUSED, hint)]
