"""Write the QGIS style of a point layer: a form with the classes in a list, and points that show what is done."""

from __future__ import annotations

# XML is only written here, never parsed.
import xml.etree.ElementTree as ET  # noqa: N817  # nosec B405
from collections.abc import Sequence
from dataclasses import dataclass

from backend.card.colours import rgb

# The value by which QGIS's value map stands for NULL.
NULL = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"
TO_DO = "#ffffff"


@dataclass(frozen=True)
class Choice:
    """Hold a class that may be chosen: what the field holds, what people read, and a colour "#rrggbb"."""

    value: str
    name: str
    color: str


@dataclass(frozen=True)
class Form:
    """Describe the form of a point layer.

    Attributes:
        field: Name of the field that is to be filled in.
        choices: Classes; without any, the field takes any text.
        shown: Fields that are shown but can't be changed.
        hidden: Fields that are neither in the form nor in the table.
        free: Fields for text.
    """

    field: str
    choices: Sequence[Choice]
    shown: Sequence[str] = ()
    hidden: Sequence[str] = ()
    free: Sequence[str] = ()


def form_qml(form: Form) -> str:
    """Return the text of a .qml."""
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology|Labeling|Fields|Forms|AttributeTable")
    _renderer(root, form)
    _labels(root, form.shown[0] if form.shown else form.field)
    fields = (*form.shown, form.field, *form.free, *form.hidden)
    settings = ET.SubElement(root, "fieldConfiguration")
    for name in fields:
        widget = ET.SubElement(settings, "field", name=name)
        _widget(widget, form, name)
    editable = ET.SubElement(root, "editable")
    for name in fields:
        ET.SubElement(editable, "field", name=name, editable=str(int(name not in form.shown)))
    table = ET.SubElement(root, "attributetableconfig", sortExpression="", sortOrder="0", actionWidgetStyle="dropDown")
    columns = ET.SubElement(table, "columns")
    for name in fields:
        ET.SubElement(columns, "column", type="field", name=name, hidden=str(int(name in form.hidden)), width="-1")
    if form.shown:
        ET.SubElement(root, "previewExpression").text = f'"{form.shown[0]}"'
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _widget(field: ET.Element, form: Form, name: str) -> None:
    if name in form.hidden:
        ET.SubElement(ET.SubElement(field, "editWidget", type="Hidden"), "config")
    elif name == form.field and form.choices:
        config = ET.SubElement(ET.SubElement(field, "editWidget", type="ValueMap"), "config")
        options = ET.SubElement(ET.SubElement(config, "Option", type="Map"), "Option", type="List", name="map")
        for value, text in (("", NULL), *((choice.name, choice.value) for choice in form.choices)):
            entry = ET.SubElement(options, "Option", type="Map")
            ET.SubElement(entry, "Option", type="QString", name=value or "?", value=text)
    else:
        ET.SubElement(ET.SubElement(field, "editWidget", type="TextEdit"), "config")


def _renderer(root: ET.Element, form: Form) -> None:
    """Show points in the colour of their class, and those to do as white circles above the others."""
    renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=form.field, enableorderby="0")
    categories, symbols = ET.SubElement(renderer, "categories"), ET.SubElement(renderer, "symbols")
    shown = [*((c.value, c.name, c.color) for c in form.choices), ("", "to do", TO_DO)]
    for number, (value, label, color) in enumerate(shown):
        category = ET.SubElement(categories, "category", value=value, label=label, symbol=str(number), render="true")
        if value:
            category.set("type", "string")
        _symbol(symbols, str(number), color, "2.6" if value else "3.2")


def _symbol(symbols: ET.Element, name: str, color: str, size: str) -> None:
    red, green, blue = rgb(color)
    symbol = ET.SubElement(symbols, "symbol", type="marker", name=name, alpha="1", clip_to_extent="1")
    about = {"class": "SimpleMarker", "enabled": "1", "pass": "0", "locked": "0"}  # nosec B105: a drawing pass
    layer = ET.SubElement(symbol, "layer", about)
    options = ET.SubElement(layer, "Option", type="Map")
    for key, value in {
        "name": "circle", "color": f"{red},{green},{blue},255", "outline_color": "0,0,0,255", "outline_width": "0.4",
        "size": size, "size_unit": "MM", "outline_width_unit": "MM",
    }.items():  # fmt: skip
        ET.SubElement(options, "Option", type="QString", name=key, value=value)
        ET.SubElement(layer, "prop", k=key, v=value)  # as older versions of QGIS read it


def _labels(root: ET.Element, field: str) -> None:
    labels = ET.SubElement(root, "labeling", type="simple")
    settings = ET.SubElement(labels, "settings", calloutType="simple")
    style = ET.SubElement(
        settings, "text-style", fieldName=field, fontSize="8", fontSizeUnit="Point", textColor="0,0,0,255",
        isExpression="0", textOpacity="1",
    )  # fmt: skip
    ET.SubElement(
        style, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM", bufferColor="255,255,255,255"
    )
    ET.SubElement(settings, "placement", placement="6", dist="0", priority="5")
