"""Lay out the areas of classes in polygons as a table: a row for each polygon."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rasterio.crs import CRS

from backend.raster.geojson import DEFAULT_CRS, Feature
from backend.vectors.geojson_file import crs_member
from backend.vectors.zones.accuracy_report import AccuracyReport, Corrected
from backend.vectors.zones.measure import Zone

MOST_NAME = 40
Row = dict[str, Any]


@dataclass(frozen=True)
class ZoneTable:
    """Compute the table of classes in polygons.

    Attributes:
        columns: Name and kind ("integer", "real" or "text") of each column, in order.
        rows: A value for each column.
    """

    columns: dict[str, str]
    rows: list[Row]


def build_table(
    zones: Sequence[Zone], names: Mapping[int, str], metres: bool, report: AccuracyReport | None
) -> tuple[ZoneTable, int]:
    """Return the table, and the number of polygons whose areas couldn't be corrected.

    Args:
        zones: Zones of the polygons.
        names: Names of the classes of the map.
        metres: Whether areas are in square metres; else in pixels.
        report: Corrects the areas; None if there is none.
    """
    values = sorted({*(value for zone in zones for value in zone.tally.mapped), *(report.values if report else ())})
    words = _words(values, {**(report.names if report else {}), **names})
    unit = "m2" if metres else "px"
    columns = {"majority": "text", "pixels": "integer", f"valid_{unit}": "real", f"nodata_{unit}": "real"}
    for value in values:
        columns |= {f"{words[value]}_{unit}": "real", f"{words[value]}_share": "real"}
        if report is not None:
            columns |= {f"{words[value]}_{part}_{unit}": "real" for part in ("est", "low", "high")}
    rows, missing = [], 0
    for zone in zones:
        areas = {value: area for value, (_, area) in zone.tally.mapped.items()}
        corrected = report.corrected(areas) if report is not None else None
        missing += report is not None and bool(areas) and corrected is None
        most = max(areas, key=lambda value: (areas[value], -value)) if areas else None
        row: Row = {
            "majority": None if most is None else names.get(most, str(most)),
            "pixels": zone.pixels,
            f"valid_{unit}": round(zone.area, 2),
            f"nodata_{unit}": round(zone.empty, 2),
        }
        for value in values:
            row |= _of_class(words[value], unit, areas.get(value, 0.0), zone.area)
            if report is not None:
                row |= _of_estimate(words[value], unit, (corrected or {}).get(value))
        rows.append(row)
    return ZoneTable(columns, rows), missing


def _of_class(word: str, unit: str, area: float, total: float) -> Row:
    return {f"{word}_{unit}": round(area, 2), f"{word}_share": round(area / total, 6) if total else None}


def _of_estimate(word: str, unit: str, found: Corrected | None) -> Row:
    parts = (None, None, None) if found is None else (found.area, found.low, found.high)
    return {
        f"{word}_{name}_{unit}": None if part is None else round(part, 2)
        for name, part in zip(("est", "low", "high"), parts)
    }


def _words(values: Sequence[int], names: Mapping[int, str]) -> dict[int, str]:
    """Return a word for each class that any format takes as part of a field's name, and that no other class has."""
    words: dict[int, str] = {}
    for value in values:
        plain = unicodedata.normalize("NFKD", names.get(value, "")).encode("ascii", "ignore").decode().lower()
        word = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:MOST_NAME]
        number = f"class_{value}".replace("-", "minus_")
        words[value] = word if word and not word[0].isdigit() and word not in words.values() else number
    return words


def as_csv(polygons: Sequence[Feature], table: ZoneTable) -> str:
    """Format polygons' own fields and the table as CSV."""
    own = _own_fields(polygons, table)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*own.values(), *table.columns])
    for polygon, row in zip(polygons, table.rows):
        writer.writerow(
            [*(_cell(polygon.properties.get(name)) for name in own), *(row[name] for name in table.columns)]
        )
    return text.getvalue()


def as_geojson(polygons: Sequence[Feature], table: ZoneTable, crs: CRS | None) -> str:
    """Format polygons with their own fields and the table as GeoJSON, in the coordinates of the map."""
    own = _own_fields(polygons, table)
    features = [
        {
            "type": "Feature",
            "properties": {**{new: polygon.properties.get(name) for name, new in own.items()}, **row},
            "geometry": polygon.geometry,
        }
        for polygon, row in zip(polygons, table.rows)
    ]
    member = {} if crs is None or crs == DEFAULT_CRS else {"crs": crs_member(crs)}
    return json.dumps({"type": "FeatureCollection", **member, "features": features}, ensure_ascii=False) + "\n"


def _own_fields(polygons: Sequence[Feature], table: ZoneTable) -> dict[str, str]:
    """Return the name in the result of each of the polygons' own fields: one that the table has gets "_1"."""
    names = dict.fromkeys(name for polygon in polygons for name in polygon.properties)
    result: dict[str, str] = {}
    for name in names:
        new = name
        while new in table.columns or new in result.values() or (new != name and new in names):
            new += "_1"
        result[name] = new
    return result


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
