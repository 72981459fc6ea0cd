"""Write a QGIS style for polygons of classes: a filled symbol with the name and the colour of each class."""

from __future__ import annotations

# XML is only written here, never parsed.
import xml.etree.ElementTree as ET  # noqa: N817  # nosec B405
from collections.abc import Iterable

from backend.card.colours import rgb
from backend.card.model_card import LandCoverClass

OUTLINE_MM = 0.1


def categories_qml(field: str, classes: Iterable[LandCoverClass]) -> str:
    """Return the style, whose outlines have the colour of the fill.

    Args:
        field: Field that holds the value of the class.
        classes: In the order of the legend.
    """
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology")
    renderer = ET.SubElement(
        root, "renderer-v2", type="categorizedSymbol", attr=field, forceraster="0", enableorderby="0"
    )
    categories, symbols = ET.SubElement(renderer, "categories"), ET.SubElement(renderer, "symbols")
    for number, item in enumerate(classes):
        ET.SubElement(
            categories,
            "category",
            render="true",
            value=str(item.value),
            label=item.name,
            symbol=str(number),
            type="long",
        )
        symbol = ET.SubElement(symbols, "symbol", type="fill", name=str(number), alpha="1", clip_to_extent="1")
        about = {"class": "SimpleFill", "enabled": "1", "locked": "0", "pass": "0"}  # nosec B105: a drawing pass
        layer = ET.SubElement(symbol, "layer", attrib=about)
        colour = ",".join(map(str, (*rgb(item.color), 255)))
        for key, text in (
            ("color", colour),
            ("style", "solid"),
            ("outline_color", colour),
            ("outline_style", "solid"),
            ("outline_width", str(OUTLINE_MM)),
            ("outline_width_unit", "MM"),
        ):
            ET.SubElement(layer, "prop", k=key, v=text)
    return ET.tostring(root, encoding="unicode") + "\n"
