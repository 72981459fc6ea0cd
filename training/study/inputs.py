"""Use attention as an input: land cover from backscatter, with and without attention as further bands."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from backend.card.model_card import Band
from backend.core.arrays import FloatArray
from backend.engines.pytorch import choose_device
from backend.network.vit import SarViT
from training.landcover.chips import LabelledChip
from training.study.curve import FOREST, SCRATCH, curve_cell, run_forest, run_network
from training.study.experiment import Experiment
from training.study.forest import features
from training.study.ledger import Cell
from training.study.material import Material, tiles_of
from training.study.networks import PRETRAINED, RANDOM
from training.study.settings import StudyConfig

KINDS = (PRETRAINED, RANDOM)
LEARNERS = (FOREST, SCRATCH)


def input_cells(experiment: Experiment) -> list[Cell]:
    """Return the cells; keys are inputs/input/learner/seed. Runs without attention are those of the curve."""
    material, networks, config = experiment
    kept: dict[str, Experiment] = {}

    def widened(kind: str) -> Experiment:
        if kind not in kept:
            kept.clear()  # the attention of all chips is large; keep one kind at a time
            wide = add_attention(material, networks.frozen(kind, config.curve.seeds[0]), config)
            kept[kind] = experiment._replace(material=wide)
        return kept[kind]

    def cell(kind: str, learner: str, seed: int) -> Cell:
        own = len(material.bands)
        cost = 0.4 if learner == FOREST else 1.0
        key = input_key(kind, learner, seed)
        return Cell(key, cost, lambda: _run(widened(kind), own, learner, seed))

    seeds = config.curve.seeds
    plain = [curve_cell(learner, 1.0, seed, experiment) for learner in LEARNERS for seed in seeds]
    return plain + [cell(kind, learner, seed) for kind in KINDS for learner in LEARNERS for seed in seeds]


def input_key(kind: str, learner: str, seed: int) -> str:
    """Return the key of a run; `kind` is empty for backscatter alone."""
    return f"inputs/{kind}/{learner}/{seed}" if kind else f"curve/{learner}/1/{seed}"


def _run(experiment: Experiment, own: int, learner: str, seed: int) -> dict[str, object]:
    """Train and score on chips whose bands after the first `own` are attention."""
    material, _, config = experiment
    if learner == FOREST:
        present = list(material.present)

        def describe(chip: LabelledChip) -> FloatArray:
            # Attention is smooth already; focal statistics of it would add nothing.
            extra = np.nan_to_num(chip.db[own:].astype(np.float32)).reshape(len(chip.db) - own, -1).T
            return np.concatenate((features(chip.db[present]), extra), axis=1)

        return run_forest(experiment, describe, 1.0, seed)
    settings = dataclasses.replace(config.finetune, freeze_backbone=False, seed=seed)
    return run_network(experiment, RANDOM, 1.0, settings, material.bands[own:])


def add_attention(material: Material, vit: SarViT, config: StudyConfig) -> Material:
    """Add the attention of the last block to the chips as bands, one per head, upsampled to pixels.

    Args:
        material: The chips.
        vit: The network.
        config: Side of its tiles, and the device.
    """
    device = choose_device(config.finetune.device)
    vit = vit.to(device)
    train, test = ([_wide(chip, vit, material.bands, config.tile, device) for chip in chips]
                   for chips in (material.train, material.test))  # fmt: skip
    bands = tuple(_band(train, len(material.bands) + head, head) for head in range(vit.heads))
    return dataclasses.replace(material, bands=(*material.bands, *bands), train=train, test=test)


def _band(chips: Sequence[LabelledChip], row: int, head: int) -> Band:
    """Return the band of a head; like coherence it is not backscatter, and has neither gain nor speckle."""
    values = np.concatenate([chip.db[row, ::8, ::8].ravel() for chip in chips]).astype(np.float32)
    values = values[np.isfinite(values)]
    high = max(float(np.quantile(values, 0.999)), 1e-3)
    clipped = np.clip(values, 0, high)
    return Band(
        f"attention {head + 1}", "coherence", (0.0, high), float(clipped.mean()), max(float(clipped.std()), 1e-3)
    )


@torch.inference_mode()
def _wide(chip: LabelledChip, vit: SarViT, bands: Sequence[Band], side: int, device: torch.device) -> LabelledChip:
    height, width = chip.target.shape
    maps = np.zeros((vit.heads, max(height, side), max(width, side)), dtype=np.float32)
    tiles = list(tiles_of(chip, side, bands))
    x = torch.from_numpy(np.stack([tile.x for tile in tiles])).to(device)
    raw = vit.attention(x)
    relative = raw * raw.shape[-2] * raw.shape[-1]
    pixels = F.interpolate(relative, size=(side, side), mode="bilinear", align_corners=False).cpu().numpy()
    for tile, part in zip(tiles, pixels):
        top, left = tile.corner
        maps[:, top : top + side, left : left + side] = part
    seen = np.isfinite(chip.db).any(axis=0)
    extra = np.where(seen, maps[:, :height, :width], np.nan).astype(np.float16)
    return dataclasses.replace(chip, db=np.concatenate((chip.db, extra)))
