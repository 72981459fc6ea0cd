"""Predict local backscatter statistics at each patch: what land cover is read from, and what class tokens don't keep.

DINO's loss compares class tokens, which may forget the level of the backscatter; in a linear probe, the mean and the
deviation of backscatter around a patch then tell land cover better than the patch's token. Here each patch token, of
hidden patches too, is mapped linearly to those statistics at several scales. They are taken from the view without the
speckle that was added and before bands were hidden, so that speckle is averaged out and a missing band is inferred.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from backend.card.model_card import Band
from backend.radiometry.convert import is_backscatter

# Usual deviation over mean of power in Sentinel-1 GRDH at 10 m (4.4 looks), and the least that is distinguished.
USUAL_VARIATION, LEAST_VARIATION = 0.5, 0.05


# Usual values of the tails in speckle of 4.4 looks, and their factor, which makes them vary as much as the others.
USUAL_BRIGHT, USUAL_DARK, TAIL_FACTOR = 1.4, 1.35, 2.0
# Power below this is not distinguished; its inverse would decide the mean.
LEAST_POWER = 1e-6


def statistics(bands: int, scales: Sequence[int], tails: bool = False) -> int:
    """Return how many numbers are predicted at each patch: two or, with tails, four of each band at each scale."""
    return (4 if tails else 2) * bands * len(scales)


class LocalLevels(nn.Module):
    """Measure mean and deviation of backscatter in squares around each patch.

    Args:
        bands: The card's bands.
        patch: Side of a patch in pixels.
        scales: Sides of the squares in pixels.
        tails: Also measure how far bright and dark pixels lie from the mean.
    """

    mean: Tensor
    std: Tensor
    radar: Tensor

    def __init__(self, bands: Sequence[Band], patch: int, scales: Sequence[int], tails: bool = False) -> None:
        super().__init__()
        self.patch, self.scales, self.tails = patch, tuple(scales), tails
        columns = {"mean": [b.mean for b in bands], "std": [b.std for b in bands]}
        for name, values in columns.items():
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)
        self.register_buffer("radar", torch.from_numpy(is_backscatter(bands))[:, None, None], persistent=False)

    @torch.no_grad()
    def forward(self, clean: Tensor) -> Tensor:
        """Return the standardised statistics of views.

        Args:
            clean: [V, N, B, H, W] linear power (coherence plain); NaN where a band is missing.

        Returns:
            float32 [V, N, P, T]: per scale the means in dB and the logarithms of the relative deviations of all bands;
            with tails also the logarithms of the fourth root of the mean fourth power over the mean, and of the mean
            times the mean inverse. NaN where a band is missing; coherence has no tails.
        """
        flat = clean.flatten(0, 1).float()
        # The squares are small, so that the difference keeps enough digits: deviations are distinguished from
        # LEAST_VARIATION of the mean on.
        moments = torch.cat([flat, flat.square()], dim=1)
        if self.tails:
            moments = torch.cat([moments, flat.square().square(), 1 / flat.clamp(min=LEAST_POWER)], dim=1)
        found = []
        for side in self.scales:
            pad = (side - self.patch) // 2
            pooled = self._pool(moments, side, pad)
            mean, square, *further = pooled.chunk(4 if self.tails else 2, dim=1)
            deviation = (square - mean.square()).clamp(min=0).sqrt()
            level = torch.where(self.radar, 10 * torch.log10(mean), mean)
            variation = torch.log((deviation / mean.abs().clamp(min=1e-9) + LEAST_VARIATION) / USUAL_VARIATION)
            found += [(level - self.mean) / self.std, variation]
            if self.tails:
                found += self._tails(mean, *further)
        grids = torch.cat(found, dim=1)
        return grids.flatten(2).transpose(1, 2).reshape(*clean.shape[:2], -1, grids.shape[1])

    def _tails(self, mean: Tensor, fourth: Tensor, inverse: Tensor) -> list[Tensor]:
        """Return the bright and the dark tails from means of power, of its fourth power and of its inverse."""
        level = mean.clamp(min=LEAST_POWER)
        bright = fourth.clamp(min=LEAST_POWER**4).sqrt().sqrt() / level / USUAL_BRIGHT
        dark = level * inverse / USUAL_DARK
        return [torch.where(self.radar, TAIL_FACTOR * tail.log(), torch.nan) for tail in (bright, dark)]

    def _pool(self, moments: Tensor, side: int, pad: int) -> Tensor:
        """Average squares of `side` pixels around each patch, as far as they lie in the view."""
        if pad >= 0:
            # Padded here, as avg_pool2d pads by no more than half a side; divided by the share that lies inside.
            grown = F.pad(moments, (pad,) * 4)
            inside = F.pad(torch.ones_like(moments[:1, :1]), (pad,) * 4)
            total = F.avg_pool2d(grown, side, self.patch)
            return total / F.avg_pool2d(inside, side, self.patch)
        inner = moments[..., -pad:pad, -pad:pad]
        return F.avg_pool2d(inner, side, self.patch)


def levels_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Average the Huber loss (Huber 1964) over all statistics that are known.

    Args:
        predicted: [V, N, P, T].
        wanted: [V, N, P, T], NaN where unknown.
    """
    known = torch.isfinite(wanted)
    each = F.smooth_l1_loss(predicted.float(), torch.where(known, wanted, 0.0), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)
