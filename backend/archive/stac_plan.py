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


def stac_units(path: Path, notes: list[str]) -> list[Unit]:
    """Return a unit for each item: its assets by polarisation, in the order VV, VH, HH, HV.

    An asset's polarisation is its key, its `sar:polarizations`, or its only band's name. Without any, the item is the
    one asset that has several polarisations, or the only one of data.

    Args:
        path: JSON file; relative links start from the item's `self` link, if it is absolute, else from the file.

        notes: Takes a warning if the file is a part of an answer.

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
    context = data.get("context")
    matched = data.get("numberMatched", context.get("matched") if isinstance(context, dict) else None)
    if isinstance(matched, int) and matched > len(items):
        notes.append(f"{path} holds {len(items)} of the {matched} items that its search found; no others are mapped.")
    return [_unit(item, path, number) for number, item in enumerate(items, 1)]


def _unit(item: Any, path: Path, number: int) -> Unit:
    assets = item.get("assets") if isinstance(item, dict) else None
    if not isinstance(assets, dict) or not isinstance(item.get("id"), str):
        raise InputError(f"Feature {number} of {path} has no id or no assets: it is no STAC item.", _WANTED)
    hrefs = _by_polarisation(assets)
    bands = tuple(sorted(hrefs, key=ORDER.index))
    listed = [hrefs[name] for name in bands]
    if not hrefs:
        asset = _only(item["id"], assets, path)
        listed, bands = [asset["href"]], _band_names(asset)
    base = _base(item, path)
    files = tuple(_resolved(href, base) for href in listed)
    properties = item.get("properties") if isinstance(item.get("properties"), dict) else {}
    date = properties.get("datetime") or properties.get("start_datetime") or ""
    return Unit(safe_name(item["id"]), files, date if isinstance(date, str) else "", bands)


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
    names = _polarisations(asset)
    return names[0] if len(names) == 1 else ""


def _only(name: str, assets: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the asset that is a whole scene: the one of several polarisations, or the only one of data."""
    data = [asset for asset in assets.values() if _has_href(asset) and not _NO_DATA & _roles(asset)]
    several = [asset for asset in data if len(_polarisations(asset)) > 1]
    found: list[dict[str, Any]] = several or data
    if len(found) != 1:
        listed = ", ".join(map(str, assets)) or "none"
        raise InputError(f"Item {name} of {path} has no asset of a polarisation; it has {listed}.", _WANTED)
    return found[0]


def _polarisations(asset: dict[str, Any]) -> tuple[str, ...]:
    told = asset.get("sar:polarizations")
    names = [name.upper() for name in told if isinstance(name, str)] if isinstance(told, list) else _band_names(asset)
    return tuple(name for name in ORDER if name in names)


def _band_names(asset: dict[str, Any]) -> tuple[str, ...]:
    """Return the polarisation of each band of an asset, in the order of its bands; nothing if one has another name."""
    bands = asset.get("bands") or asset.get("eo:bands")
    names = (
        [str(band.get("name")).upper() for band in bands if isinstance(band, dict)] if isinstance(bands, list) else []
    )
    return tuple(names) if names and set(names) <= set(ORDER) else ()


def _has_href(asset: Any) -> bool:
    return isinstance(asset, dict) and isinstance(asset.get("href"), str) and bool(asset["href"])


def _roles(asset: dict[str, Any]) -> set[str]:
    roles = asset.get("roles")
    return {role for role in roles if isinstance(role, str)} if isinstance(roles, list) else set()


def _base(item: dict[str, Any], path: Path) -> str:
    links = item.get("links")
    for link in links if isinstance(links, list) else ():
        href = str(link.get("href", "")) if isinstance(link, dict) and link.get("rel") == "self" else ""
        if href.startswith("file://"):
            return unquote(urlsplit(href).path)
        if is_remote(href) or os.path.isabs(href):
            return href
    return os.path.abspath(path)


def _resolved(href: str, base: str) -> str:
    if href.startswith("file://"):
        return unquote(urlsplit(href).path)
    if is_remote(href) or href.startswith("/vsi"):
        return href
    if is_remote(base):
        return urljoin(base, href)
    return os.path.abspath(os.path.join(os.path.dirname(base), unquote(href)))
