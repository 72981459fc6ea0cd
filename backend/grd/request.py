"""Define the request for a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Slopes:
    """Describe how the terrain under a product is taken into account.

    Attributes:
        dem: Elevation model for terrain correction; None for none.
        dem_heights: Reference of its heights: "geoid" or "ellipsoid".
        orbit: File of precise orbits (EOF); None for the orbit of the annotation.
        flatten: Whether brightness is corrected for slopes.
        mask_nodata: Whether layover and shadow become nodata.
    """

    dem: str | None = None
    dem_heights: str = "geoid"
    orbit: str | None = None
    flatten: bool = False
    mask_nodata: bool = False


@dataclass(frozen=True)
class CalibrateRequest:
    """Hold a calibration as requested.

    Attributes:
        input: Product: folder, manifest.safe or zip.
        output: Raster to write.
        quantity: "gamma0" or "sigma0".
        units: "linear_power" or "db".
        pixel_size: Pixel size in metres; None for the spacing of the product.
        extent: West, south, east and north in degrees; None for the whole product.
        around: Pixels around the extent that are calibrated too.
        dem: As for `Slopes`; so are dem_heights, orbit, flatten and mask_nodata.
        incidence: Raster of local incidence angles to write as well; None for none.
        mask: Raster of layover and shadow to write as well; None for none.
        overwrite: Whether existing outputs are replaced.
    """

    input: str
    output: Path
    quantity: str = "gamma0"
    units: str = "linear_power"
    pixel_size: float | None = None
    extent: Sequence[float] | None = None
    around: int = 0
    dem: str | None = None
    dem_heights: str = "geoid"
    orbit: str | None = None
    flatten: bool = False
    mask_nodata: bool = False
    incidence: Path | None = None
    mask: Path | None = None
    overwrite: bool = False

    @property
    def outputs(self) -> dict[str, Path]:
        """Return the files to write by role, the main one first."""
        wanted = {"output": self.output, "incidence": self.incidence, "mask": self.mask}
        return {role: path for role, path in wanted.items() if path is not None}
