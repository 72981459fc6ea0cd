"""Set when the scene of a layer was acquired, so that QGIS's Temporal Controller shows it at that time."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsDateTimeRange
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

from .metadata import file_tags

DAY = 10  # characters of a date in ISO 8601: 2021-04-01
LAST = QTime(23, 59, 59, 999)


def set_time(layer: Any) -> bool:
    """Give a raster layer the days from the first to the last acquisition in the tags of its file.

    Args:
        layer: A QgsRasterLayer.

    Returns:
        Whether the dates are known; else the layer stays as it is.
    """
    tags = file_tags(layer.source())
    first = _day(tags.get("ACQUIRED", ""))
    last = _day(tags.get("ACQUIRED_END", "")) or first
    if first is None or last < first:
        return False
    utc = Qt.TimeSpec.UTC
    days = QgsDateTimeRange(QDateTime(first, QTime(0, 0), utc), QDateTime(last, LAST, utc))
    properties = layer.temporalProperties()
    properties.setMode(Qgis.RasterTemporalMode.FixedTemporalRange)
    properties.setFixedTemporalRange(days)
    properties.setIsActive(True)
    return True


def _day(text: str) -> Any:
    """Return the QDate that a text begins with; None if it is none."""
    day = QDate.fromString(text[:DAY], Qt.DateFormat.ISODate)
    return day if day.isValid() else None
