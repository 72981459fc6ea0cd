"""Write the sidecars of a raster: GDAL's .aux.xml (category names, date) and the .qml style of QGIS.

A GeoTIFF has a colour table but no category names; GDAL keeps those in the .aux.xml, where all programs based on GDAL
find them. QGIS reads the .qml first, and without it builds the same legend from colour table and names.
"""

from __future__ import annotations

import json

# XML is only written here, never parsed.
import xml.etree.ElementTree as ET  # noqa: N817  # nosec B405
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.card.colours import rgb
from backend.card.model_card import LandCoverClass

LEGEND_TAG = "SARDINO_CLASSES"
# Five stops of the magma colour map (matplotlib, CC0), dark for low values.
RAMP = ("#000004", "#51127c", "#b73779", "#fc8961", "#fcfdbf")
# Five stops of viridis (matplotlib, CC0): distinct from attention, perceptually uniform, safe for the colour-blind.
SHARE_RAMP = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")

# Five stops of ColorBrewer's PuOr, reversed: blue-violet below the middle, orange above, safe for the colour-blind.
DIVERGING = ("#5e3c99", "#b2abd2", "#f7f7f7", "#fdb863", "#e66101")


def aux_xml(classes: Sequence[LandCoverClass], metadata: Mapping[str, str]) -> str:
    """Return the text of a .aux.xml: metadata and, for classes, the name of every value from 0 (nodata) up."""
    root = ET.Element("PAMDataset")
    tags = ET.SubElement(root, "Metadata")
    for key, text in metadata.items():
        ET.SubElement(tags, "MDI", key=key).text = text
    if classes:
        band = ET.SubElement(root, "PAMRasterBand", band="1")
        names = ET.SubElement(band, "CategoryNames")
        by_value = {item.value: item.name for item in classes}
        for value in range(max(by_value) + 1):
            ET.SubElement(names, "Category").text = by_value.get(value, "")
        _attribute_table(band, classes)
    return _text(root)


def legend_tags(classes: Sequence[LandCoverClass]) -> dict[str, str]:
    """Return value, name and colour of each class as a tag of the raster, which stays with a file copied alone."""
    return {LEGEND_TAG: json.dumps([[c.value, c.name, c.color] for c in classes], ensure_ascii=False)}


def date_now() -> dict[str, str]:
    """Return date and time (UTC) as metadata for the sidecar; the raster has none, so that equal runs are equal."""
    return {"SARDINO_DATE": datetime.now(timezone.utc).isoformat(timespec="seconds")}


def _attribute_table(band: ET.Element, classes: Sequence[LandCoverClass]) -> None:
    """Add GDAL's raster attribute table, from which QGIS 3.30 and ArcGIS make a legend of these classes only."""
    table = ET.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    # Type: 0 integer, 2 text. Usage: 5 value, 2 class name, 6 to 8 red, green, blue (gdal_rat.h).
    for index, (name, kind, usage) in enumerate(
        (("Value", 0, 5), ("Class", 2, 2), ("Red", 0, 6), ("Green", 0, 7), ("Blue", 0, 8))
    ):
        field = ET.SubElement(table, "FieldDefn", index=str(index))
        ET.SubElement(field, "Name").text = name
        ET.SubElement(field, "Type").text = str(kind)
        ET.SubElement(field, "Usage").text = str(usage)
    for index, item in enumerate(classes):
        row = ET.SubElement(table, "Row", index=str(index))
        for text in (item.value, item.name, *rgb(item.color)):
            ET.SubElement(row, "F").text = str(text)


def paletted_qml(classes: Sequence[LandCoverClass]) -> str:
    """Return a QGIS style with a named colour for each class; 0 (nodata) is transparent."""
    root, renderer = _style("paletted")
    palette = ET.SubElement(renderer, "colorPalette")
    for item in classes:
        ET.SubElement(palette, "paletteEntry", value=str(item.value), label=item.name, color=item.color, alpha="255")
    return _text(root)


def mask_qml() -> str:
    """Return a QGIS style for masks: 1 is tinted, so that the scene below is seen, other values are transparent."""
    root, renderer = _style("paletted")
    palette = ET.SubElement(renderer, "colorPalette")
    ET.SubElement(palette, "paletteEntry", value="1", label="holds the attention", color=RAMP[-1], alpha="160")
    return _text(root)


def ramp_qml(sample: NDArray[Any], top: float | None = None, band: int = 1, nodata: float | None = None) -> str:
    """Return a QGIS style with a colour ramp from the 2nd to the 98th percentile of a sample of the values.

    Args:
        sample: Values of any shape; NaN is ignored.
        top: Upper end of the ramp instead of the percentile.
        band: Band that is shown.
        nodata: Another value than NaN to ignore.
    """
    values = sample[np.isfinite(sample) & (sample != nodata)]
    low, high = (float(v) for v in np.percentile(values, (2, 98))) if values.size else (0.0, 1.0)
    high = high if top is None else top
    high = high if high > low else low + 1.0
    return _pseudocolor(np.linspace(low, high, len(RAMP)), RAMP, band)


def log_ramp_qml(sample: NDArray[Any], band: int = 1) -> str:
    """Return a QGIS style with a colour ramp over the logarithm of positive values, of which few are very large.

    Args:
        sample: Values of any shape, of which those above 0 count.
        band: Band that is shown.
    """
    values = sample[np.isfinite(sample) & (sample > 0)]
    low, high = (float(v) for v in np.percentile(values, (2, 98))) if values.size else (0.5, 2.0)
    if high <= low:
        return _pseudocolor(np.linspace(low, low + 1.0, len(RAMP)), RAMP, band)
    return _pseudocolor(np.geomspace(low, high, len(RAMP)), RAMP, band)


def share_qml() -> str:
    """Return a QGIS style for fractions such as confidence: a ramp from 0 to 1, so that maps can be compared."""
    return _pseudocolor(np.linspace(0.0, 1.0, len(SHARE_RAMP)), SHARE_RAMP)


def span_qml(low: float, high: float, colors: Sequence[str], band: int = 1) -> str:
    """Return a QGIS style with a ramp of colours over a fixed span, so that maps can be compared."""
    return _pseudocolor(np.linspace(low, high, len(colors)), colors, band)


def _pseudocolor(stops: NDArray[Any], colors: Sequence[str], band: int = 1) -> str:
    low, high = stops[0], stops[-1]
    root, renderer = _style("singlebandpseudocolor")
    renderer.set("band", str(band))
    renderer.set("classificationMin", f"{low:.6g}")
    renderer.set("classificationMax", f"{high:.6g}")
    shader = ET.SubElement(renderer, "rastershader")
    ramp = ET.SubElement(
        shader,
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        clip="0",
        minimumValue=f"{low:.6g}",
        maximumValue=f"{high:.6g}",
    )
    for value, color in zip(stops, colors):
        ET.SubElement(ramp, "item", value=f"{value:.6g}", label=f"{value:.3g}", color=color, alpha="255")
    return _text(root)


def rgb_qml() -> str:
    """Return a QGIS style that shows bands 1, 2 and 3 as red, green and blue, without a stretch."""
    root, renderer = _style("multibandcolor")
    del renderer.attrib["band"]
    for index, colour in enumerate(("red", "green", "blue"), 1):
        renderer.set(f"{colour}Band", str(index))
    return _text(root)


def _style(kind: str) -> tuple[ET.Element, ET.Element]:
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology")
    pipe = ET.SubElement(root, "pipe")
    renderer = ET.SubElement(pipe, "rasterrenderer", type=kind, band="1", opacity="1", alphaBand="-1")
    ET.SubElement(renderer, "rasterTransparency")
    return root, renderer


def _text(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode") + "\n"
