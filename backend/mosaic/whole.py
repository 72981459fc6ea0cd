"""Describe all tiles as one: a virtual raster for each coordinate system, and a STAC item over all."""

from __future__ import annotations

# XML is only written here, never parsed.
import xml.etree.ElementTree as ET  # noqa: N817  # nosec B405
from collections.abc import Mapping, Sequence
from typing import Any

from rasterio.warp import transform_bounds

from backend import __version__
from backend.archive.footprint import box_geometry, union_box
from backend.archive.items import GEOTIFF, item_date
from backend.card.colours import rgb
from backend.card.mlm import ALWAYS, class_items
from backend.card.model_card import LandCoverClass
from backend.mosaic.sources import Source
from backend.mosaic.tile_grid import Tile
from backend.raster.grid import DEGREES

EXTENSIONS = ("https://stac-extensions.github.io/classification/v2.0.0/schema.json",)


def virtual_raster(tiles: Sequence[Tile], files: Mapping[str, str], classes: Sequence[LandCoverClass]) -> str:
    """Return GDAL's XML of the tiles of one CRS, whose files lie in the same folder.

    Args:
        tiles: On one grid.
        files: File name by name of tile.
        classes: Legend.
    """
    first = tiles[0].grid
    step = first.transform.a
    left = min(tile.grid.transform.c for tile in tiles)
    top = max(tile.grid.transform.f for tile in tiles)
    places = [(round((t.grid.transform.c - left) / step), round((top - t.grid.transform.f) / step)) for t in tiles]
    width = max(x + tile.grid.width for (x, _), tile in zip(places, tiles))
    height = max(y + tile.grid.height for (_, y), tile in zip(places, tiles))
    root = ET.Element("VRTDataset", rasterXSize=str(width), rasterYSize=str(height))
    wkt = first.crs.to_wkt() if first.crs is not None else ""
    ET.SubElement(root, "SRS").text = wkt
    ET.SubElement(root, "GeoTransform").text = ",".join(map(repr, (left, step, 0.0, top, 0.0, -step)))
    band = ET.SubElement(root, "VRTRasterBand", dataType="Byte", band="1")
    ET.SubElement(band, "Description").text = "land cover"
    ET.SubElement(band, "NoDataValue").text = "0"
    ET.SubElement(band, "ColorInterp").text = "Palette"
    _add_legend(band, classes)
    for (x, y), tile in zip(places, tiles):
        source = ET.SubElement(band, "SimpleSource")
        ET.SubElement(source, "SourceFilename", relativeToVRT="1").text = files[tile.name]
        ET.SubElement(source, "SourceBand").text = "1"
        sides = {"xSize": str(tile.grid.width), "ySize": str(tile.grid.height)}
        ET.SubElement(source, "SrcRect", {"xOff": "0", "yOff": "0", **sides})
        ET.SubElement(source, "DstRect", {"xOff": str(x), "yOff": str(y), **sides})
    return ET.tostring(root, encoding="unicode") + "\n"


def _add_legend(band: ET.Element, classes: Sequence[LandCoverClass]) -> None:
    by_value = {item.value: item for item in classes}
    names, table = ET.SubElement(band, "CategoryNames"), ET.SubElement(band, "ColorTable")
    for value in range(max(by_value) + 1):
        item = by_value.get(value)
        ET.SubElement(names, "Category").text = item.name if item else ""
        red, green, blue = rgb(item.color) if item else (0, 0, 0)
        colour = {"c1": red, "c2": green, "c3": blue, "c4": 255 if item else 0}
        ET.SubElement(table, "Entry", {key: str(part) for key, part in colour.items()})


def whole_item(
    name: str, tiles: Sequence[Tile], files: Mapping[str, str], sources: Sequence[Source], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a STAC item over all tiles, as plain types.

    Args:
        name: Its id.
        tiles: Those that were written.
        files: File name by key of asset; tiles by their names, virtual rasters by theirs.
        sources: Maps that it is made of.
        about: `classes` (the legend), `link` (to the archive's collection), `rule` (a sentence), and `shares` (files of
            the share of the class, by key).
    """
    boxes = [transform_bounds(t.grid.crs, DEGREES, *t.grid.bounds(), densify_pts=21) for t in tiles]
    box = union_box(boxes) or boxes[0]
    classes: Sequence[LandCoverClass] = about["classes"]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": name,
        "geometry": box_geometry(box),
        "bbox": list(box),
        "properties": {
            **_span(sources),
            "description": f"Land cover of {len(sources)} scenes. {about['rule']}",
            "sardino:version": __version__,
        },
        "links": [{"rel": "derived_from", "href": about["link"], "type": "application/json"}],
        "assets": {
            key: {
                "href": f"./{file}",
                "type": "application/xml" if file.endswith(".vrt") else GEOTIFF,
                "roles": ["data"],
                "classification:classes": class_items(classes),
            }
            for key, file in files.items()
        }
        | {
            key: {"href": f"./{file}", "type": GEOTIFF, "roles": ["data"], "title": "share of the chosen class"}
            for key, file in about["shares"].items()
        },
    }


def _span(sources: Sequence[Source]) -> dict[str, Any]:
    dates = [item_date(source.date) for source in sources]
    known = [date for date in dates if date != ALWAYS]
    if not known:
        return dict(ALWAYS)
    first = min(date["datetime"] or date["start_datetime"] for date in known)
    last = max(date["datetime"] or date["end_datetime"] for date in known)
    return {"datetime": None, "start_datetime": first, "end_datetime": last}
