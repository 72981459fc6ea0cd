"""Read class names of a raster: from GDAL's .aux.xml (attribute table, categories), QGIS's .qml, or its own tags."""

from __future__ import annotations

# Files of unknown origin are checked before they are parsed: see parse_sidecar.
import xml.etree.ElementTree as ET  # noqa: N817  # nosec B405
from pathlib import Path

import rasterio

from backend.core.plain_json import parse_json
from backend.core.regular_file import read_regular_text
from backend.output.names import sidecar
from backend.output.styles import LEGEND_TAG
from backend.raster.errors import RASTER_ERRORS

# gdal_rat.h: the column of the value, and of the class name.
USAGE_NAME, USAGE_VALUE = "2", "5"
# A legend is small; anything larger is something else.
MAX_BYTES = 4 * 2**20


def class_names(raster: str) -> dict[int, str]:
    """Return the name of each class value; empty if neither sidecar files nor tags of our maps have them.

    The attribute table takes precedence over category names, these over labels of a QGIS style, and these over tags.
    """
    path = Path(raster)
    pam = parse_sidecar(sidecar(path, ".aux.xml"))
    if pam is not None:
        band = next((b for b in pam.iter("PAMRasterBand") if b.get("band") == "1"), None)
        if band is not None:
            names = _from_table(band) or _from_categories(band)
            if names:
                return names
    style = parse_sidecar(sidecar(path, ".qml"))
    return ({} if style is None else _from_style(style)) or _from_tag(raster)


def parse_sidecar(path: Path) -> ET.Element | None:
    """Return the root of an XML file, or None.

    The files may come from anywhere. ElementTree loads no external entities; documents that define entities are not
    read, since these may expand without bound. (A .qml has a DOCTYPE, but no entities.)
    """
    try:
        text = read_regular_text(path, MAX_BYTES)
        # Text, not bytes: else a declared encoding could hide an entity from this check.
        return None if "<!ENTITY" in text else ET.fromstring(text)  # nosec B314
    except (OSError, ValueError, ET.ParseError):
        return None


def _from_table(band: ET.Element) -> dict[int, str]:
    table = band.find("GDALRasterAttributeTable")
    if table is None:
        return {}
    usages = [field.findtext("Usage", "") for field in table.iter("FieldDefn")]
    if USAGE_NAME not in usages or USAGE_VALUE not in usages:
        return {}
    name, value = usages.index(USAGE_NAME), usages.index(USAGE_VALUE)
    rows = [[cell.text or "" for cell in row.iter("F")] for row in table.iter("Row")]
    return _named([(row[value], row[name]) for row in rows if len(row) == len(usages)])


def _from_categories(band: ET.Element) -> dict[int, str]:
    return _named([(str(value), item.text or "") for value, item in enumerate(band.iterfind("CategoryNames/Category"))])


def _from_style(style: ET.Element) -> dict[int, str]:
    return _named([(item.get("value", ""), item.get("label", "")) for item in style.iter("paletteEntry")])


def _from_tag(raster: str) -> dict[int, str]:
    try:
        with rasterio.open(raster) as file:
            found = parse_json(file.tags().get(LEGEND_TAG, "[]"))
        return _named([(str(value), str(name)) for value, name, _ in found])
    except (*RASTER_ERRORS, ValueError, TypeError):
        return {}


def _named(pairs: list[tuple[str, str]]) -> dict[int, str]:
    names = {}
    for value, name in pairs:
        try:
            number = float(value)
        except ValueError:
            continue
        if name.strip() and number.is_integer():
            names[int(number)] = " ".join(name.split())
    return names
