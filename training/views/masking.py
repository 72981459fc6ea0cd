"""Draw masks of patches that are hidden from the student (iBOT, Zhou et al., ICLR 2022).

Masks are blocks, as in BEiT (Bao et al., ICLR 2022, algorithm 1): a single hidden patch could be guessed from its
neighbours. As in DINOv2 (arXiv 2304.07193), each global view is masked with some probability, to a random share.
"""

from __future__ import annotations

import math

import numpy as np

from backend.core.arrays import BoolArray
from training.run.pretrain_config import DinoConfig

SMALLEST_BLOCK = 4  # patches; this, the side ratio and the attempts are as in BEiT and iBOT
LONGEST_SIDE_RATIO = 1 / 0.3
ATTEMPTS = 10


def block_mask(rows: int, columns: int, count: int, rng: np.random.Generator) -> BoolArray:
    """Draw a mask of rectangles that may overlap.

    Args:
        rows: Height of the grid of patches.
        columns: Width of the grid.
        count: Maximum number of hidden patches; there are fewer if no further block fits.
        rng: Random generator.

    Returns:
        bool [rows, columns], true where hidden.
    """
    mask = np.zeros((rows, columns), dtype=np.bool_)
    left = count
    while left > 0:
        added = _add_block(mask, left, rng)
        if not added:
            break
        left -= added
    return mask


def _add_block(mask: BoolArray, most: int, rng: np.random.Generator) -> int:
    rows, columns = mask.shape
    for shape, size, down, across in rng.random((ATTEMPTS, 4)).tolist():
        smallest = min(SMALLEST_BLOCK, most)
        area = smallest + (most - smallest) * size
        ratio = LONGEST_SIDE_RATIO ** (2 * shape - 1)
        height, width = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if height > rows or width > columns:
            continue
        top, left = int(down * (rows - height + 1)), int(across * (columns - width + 1))
        block = mask[top : top + height, left : left + width]
        new = block.size - int(np.count_nonzero(block))
        if 0 < new <= most:
            block[:] = True
            return new
    return 0


def step_masks(seed: int, step: int, places: range, grid: tuple[int, int], config: DinoConfig) -> BoolArray:
    """Draw the masks of the two global views of some samples of a batch; they follow from the arguments alone.

    Args:
        seed: Seed of the run.
        step: Number of the step.
        places: Indices of the samples in the global batch.
        grid: Rows and columns of patches.
        config: Probability of a mask, and the range of its share.

    Returns:
        bool [2, N, rows, columns], true where hidden.
    """
    masks = np.zeros((2, len(places), *grid), dtype=np.bool_)
    for i, place in enumerate(places):
        # A separate stream: crops are drawn from the same three numbers.
        rng = np.random.default_rng(np.random.SeedSequence((seed, step, place), spawn_key=(1,)))
        for mask in masks[:, i]:
            if rng.random() < config.mask_probability:
                share = rng.uniform(*config.mask_ratio)
                mask[:] = block_mask(*grid, max(1, round(share * mask.size)), rng)
    return masks
