"""Measure how good attention maps are on labelled images: classes, fields and bright spots, compared with backscatter.

    python -m benchmarks.quality.attention_figures LABELLED MODEL [MODEL ...] [--tile 120] [--block -1] [--json PATH]

LABELLED is a data folder with splits "train" and "val" or "test"; a MODEL is a model folder or a pre-training run.
Each model is compared with equal networks with random weights (mean of three seeds), and backscatter. The table has:

    AUC, IoU    of each class on the test regions, of the head that separates it best (of VV or VH, of their mean or
                deviation in a patch, for backscatter); side and threshold of a head are chosen on the training regions,
                the head itself on the test regions, for random weights too.
    fields      between-field over within-field variance of the mean attention (of mean VV in dB for backscatter):
                fields are connected patches of one class, 9 or more. 0 is noise; higher means that areas stand out.
    log         the same of the mean of the heads' logarithms, as `attention --heads log` maps it, between fields of one
                tile (for backscatter of mean VV in dB).
    largest     the largest over the median mean attention of a tile, the median over tiles. Areas that stand out give a
                few, and single bright patches (Darcet et al., arXiv 2309.16588, figure 2) tens to hundreds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label as connected

from backend.core.arrays import DoubleArray, FloatArray
from backend.maps.attention import logarithms
from training.study.heads import run_heads
from training.study.material import Material, StudyTile, load_material, spread_tiles
from training.study.networks import PRETRAINED, RANDOM, Networks, open_networks
from training.study.patches import BACKSCATTER, Patches, PatchSets, attention_last, describe_patches
from training.study.settings import StudyConfig

SMALLEST_FIELD = 9
MOST_TILES = 400
SEEDS = (0, 1, 2)
ATTENTION = "attention"


def field_ratio(values: FloatArray, label: NDArray[np.int16], by_tile: bool = False) -> float:
    """Return the variance between fields over the variance within them; noise gives 0.

    The variance of field means is lessened by what noise within fields adds to it (one-way analysis of variance). NaN
    where no tile has fields to compare.

    Args:
        values: float32 [T, side, side], tiles.
        label: int16 [T, side, side] class index, -1 for none.
        by_tile: Compare fields of one tile only, as the level of logarithms differs between tiles.
    """
    tiles = [_fields(tile, classes) for tile, classes in zip(values, label)]
    groups = [tile for tile in tiles if len(tile) > 1] if by_tile else [[field for tile in tiles for field in tile]]
    sizes = np.array([field.size for group in groups for field in group])
    if len(sizes) <= len(groups):
        return float("nan")
    noise = float(np.average([field.var(ddof=1) for group in groups for field in group], weights=sizes - 1))
    spread = sum(np.var([field.mean() for field in group]) * len(group) for group in groups)
    # What noise adds to the spread of the means of a group around their mean.
    added = sum((1 - 1 / len(group)) * sum(noise / field.size for field in group) for group in groups)
    return max(float(spread - added), 0.0) / (len(sizes) - len(groups)) / noise


def _fields(tile: FloatArray, classes: NDArray[np.int16]) -> list[DoubleArray]:
    """Return the values of each field of a tile."""
    found = []
    for index in np.unique(classes[classes >= 0]):
        areas, count = connected(classes == index)
        inside = (tile[areas == number].astype(np.float64) for number in range(1, count + 1))
        found += [field for field in inside if field.size >= SMALLEST_FIELD]
    return found


def largest_over_median(values: FloatArray) -> float:
    """Return the largest over the median value of a tile, the median over tiles [T, side, side]."""
    flat = values.reshape(len(values), -1)
    return float(np.median(flat.max(axis=1) / np.median(flat, axis=1)))


def figures(sets: PatchSets, source: str, names: list[str]) -> dict[str, Any]:
    """Return the figures of one source of values, such as the heads of the last block."""
    scores = run_heads(sets, source, names)
    side = sets.test.side
    values = sets.test.features[source]
    label = sets.test.label.reshape(-1, side, side)
    found: dict[str, Any] = {
        "auc": {name: max(row) for name, row in scores["auc"].items()},
        "iou": {name: max(row) for name, row in scores["iou"].items()},
    }
    if source == BACKSCATTER:
        level = values[:, 0].reshape(-1, side, side)
        return {**found, "fields": field_ratio(level, label), "log": field_ratio(level, label, by_tile=True)}
    heads = values.reshape(-1, side, side, values.shape[1]).transpose(0, 3, 1, 2)
    logs = np.stack([logarithms(tile).mean(axis=0) for tile in heads])
    mean = heads.mean(axis=1)
    return {
        **found,
        "fields": field_ratio(mean, label),
        "log": field_ratio(logs, label, by_tile=True),
        "largest": largest_over_median(mean),
    }


def describe(tiles: Sequence[StudyTile], networks: Networks, kind: str, seed: int, block: int, bands: Any) -> Patches:
    """Return backscatter, and the attention of one block of a network under the name ATTENTION."""
    vit = networks.frozen(kind, seed)
    found = describe_patches(tiles, {kind: vit}, networks.model.patch, bands)
    every = [name for name in found.features if name.startswith(f"{kind}: attention, all")]
    heads = found.features[attention_last(kind)].shape[1]
    blocks = found.features[every[0]].reshape(len(found.label), vit.depth, heads)
    kept = {BACKSCATTER: found.features[BACKSCATTER], ATTENTION: blocks[:, block]}
    return dataclasses.replace(found, features=kept)


def mean_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Average the figures of several seeds."""
    first = rows[0]
    return {
        key: {name: float(np.mean([row[key][name] for row in rows])) for name in value}
        if isinstance(value, dict)
        else float(np.mean([row[key] for row in rows]))
        for key, value in first.items()
    }


def measure(model: str, labelled: Path, tile: int, block: int) -> dict[str, dict[str, Any]]:
    """Return figures of backscatter, of the model, and of random weights, by name."""
    networks = open_networks(model, tile)
    material: Material = load_material(labelled, networks.model.bands, StudyConfig(tile=tile))
    parts = [spread_tiles(chips, tile, material.bands, MOST_TILES) for chips in (material.train, material.test)]

    def sets(kind: str, seed: int) -> PatchSets:
        return PatchSets(*(describe(part, networks, kind, seed, block, material.present) for part in parts))

    mine = sets(PRETRAINED, 0)
    random = [figures(sets(RANDOM, seed), ATTENTION, material.names) for seed in SEEDS]
    return {
        BACKSCATTER: figures(mine, BACKSCATTER, material.names),
        Path(model).name: figures(mine, ATTENTION, material.names),
        f"random weights like {Path(model).name}": mean_of(random),
    }


def main() -> None:
    """Print a line for each source of values, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("labelled", type=Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--tile", type=int, default=120)
    parser.add_argument("--block", type=int, default=-1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: dict[str, dict[str, Any]] = {}
    for model in given.models:
        found |= measure(model, given.labelled, given.tile, given.block)
    for name, row in found.items():
        classes = "; ".join(f"{key} {auc:.2f} {row['iou'][key]:.2f}" for key, auc in row["auc"].items())
        others = "; ".join(f"{key} {row[key]:.2f}" for key in ("fields", "log", "largest") if key in row)
        print(f"{name}: AUC IoU of {classes}; {others}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
