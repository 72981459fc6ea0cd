"""Draw the conditions of a scene: geometry, product, soil moisture, dry, frozen or thawing ground, growth of crops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Shares of scenes in dry regions; with frozen ground; with wet snow (the last two never in dry regions).
DRY, FROZEN, THAW = 0.16, 0.07, 0.06
CENTRE_DEG = 38.0


@dataclass(frozen=True)
class Climate:
    """Hold the conditions of a scene.

    Attributes:
        gain: Shift in dB of VV and VH of all land (calibration, terrain, vegetation of the region).
        gamma0: Whether values are gamma0; sigma0 otherwise.
        soil: Soil moisture shift in dB, negative when dry.
        dry: Dryness of the region: 0 where humid, about 1 where semi-arid.
        frozen: 1 where ground and trees are frozen, else 0.
        thaw: Share of the effect of wet snow, from 0 to 1.
        growth: State of the crops from -0.5 (bare or emerging) to 0.5 (grown).
        incidence: Incidence angle at the scene centre, degrees.
        look: +1 if the radar looks east (ascending, right-looking), -1 if it looks west.
        crops: State of each kind of crop, as `growth`, which it adds to; empty if all are alike.
    """

    gain: tuple[float, float]
    gamma0: bool
    soil: float
    dry: float
    frozen: float
    thaw: float
    growth: float
    incidence: float
    look: int
    crops: tuple[float, ...] = ()

    @property
    def product_db(self) -> float:
        """Return the difference of the product from sigma0 in dB: gamma0 = sigma0 / cos(incidence)."""
        return float(-10.0 * np.log10(np.cos(np.deg2rad(self.incidence)))) if self.gamma0 else 0.0


def draw_climate(rng: np.random.Generator) -> Climate:
    """Draw the conditions of one scene; Sentinel-1 IW covers incidence angles of 29 to 46 degrees."""
    common = rng.normal(0, 1.25)
    kind = rng.random()
    cold = kind - DRY
    return Climate(
        gain=(common + rng.normal(0, 0.25), common + rng.normal(0, 0.45)),
        gamma0=bool(rng.random() < 0.5),
        soil=rng.normal(0, 0.9),
        dry=rng.uniform(0.5, 1.5) if kind < DRY else 0.0,
        frozen=float(0 <= cold < FROZEN),
        thaw=rng.uniform(0.3, 1.2) if FROZEN <= cold < FROZEN + THAW else 0.0,
        growth=rng.uniform(-0.5, 0.5),
        incidence=rng.uniform(30.0, 46.0),
        look=int(rng.choice([-1, 1])),
    )
