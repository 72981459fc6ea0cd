"""Settings that pre-training and fine-tuning share: the backbone and the augmentations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from backend.card.arch import Arch
from backend.card.model_card import Band
from backend.core.errors import InputError
from backend.engines.precision import PRECISIONS
from training.run.limits import Ascending, Count, NotNegative, OneOf, Range, Share, check_limits

Looks = Annotated[tuple[float, float], Range(0, above=True), Ascending()]
Precision = Annotated[str, OneOf(*PRECISIONS)]


@dataclass(frozen=True)
class AugmentConfig:
    """SAR augmentations; gains in dB, probabilities per view or crop.

    Attributes:
        flip: mirror along either axis, each with probability one half.
        speckle: probability of extra gamma speckle.
        speckle_looks: range of the equivalent number of looks of that speckle; few looks are strong speckle.
        speckle_correlated: correlate the speckle between neighbours as in Sentinel-1 GRDH, else white.
        gain_common_db: deviation of a gain shared by all bands of one acquisition, those whose names differ by the
            polarisation only (calibration, incidence angle, moisture). Coherence has neither gain nor speckle.
        gain_band_db: deviation of a gain of each band by itself (channel imbalance).
        band_drop: probability that one band is hidden, where more than one is present.
    """

    flip: bool = True
    speckle: Share = 0.5
    speckle_looks: Looks = (5.0, 30.0)
    speckle_correlated: bool = True
    gain_common_db: NotNegative = 0.7
    gain_band_db: NotNegative = 0.4
    band_drop: Share = 0.2

    def __post_init__(self) -> None:
        check_limits(self, "augment")


def _sentinel1_bands() -> tuple[Band, ...]:
    # Global statistics of SSL4EO-S12 (Wang et al. 2023); clip as wide as usual practice goes.
    return (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))


@dataclass(frozen=True)
class ModelConfig:
    """The backbone and what its pixels mean.

    Attributes:
        arch: timm name and integers, as in the model card.
        patch: side of a token in pixels.
        tile: side of the image whose positional embeddings are stored; other sizes are interpolated.
        bands: input bands with clip, mean and deviation in dB.
    """

    arch: Arch = Arch("vit_small_patch16_224", 384, 12, 6)
    patch: Count = 16
    tile: Count = 224
    bands: tuple[Band, ...] = field(default_factory=_sentinel1_bands)

    def __post_init__(self) -> None:
        """Refuse sizes that don't divide; ModelError where the architecture is unknown."""
        check_limits(self, "model")
        Arch.from_dict(self.arch.to_dict())
        if self.tile % self.patch:
            raise InputError(f"model.tile is {self.tile}.", f"Set it to a multiple of model.patch, {self.patch}.")
        if not self.bands:
            raise InputError("model.bands is empty.", "Name one band or more.")
