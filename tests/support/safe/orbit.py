"""A satellite on a circular orbit around a rotating Earth, and its images: the truth of terrain correction.

It shares nothing with the code under test: times are found by the least distance, ground points by a solver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.warp import transform
from scipy.optimize import fsolve, minimize_scalar

from tests.support.make_safe import START, Scene

LIGHT = 299_792_458.0
RADIUS, INCLINATION, TURN, EARTH = 7_071_000.0, np.radians(98.18), 2 * np.pi / 5924.0, 7.2921159e-5
# Slant range by ground range: sine of the incidence angle, and half its change per metre.
SLOPE, CURVE = 0.59, 3.6e-7
DEGREES, GEOCENTRIC = CRS.from_epsg(4326), CRS.from_epsg(4978)


def geocentric(longitude, latitude, height):
    """Return ECEF coordinates by PROJ, [n, 3]."""
    values = [np.atleast_1d(np.asarray(v, dtype=float)) for v in (longitude, latitude, height)]
    return np.stack(transform(CRS.from_epsg(4979), GEOCENTRIC, *values), axis=1)


@dataclass(frozen=True)
class Imaged:
    """A scene imaged from an orbit.

    Attributes:
        longitude: Of the ascending node at time 0, in radians.
        argument: Argument of latitude of the satellite at the first line, in radians.
        near: Slant range of the first sample, in metres.
        shape: Lines and samples.
        spacing: Of samples and lines on the ground, in metres.
        height: Of the ground control points above the ellipsoid, in metres.
        interval: Seconds between lines.
        jump: Metres by which the ground range of each block of lines, of a second, is ahead of the last one's.
    """

    longitude: float = 3.2496
    argument: float = np.radians(180 - 46.7)
    near: float = 850_000.0
    shape: tuple[int, int] = (500, 700)
    spacing: float = 10.0
    height: float = 0.0
    interval: float = 1.4905e-3
    jump: float = 0.0

    def place(self, time):
        """Return positions of the satellite, ECEF, [n, 3]."""
        time = np.asarray(time, dtype=float)
        along, node = self.argument + TURN * time, self.longitude - EARTH * time
        flat = np.cos(along), np.sin(along) * np.cos(INCLINATION)
        x = np.cos(node) * flat[0] - np.sin(node) * flat[1]
        y = np.sin(node) * flat[0] + np.cos(node) * flat[1]
        return RADIUS * np.stack((x, y, np.sin(along) * np.sin(INCLINATION)), axis=-1)

    def velocity(self, time):
        return (self.place(np.asarray(time) + 0.01) - self.place(np.asarray(time) - 0.01)) / 0.02

    def look(self, point):
        """Return time and slant range of the least distance to a point, ECEF [3]."""
        found = minimize_scalar(
            lambda t: float(((self.place(t) - point) ** 2).sum() / 1e9), bracket=(-1, 0, 2), options={"xtol": 1e-12}
        )
        return found.x, float(np.linalg.norm(self.place(found.x) - point))

    def slant(self, sample):
        """Return the slant range by sample: a curve like that of real products."""
        ground = np.asarray(sample, dtype=float) * self.spacing
        return self.near + SLOPE * ground + CURVE * ground**2

    def ahead(self, line):
        """Return the samples by which the block of a line is ahead of the first one."""
        return self.jump * np.floor(line * self.interval + 0.5) / self.spacing

    def echo(self, sample, line=0):
        return 2 * float(self.slant(sample - self.ahead(line))) / LIGHT

    def image(self, longitude, latitude, height):
        """Return line and sample of a point of known height, whole at centres."""
        time, slant = self.look(geocentric(longitude, latitude, height)[0])
        sample = (np.sqrt(SLOPE**2 + 4 * CURVE * (slant - self.near)) - SLOPE) / (2 * CURVE) / self.spacing
        return time / self.interval, float(sample) + self.ahead(time / self.interval)

    def ground(self, line, sample):
        """Return longitude and latitude of image positions at the height of the points, right of the track."""
        found = []
        for one, other in zip(np.ravel(line), np.ravel(sample)):
            time, slant = one * self.interval, float(self.slant(other - self.ahead(one)))
            satellite, ahead = self.place(time), self.velocity(time)
            ahead = ahead / np.linalg.norm(ahead)
            down = -satellite / np.linalg.norm(satellite)
            guess = satellite + slant * (0.78 * down + 0.62 * np.cross(down, ahead))
            (x,), (y,) = transform(GEOCENTRIC, DEGREES, [guess[0]], [guess[1]], [guess[2]])[:2]

            def miss(place, satellite=satellite, ahead=ahead, slant=slant):
                away = geocentric(place[0], place[1], self.height)[0] - satellite
                return [(np.linalg.norm(away) - slant) / 1e3, away @ ahead / 1e3]

            found.append(fsolve(miss, (x, y), xtol=1e-13))
        return np.array(found).T

    # Parts of the annotation

    def orbit(self) -> str:
        text = ""
        for time in np.arange(-70, 90, 10.0) + 0.123456:
            values = {"position": self.place(time), "velocity": self.velocity(time)}
            parts = "".join(
                f"<{name}>{''.join(f'<{axis}>{v:.9e}</{axis}>' for axis, v in zip('xyz', vector))}</{name}>"
                for name, vector in values.items()
            )
            text += f"<orbit><time>{moment(time)}</time><frame>Earth Fixed</frame>{parts}</orbit>"
        return f'<orbitList count="16">{text}</orbitList>'

    def timing(self, scene: Scene) -> str:
        return (
            f"<ascendingNodeTime>{moment(-self.argument / TURN)}</ascendingNodeTime>"
            f"<slantRangeTime>{self.echo(0):.15e}</slantRangeTime>"
            f"<azimuthTimeInterval>{self.interval:.15e}</azimuthTimeInterval>"
            "<incidenceAngleMidSwath>3.9e+01</incidenceAngleMidSwath>"
        )

    def conversion(self) -> str:
        """Slant range to ground range and back; polynomials of degree 8 as in real products."""
        ground = np.linspace(-0.1, 1.1, 200) * self.shape[1] * self.spacing
        there = np.polynomial.Polynomial.fit(self.slant(ground / self.spacing) - self.near, ground, 8).convert().coef
        text = ""
        for time in (-1.0, 0.0, 1.0, 2.0):
            d = time * self.jump
            back = [self.near - SLOPE * d + CURVE * d**2, SLOPE - 2 * CURVE * d, CURVE, *[0.0] * 6]
            text += (
                f"<coordinateConversion><azimuthTime>{moment(time)}</azimuthTime><slantRangeTime>{self.echo(0):.15e}"
                f"</slantRangeTime><sr0>{self.near:.9e}</sr0>{row('srgrCoefficients', [there[0] + d, *there[1:]])}"
                f"<gr0>0.0</gr0>{row('grsrCoefficients', back)}</coordinateConversion>"
            )
        return (
            f'<coordinateConversion><coordinateConversionList count="4">{text}</coordinateConversionList>'
            "</coordinateConversion>"
        )


def row(name, values) -> str:
    return f'<{name} count="{len(values)}">{" ".join(f"{v:.15e}" for v in values)}</{name}>'


def moment(time: float) -> str:
    return str(START + np.timedelta64(round(time * 1e6), "us"))


def seen(geometry: Imaged, **changes) -> Scene:
    """Return the scene of a geometry, with its ground control points at their height; all else as in `Scene`."""
    scene = Scene(
        shape=geometry.shape, ground=geometry.ground, crs=DEGREES, spacing=geometry.spacing, noise="none", flat=True,
        polarisations=("VV",), seconds=geometry.interval * (geometry.shape[0] - 1), geometry=geometry,
    )  # fmt: skip
    return replace(scene, **changes)


def write_dem(path, heights, corner, step, crs=DEGREES, **profile):
    """Write a raster of heights, whose upper left corner is (west, north)."""
    heights = np.asarray(heights)
    settings = {
        "driver": "GTiff", "count": 1, "height": heights.shape[0], "width": heights.shape[1],
        "dtype": heights.dtype, "crs": crs, "transform": rasterio.transform.from_origin(*corner, step, step),
        **profile,
    }  # fmt: skip
    with rasterio.open(path, "w", **settings) as file:
        file.write(heights, 1)
    return path
