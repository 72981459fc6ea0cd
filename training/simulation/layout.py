"""Generate land-cover layouts: regions, parcels, rivers, lakes, coasts and towns.

A layout is a label map at 10 m. Regions are thresholded Gaussian random fields with power-law spectra, the usual
neutral model of landscape ecology (Gardner et al. 1987, "Neutral models for the analysis of broad-scale landscape
pattern").
"""

from __future__ import annotations

import numpy as np

from backend.card import worldcover as lc
from training.simulation.fields import coordinates, curve_distance, gaussian_field, parcels
from training.simulation.labels import Labels

# Mean share of each land cover in a biome; the shares of a scene are drawn around these.
BIOMES: dict[str, dict[int, float]] = {
    "farmland": {lc.CROP: 0.6, lc.TREE: 0.15, lc.GRASS: 0.25},
    "pasture": {lc.GRASS: 0.55, lc.TREE: 0.2, lc.CROP: 0.2, lc.SHRUB: 0.1},
    "forest": {lc.TREE: 0.7, lc.GRASS: 0.2, lc.CROP: 0.1},
    "savanna": {lc.SHRUB: 0.35, lc.GRASS: 0.35, lc.TREE: 0.15, lc.CROP: 0.15},
    "desert": {lc.BARE: 0.7, lc.SHRUB: 0.15, lc.GRASS: 0.15},
    "highland": {lc.GRASS: 0.35, lc.BARE: 0.25, lc.SNOW: 0.2, lc.SHRUB: 0.1, lc.TREE: 0.1},
    "tundra": {lc.MOSS: 0.45, lc.GRASS: 0.2, lc.WETLAND: 0.15, lc.BARE: 0.1, lc.SNOW: 0.1},
    "marsh": {lc.WETLAND: 0.4, lc.GRASS: 0.2, lc.TREE: 0.2, lc.SHRUB: 0.2},
    "ice": {lc.SNOW: 0.75, lc.BARE: 0.25},
    "suburb": {lc.BUILT: 0.5, lc.TREE: 0.2, lc.GRASS: 0.2, lc.CROP: 0.1},
    "city": {lc.BUILT: 0.85, lc.GRASS: 0.1, lc.TREE: 0.05},
}
_BIOME_WEIGHTS = np.array([4, 3, 3, 2, 2, 1.2, 1, 1, 0.5, 3, 2])


def regions(rng: np.random.Generator, shape: tuple[int, int], shares: dict[int, float]) -> Labels:
    """Cover the frame with irregular regions of the given classes, in about the given shares; uint8 [H, W]."""
    best = np.full(shape, -np.inf, np.float32)
    labels = np.zeros(shape, np.uint8)
    length = float(np.exp(rng.uniform(np.log(8), np.log(60))))
    slope = rng.uniform(2.7, 4.2)
    for code, share in shares.items():
        level = np.log(max(share, 1e-3)) * 0.8 + rng.normal(0, 0.5)
        score = gaussian_field(rng, shape, length * rng.uniform(0.6, 1.5), slope) + level
        wins = score > best
        best[wins] = score[wins]
        labels[wins] = code
    return labels


def _farm_parcels(rng: np.random.Generator, labels: Labels) -> None:
    """Change some parcels of cropland to grass or trees, with straight borders; in place."""
    number, _ = parcels(
        rng,
        (labels.shape[0], labels.shape[1]),
        rng.uniform(6, 25),
        rng.uniform(12, 60),
        rng.uniform(0, np.pi),
        rng.uniform(0, 4),
    )
    use = rng.random(4096)[number]
    crop = labels == lc.CROP
    share = rng.uniform(0, 0.25)
    labels[crop & (use < share)] = lc.GRASS
    labels[crop & (use > 1 - share * 0.3)] = lc.TREE


def add_coast(rng: np.random.Generator, labels: Labels) -> None:
    """Add sea on one side of the frame, at random with a beach, marsh or mangrove fringe; in place."""
    shape = (labels.shape[0], labels.shape[1])
    rows, columns = coordinates(shape)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (np.cos(angle) * (columns - shape[1] / 2) + np.sin(angle) * (rows - shape[0] / 2)) / min(shape)
    depth = ramp + gaussian_field(rng, shape, 40.0, rng.uniform(3.0, 4.5)) * rng.uniform(0.02, 0.2)
    level = rng.uniform(-0.3, 0.3)
    sea = depth > level
    fringe = (depth > level - rng.uniform(0.01, 0.12)) & ~sea
    if rng.random() < 0.7:
        labels[fringe] = rng.choice([lc.BARE, lc.BARE, lc.WETLAND, lc.MANGROVE])
    labels[sea] = lc.WATER


def add_mangrove_delta(rng: np.random.Generator, labels: Labels) -> None:
    """Add a mangrove delta with winding creeks to part of the frame; in place."""
    shape = (labels.shape[0], labels.shape[1])
    inside = gaussian_field(rng, shape, 40.0, 3.5) > rng.uniform(-0.8, 0.6)
    labels[inside] = lc.MANGROVE
    for _ in range(int(rng.integers(1, 5))):
        creek = curve_distance(rng, shape, rng.uniform(10, 40), rng.uniform(60, 180))
        labels[inside & (creek < rng.uniform(1, 7))] = lc.WATER


def add_lakes(rng: np.random.Generator, labels: Labels) -> None:
    """Add lakes in the lowest parts of a random terrain, at random with a reed belt; in place."""
    height = gaussian_field(rng, (labels.shape[0], labels.shape[1]), rng.uniform(6, 50), rng.uniform(3, 4.2))
    level = np.quantile(height, rng.uniform(0.01, 0.2))
    if rng.random() < 0.4:
        labels[height < level + rng.uniform(0.02, 0.2)] = lc.WETLAND
    labels[height < level] = lc.WATER


def add_river(rng: np.random.Generator, labels: Labels) -> None:
    """Add a meandering river across the frame, at random with wooded or grassy banks; in place."""
    shape = (labels.shape[0], labels.shape[1])
    distance = curve_distance(rng, shape, rng.uniform(5, 35), rng.uniform(70, 260))
    half = float(np.exp(rng.uniform(np.log(0.8), np.log(14))))
    bank = distance < half + rng.uniform(0, 6)
    if rng.random() < 0.5:
        labels[bank] = rng.choice([lc.TREE, lc.GRASS, lc.WETLAND, lc.BARE])
    labels[distance < half] = lc.WATER


def add_settlements(rng: np.random.Generator, labels: Labels) -> None:
    """Add villages or a town with a dense core, irregular edges and green spots; in place."""
    shape = (labels.shape[0], labels.shape[1])
    rows, columns = coordinates(shape)
    ragged = gaussian_field(rng, shape, rng.uniform(3, 10), 2.5)
    density = np.full(shape, -np.inf, np.float32)
    for _ in range(int(rng.integers(1, 9))):
        radius = float(np.exp(rng.uniform(np.log(4), np.log(60))))
        row, column = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        stretch, angle = rng.uniform(0.3, 1.0), rng.uniform(0, np.pi)
        along = np.cos(angle) * (columns - column) + np.sin(angle) * (rows - row)
        across = -np.sin(angle) * (columns - column) + np.cos(angle) * (rows - row)
        distance = np.hypot(along, across / stretch) / radius
        density = np.maximum(density, 1.0 - distance)
    built = (density + rng.uniform(0.1, 0.45) * ragged > 0) & (labels != lc.WATER)
    labels[built & (density > -0.6)] = lc.BUILT


def procedural(rng: np.random.Generator, shape: tuple[int, int]) -> Labels:
    """Generate a layout without data.

    Args:
        rng: Generator.
        shape: Rows and columns.

    Returns:
        uint8 [H, W] of WorldCover codes, without unknown pixels.
    """
    biome = list(BIOMES)[int(rng.choice(len(BIOMES), p=_BIOME_WEIGHTS / _BIOME_WEIGHTS.sum()))]
    labels = regions(rng, shape, BIOMES[biome])
    if rng.random() < 0.6:
        _farm_parcels(rng, labels)
    inject(rng, labels, biome)
    if biome not in ("ice", "city") and rng.random() < 0.6:
        add_settlements(rng, labels)
    return labels


def inject(rng: np.random.Generator, labels: Labels, biome: str = "") -> None:
    """Add waters and mangrove at random, and settlements if no biome is named; in place."""
    if rng.random() < 0.25:
        add_lakes(rng, labels)
    if rng.random() < 0.25:
        add_river(rng, labels)
    if biome not in ("ice", "highland") and rng.random() < 0.08:
        add_mangrove_delta(rng, labels)
    if rng.random() < 0.3:
        add_coast(rng, labels)
    if not biome and rng.random() < 0.3:
        add_settlements(rng, labels)


def patch_of(rng: np.random.Generator, labels: Labels, code: int) -> None:
    """Add one or more irregular patches of class ``code`` on land; in place."""
    shape = (labels.shape[0], labels.shape[1])
    field = gaussian_field(rng, shape, float(np.exp(rng.uniform(np.log(5), np.log(50)))), rng.uniform(2.6, 4.0))
    inside = field > np.quantile(field, 1 - rng.uniform(0.08, 0.45))
    labels[inside & (labels != lc.WATER)] = code
