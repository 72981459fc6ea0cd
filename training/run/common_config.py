"""Define the settings that pre-training and fine-tuning share: backbone and augmentations."""

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
    """Set the SAR augmentations; gains in dB, probabilities per view or crop.

    Attributes:
        flip: Mirror along each axis with probability one half.
        speckle: Probability of extra gamma speckle.
        speckle_looks: Range of the equivalent number of looks of that speckle; few looks are strong speckle.
        speckle_correlated: Correlate speckle between neighbours as in Sentinel-1 GRDH; else it is white.
        gain_common_db: Standard deviation of a gain shared by all bands of one acquisition, that is bands whose names
            differ in the polarisation only (calibration, incidence angle, moisture). Coherence has neither gain nor
            speckle.
        gain_band_db: Standard deviation of a separate gain of each band (channel imbalance).
        band_drop: Probability that one band is hidden where two or more are present.
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
    # Global statistics of SSL4EO-S12 (Wang et al. 2023), with the widest clip in common use.
    return (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))


@dataclass(frozen=True)
class ModelConfig:
    """Set the backbone and its input bands.

    Attributes:
        arch: timm name and integers, as in the model card.
        patch: Side of a patch in pixels.
        tile: Side in pixels of the image whose positional embeddings are stored; they are interpolated for other sizes.
        bands: Input bands with clip, mean and standard deviation in dB.
    """

    arch: Arch = Arch("vit_small_patch16_224", 384, 12, 6)
    patch: Count = 16
    tile: Count = 224
    bands: tuple[Band, ...] = field(default_factory=_sentinel1_bands)

    def __post_init__(self) -> None:
        """Refuse a tile that patches don't divide; raise ModelError for an unknown architecture."""
        check_limits(self, "model")
        Arch.from_dict(self.arch.to_dict())
        if self.tile % self.patch:
            raise InputError(f"model.tile is {self.tile}.", f"Set it to a multiple of model.patch, {self.patch}.")
        if not self.bands:
            raise InputError("model.bands is empty.", "Name one band or more.")
