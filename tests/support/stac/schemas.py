"""Validate STAC items by the JSON schemas beside this file, without the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

FOLDER = Path(__file__).parent
CORE = "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/"
EXTENSIONS = "https://stac-extensions.github.io/"


def _schemas() -> dict[str, Any]:
    """Return all schemas by the address at which others refer to them."""
    found = {}
    for path in FOLDER.glob("*.json"):
        kind, _, name = path.stem.partition("_")
        address = {
            "core": f"{CORE}{name}.json",
            "geojson": f"https://geojson.org/schema/{name}.json",
        }.get(kind, f"{EXTENSIONS}{kind}/{name}/schema.json")
        found[address] = json.loads(path.read_text(encoding="utf-8"))
    # See ORIGIN.md.
    found[f"{EXTENSIONS}classification/v1.1.0/schema.json"] = found[f"{EXTENSIONS}classification/v2.0.0/schema.json"]
    return found


def _validator(address: str, schemas: dict[str, Any]) -> Draft7Validator:
    schema = {**schemas[address], "$id": address}
    try:
        from referencing import Registry, Resource
    except ImportError:  # jsonschema before 4.18, as Debian 12 has it
        from jsonschema import RefResolver

        return Draft7Validator(schema, resolver=RefResolver(address, schema, store=schemas))
    without_id = {a: {k: v for k, v in s.items() if k != "$id"} for a, s in schemas.items()}
    resources = [(a, Resource.from_contents(s)) for a, s in without_id.items()]
    return Draft7Validator(schema, registry=Registry().with_resources(resources))


def item_errors(item: dict[str, Any]) -> list[str]:
    """Return what is wrong with an item by the core schema and by those of the extensions that it names."""
    schemas = _schemas()
    addresses = [f"{CORE}item.json", *item["stac_extensions"]]
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for address in addresses
        for error in _validator(address, schemas).iter_errors(item)
    ]
