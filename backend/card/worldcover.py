"""List codes, names and colours of the ESA WorldCover legend (Zanaga et al. 2022, WorldCover 10 m 2021 v200)."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN = 0
TREE, SHRUB, GRASS, CROP, BUILT, BARE = 10, 20, 30, 40, 50, 60
SNOW, WATER, WETLAND, MANGROVE, MOSS = 70, 80, 90, 95, 100

NAMES: dict[int, str] = {
    TREE: "Tree cover",
    SHRUB: "Shrubland",
    GRASS: "Grassland",
    CROP: "Cropland",
    BUILT: "Built-up",
    BARE: "Bare / sparse vegetation",
    SNOW: "Snow and ice",
    WATER: "Permanent water bodies",
    WETLAND: "Herbaceous wetland",
    MANGROVE: "Mangroves",
    MOSS: "Moss and lichen",
}

COLOURS: dict[int, str] = {
    TREE: "#006400",
    SHRUB: "#ffbb22",
    GRASS: "#ffff4c",
    CROP: "#f096ff",
    BUILT: "#fa0000",
    BARE: "#b4b4b4",
    SNOW: "#f0f0f0",
    WATER: "#0064c8",
    WETLAND: "#0096a0",
    MANGROVE: "#00cf75",
    MOSS: "#fae6a0",
}

CODES: tuple[int, ...] = tuple(NAMES)

# Four groups that can be expected to differ in C-band backscatter.
MERGED: dict[int, str] = {
    TREE: "tree", MANGROVE: "tree", SHRUB: "open", GRASS: "open", CROP: "open", BARE: "open", WETLAND: "open",
    MOSS: "open", SNOW: "open", BUILT: "built", WATER: "water",
}  # fmt: skip


# The legend of models that tell these groups apart only. Values are WorldCover's where a class is one of its classes.
MERGED_VALUES: dict[str, int] = {"tree": TREE, "open": GRASS, "built": BUILT, "water": WATER}
MERGED_NAMES: dict[int, str] = {
    TREE: NAMES[TREE],
    GRASS: "Open land",
    BUILT: NAMES[BUILT],
    WATER: "Water or very smooth surface",
}
MERGED_COLOURS: dict[int, str] = {TREE: "#006400", GRASS: "#e8d66c", BUILT: "#fa0000", WATER: "#0064c8"}


def worldcover_groups(values: Sequence[int]) -> list[str] | None:
    """Return the group of each class value by MERGED; None if a value is not in the WorldCover legend."""
    return [MERGED[value] for value in values] if all(value in MERGED for value in values) else None
