"""Calibration of Sentinel-1 GRD agrees with xarray-sentinel and with the formula, and keeps nodata."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from backend.grd.border_noise import RUN, border_length
from backend.grd.calibrated_image import CalibratedImage
from backend.grd.product import open_product
from backend.grd.tables import Table, Vector
from tests.support.make_safe import Scene, make_safe, simulated

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def read(folder, quantity="sigma0", polarisations=("VV",), step=70):
    """Read all lines, in pieces that don't fit any block."""
    with CalibratedImage(open_product(str(folder)), quantity, polarisations) as image:
        parts = [image.read(top, min(top + step, image.height)) for top in range(0, image.height, step)]
        return np.concatenate(parts, axis=1), image


def numbers_of(folder, polarisation="vv"):
    (path,) = (folder / "measurement").glob(f"*-{polarisation}-*.tiff")
    with rasterio.open(path) as file:
        return file.read(1).astype(float)


# Values of xarray-sentinel 0.9.6 (calibrate_intensity on its open_calibration_dataset) for the product of `hundred`, by
# line and sample: sigma0, gamma0. GDAL's SAFE driver calibrates SLC products only.
XARRAY_SENTINEL = {
    (0, 0): (2.6014566e-02, 3.1887755e-02),
    (0, 259): (3.6243945e-02, 3.7692528e-02),
    (199, 0): (2.5279056e-02, 3.0891865e-02),
    (199, 259): (3.5039041e-02, 3.6415301e-02),
    (25, 130): (3.1060515e-02, 3.5278518e-02),
    (57, 86): (2.9156812e-02, 3.4018654e-02),
    (101, 33): (2.6896486e-02, 3.2336965e-02),
    (150, 173): (3.2116365e-02, 3.5429515e-02),
    (120, 241): (3.4851227e-02, 3.6698226e-02),
}


def hundred(line, sample):
    return np.full(line.shape, 100.0)


@pytest.mark.parametrize("quantity", ["sigma0", "gamma0"])
def test_agrees_with_an_independent_implementation(tmp_path, quantity):
    values, image = read(make_safe(tmp_path, Scene(noise="none", numbers=hundred)), quantity, ["VV", "VH"])
    for (line, sample), wanted in XARRAY_SENTINEL.items():
        power = wanted[("sigma0", "gamma0").index(quantity)]
        for ours, theirs in zip(values[:, line, sample], (power, power / 4)):
            assert abs(10 * np.log10(ours / theirs)) < 1e-5
    assert not image.denoised and image.notes[0][0] == "warning"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_gdals_driver_knows_the_products_of_these_tests(tmp_path):
    folder = make_safe(tmp_path)
    with rasterio.open(f"SENTINEL1_CALIB:UNCALIB:{folder}/manifest.safe:IW_VV:AMPLITUDE") as file:
        assert np.array_equal(file.read(1), numbers_of(folder)) and len(file.gcps[0]) == 54
        assert file.tags()["MODE"] == "IW" and file.tags(1)["POLARIZATION"] == "VV"


def test_tables_differ_by_quantity_line_and_sample(tmp_path):
    """Otherwise the comparison with xarray-sentinel would prove little."""
    folder = make_safe(tmp_path, Scene(noise="none", numbers=hundred))
    sigma, gamma = (read(folder, q)[0][0] for q in ("sigma0", "gamma0"))
    assert (np.abs(sigma / gamma - 1) > 0.01).mean() > 0.9
    assert abs(10 * np.log10(sigma[0, 0] / sigma[0, -1])) > 0.5 and abs(10 * np.log10(sigma[0, 0] / sigma[-1, 0])) > 0.1


def expected_noise(scene, line, sample):
    """Interpolate bilinearly between the vectors of make_safe, times the factor of the block; point by point."""
    third = scene.shape[1] // 3

    def vector(number):
        at = np.array(sorted({*scene.samples(11 + number), third, third + 1}))
        level = scene.noise_level * np.where(at > third, 1.3, 1.0) * (1 + 0.2 * np.cos(at / 30) + 0.02 * number)
        return np.interp(sample, at, level)

    lines = scene.lines(4)
    after = next(n for n in range(1, 4) if lines[n] >= line)
    part = (line - lines[after - 1]) / (lines[after] - lines[after - 1])
    value = (1 - part) * vector(after - 1) + part * vector(after)
    if scene.noise == "single":
        return value
    swath = next(n for n in range(3) if sample < scene.shape[1] * (n + 1) // 3)
    half = scene.shape[0] // 2 + swath
    top, bottom = (0, half) if line <= half else (half + 1, scene.shape[0] - 1)
    at = sorted({*range(top, bottom + 1, 12 + swath), bottom})
    return value * np.interp(line, at, [1 + 0.15 * np.sin(n / 9 + swath) for n in at])


@pytest.mark.parametrize("noise", ["range and azimuth", "single"])
def test_noise_is_subtracted_before_the_calibration(tmp_path, noise):
    scene = Scene(noise=noise, numbers=lambda line, sample: np.full(line.shape, 60.0), processor="002.72", flat=True)
    values, image = read(make_safe(tmp_path, scene))
    assert image.denoised
    for line, sample in (
        (0, 0),
        (57, 40),
        (57, 86),
        (57, 87),
        (101, 100),
        (102, 100),
        (103, 259),
        (199, 259),
        (150, 173),
    ):
        wanted = (3600 - expected_noise(scene, line, sample)) / 500**2
        assert values[0, line, sample] == pytest.approx(wanted, rel=1e-5), (line, sample)


def test_noise_that_was_removed_is_not_removed_again(tmp_path):
    values, image = read(make_safe(tmp_path, Scene(denoised=True, flat=True)))
    numbers = simulated(*np.mgrid[:200, :260]).round()
    there = np.isfinite(values[0])
    assert image.denoised and np.allclose(values[0][there], numbers[there] ** 2 / 500**2, rtol=1e-5)


def test_the_mean_without_echo_is_zero(tmp_path):
    """Clipping each sample at 0 would leave 40 % of the noise behind."""

    scene = Scene(shape=(60, 80), flat=True)
    noise = np.array([[expected_noise(scene, line, sample) for sample in range(80)] for line in range(60)])
    speckle = np.random.default_rng(1).gamma(4.4, 1 / 4.4, noise.shape)
    scene.numbers = lambda line, sample: np.sqrt(noise * speckle)
    values = read(make_safe(tmp_path, scene))[0] * 500**2
    # A standard error is 1100 / sqrt(4.4 * 4800) = 8; rounding of digital numbers adds 1/12.
    assert abs(values.mean()) < 20 and np.clip(values, 0, None).mean() > 150


@pytest.mark.parametrize(
    ("processor", "mode", "factor"),
    [
        ("002.34", "IW", 75088.7 * 474**2),
        ("002.20", "EW", 56065.87 * 474),
        ("002.50", "IW", 1.0),
        ("002.20", "SM", None),
    ],
)
def test_noise_of_the_first_processors_is_on_another_scale(tmp_path, processor, mode, factor):
    level = 100.0 / (factor or 1)
    scene = Scene(noise="single", noise_level=level, processor=processor, mode=mode,
                  numbers=lambda line, sample: np.full(line.shape, 60.0))  # fmt: skip
    folder = make_safe(tmp_path, scene)
    values, image = read(folder)
    without, _ = read(make_safe(tmp_path / "other", Scene(**{**vars(scene), "noise": "none"})))
    ratio = (1 - expected_noise(Scene(**{**vars(scene), "noise_level": 100.0}), 0, 0) / 3600) if factor else 1
    assert values[0, 0, 0] / without[0, 0, 0] == pytest.approx(ratio, rel=1e-4) and image.denoised == bool(factor)


def test_digital_numbers_of_zero_are_nodata(tmp_path):
    values, _ = read(make_safe(tmp_path), polarisations=["VV", "VH"])
    numbers = numbers_of(tmp_path / Scene().name)
    assert np.array_equal(np.isnan(values[0]), numbers == 0) and 0 < np.isnan(values[0]).mean() < 0.2


def old_scene(line, sample):
    """Low values, but not 0, beyond slanting sides and before the first lines; calm lakes at the side and inside."""
    rng = np.random.default_rng(2)
    speckle = np.sqrt(rng.gamma(4.4, 1 / 4.4, line.shape))
    level = np.full(line.shape, 120.0)
    level[(line > 80) & (line < 110)] = 36.0  # a lake at the level of the noise, from side to side
    beyond = (sample < 10 + line // 20) | (sample > 245) | (line < 8)
    return np.where(beyond, 6.0, level * speckle), beyond


def test_border_noise_is_masked_and_calm_water_is_not(tmp_path):
    scene = Scene(noise="single", processor="002.72", numbers=lambda line, sample: old_scene(line, sample)[0])
    values, image = read(make_safe(tmp_path, scene), polarisations=["VV", "VH"], step=33)
    masked, (_, beyond) = np.isnan(values), old_scene(*np.mgrid[:200, :260])
    assert np.array_equal(masked[0], masked[1])
    assert masked[0][beyond].all()
    inside, lake = masked[0] & ~beyond, np.zeros_like(beyond)
    lake[81:110] = True
    assert not inside[~lake].any()
    # Over the lake, which is as dark as the border, some more samples are masked at the side.
    assert inside[lake].mean() < 0.1 and not inside[:, 100:180].any()
    assert any("older" in message for _, message in image.notes)


def test_newer_products_keep_low_values_at_the_sides(tmp_path):
    scene = Scene(numbers=lambda line, sample: old_scene(line, sample)[0])
    assert np.isfinite(read(make_safe(tmp_path, scene))[0]).all()


def test_the_border_ends_with_the_first_run():
    signal = np.zeros((20, 4), bool)
    signal[3 : 3 + RUN - 1, 0] = signal[10:, 0] = True  # too short a run first
    signal[:, 1] = True
    signal[-RUN:, 2] = True
    assert border_length(signal).tolist() == [10, 0, 20 - RUN, 20]
    assert border_length(np.ones((RUN - 1, 2), bool)).tolist() == [RUN - 1] * 2


def test_table_between_and_beyond_its_vectors():
    def vector(line, *values):
        return Vector(line, np.array([0.0, 4.0]), np.array(values))

    table = Table([vector(10, 3, 7), vector(2, 1, 5), vector(2, 9, 9)], 6)
    assert table.rows(0, 3)[:, 0].tolist() == [1, 1, 1] and table.rows(6, 7)[0].tolist() == [2, 3, 4, 5, 6, 6]
    assert np.array_equal(table.rows(10, 14), np.tile(table.rows(10, 11), (4, 1)))
    assert Table([vector(5, 1, 5)], 3).rows(0, 2).tolist() == [[1, 2, 3]] * 2
