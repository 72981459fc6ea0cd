"""Read the units of a STAC item collection, such as the answer of a search: assets by polarisation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from backend.archive.units import Unit, is_remote, safe_name
from backend.core.errors import InputError
from backend.core.plain_json import parse_json

ORDER = ("VV", "VH", "HH", "HV")
_WANTED = "Give an item collection: a JSON file of type FeatureCollection, whose items have assets named vv and vh."
_NO_DATA = {"thumbnail", "metadata", "overview", "visual"}


def stac_units(path: Path) -> list[Unit]:
    """Return a unit for each item: its assets by polarisation, in the order VV, VH, HH, HV.

    An asset's polarisation is its key, its `sar:polarizations`, or its only band's name. An item whose assets tell none
    is one raster if it has one asset of data.

    Args:
        path: JSON file; relative links start from its `self` link, if it is a URL, else from its folder.

    Raises:
        InputError: It can't be read, or is no item collection, or an item has no asset that can be used.
    """
    try:
        data = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"The plan {path} can't be read: {error}.", _WANTED) from error
    found = data.get("type") if isinstance(data, dict) else type(data).__name__
    items = [data] if found == "Feature" else data.get("features") if found == "FeatureCollection" else None
    if not isinstance(items, list):
        raise InputError(f"The plan {path} is JSON of type {found!r}.", _WANTED)
    return [_unit(item, path, number) for number, item in enumerate(items, 1)]


def _unit(item: Any, path: Path, number: int) -> Unit:
    assets = item.get("assets") if isinstance(item, dict) else None
    if not isinstance(assets, dict) or not isinstance(item.get("id"), str):
        raise InputError(f"Feature {number} of {path} has no id or no assets: it is no STAC item.", _WANTED)
    hrefs = _by_polarisation(assets)
    if not hrefs:
        data = [asset["href"] for asset in assets.values() if _has_href(asset) and not _NO_DATA & _roles(asset)]
        if len(data) != 1:
            listed = ", ".join(map(str, assets)) or "none"
            raise InputError(f"Item {item['id']} of {path} has no asset of a polarisation; it has {listed}.", _WANTED)
        hrefs = {"": data[0]}
    base = _base(item, path)
    files = tuple(_resolved(hrefs[key], base) for key in sorted(hrefs, key=lambda key: ("", *ORDER).index(key)))
    properties = item.get("properties") if isinstance(item.get("properties"), dict) else {}
    date = properties.get("datetime") or properties.get("start_datetime") or ""
    return Unit(safe_name(item["id"]), files, date if isinstance(date, str) else "")


def _by_polarisation(assets: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, asset in assets.items():
        if not _has_href(asset) or _NO_DATA & _roles(asset):
            continue
        polarisation = key.upper() if key.upper() in ORDER else _told(asset)
        if polarisation:
            found.setdefault(polarisation, asset["href"])
    return found


def _told(asset: dict[str, Any]) -> str:
    told = asset.get("sar:polarizations")
    bands = asset.get("bands") or asset.get("eo:bands")
    if not isinstance(told, list) and isinstance(bands, list):
        told = [band.get("name") for band in bands if isinstance(band, dict)]
    names = [name.upper() for name in told or () if isinstance(name, str)]
    return names[0] if len(names) == 1 and names[0] in ORDER else ""


def _has_href(asset: Any) -> bool:
    return isinstance(asset, dict) and isinstance(asset.get("href"), str) and bool(asset["href"])


def _roles(asset: dict[str, Any]) -> set[str]:
    roles = asset.get("roles")
    return {role for role in roles if isinstance(role, str)} if isinstance(roles, list) else set()


def _base(item: dict[str, Any], path: Path) -> str:
    links = item.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "self" and is_remote(str(link.get("href", ""))):
            return str(link["href"])
    return os.path.abspath(path)


def _resolved(href: str, base: str) -> str:
    if href.startswith("file://"):
        return unquote(urlsplit(href).path)
    if is_remote(href) or href.startswith("/vsi"):
        return href
    if is_remote(base):
        return urljoin(base, href)
    return os.path.abspath(os.path.join(os.path.dirname(base), unquote(href)))
