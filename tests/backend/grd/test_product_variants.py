"""Products of all variants are read, or refused by what is wrong; their geolocation grids come back to their samples.

Simulated products always run. Annotation of real ones is looked for in the folder grd_annotation of SARDINO_REAL_DATA,
or else of ../shared/data beside this checkout.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from backend.core.errors import InputError
from backend.grd.calibrated_image import CalibratedImage
from backend.grd.map_plan import plan_map
from backend.grd.product import open_product
from backend.grd.tables import QUANTITIES, calibration_table, noise_table
from backend.grd.terrain.range_doppler import RangeDoppler
from tests.support.make_safe import NAME, Scene, make_safe, zip_safe
from tests.support.mountain import DESCENDING
from tests.support.safe.orbit import Imaged, seen

ROOT = Path(__file__).parents[3]
REAL = Path(os.environ.get("SARDINO_REAL_DATA") or ROOT.parent / "shared/data") / "grd_annotation"
# Lines and samples by which a point of the geolocation grid may be missed.
LINE, SAMPLE = 0.3, 0.05


def missed(channel):
    """Return by how many samples and lines the points of the geolocation grid are missed, [n, 2], and their lines."""
    points = channel.annotation.all("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    names = ("longitude", "latitude", "height", "pixel", "line")
    table = np.array([[float(point.numbers(name)[0]) for name in names] for point in points])
    found = RangeDoppler(channel).positions(table[:, :2], table[:, 2]) - 0.5
    return found - table[:, 3:], table[:, 4]


def read_whole(path):
    """Open a product as a run does, up to its first pixels; return it, its values and the notes."""
    product = open_product(str(path))
    plan_map(product.channels[0], 40, None)
    with CalibratedImage(product, "gamma0", product.polarisations) as image:
        return product, image.read(0, 10), image.notes


def shortened(folder):
    """Give the files of a product the short names of archives in clouds, and the folder one without .SAFE."""
    for path in sorted(folder.rglob("*-grd-*")):
        path.rename(path.with_name(re.sub(r"s1a-(\w+)-grd-(\w\w)-[-\w]+", r"\1-\2", path.name)))
    return folder.rename(folder.with_suffix(""))


@pytest.mark.parametrize(
    "changes",
    [
        {"processor": "002.36", "noise": "single", "noise_level": 5e-8},
        {"processor": "002.70", "noise": "single"},
        {"mode": "EW", "polarisations": ("HV", "HH"), "spacing": 40.0, "name": NAME.replace("IW_GRDH", "EW_GRDM")},
        {"mode": "S4", "polarisations": ("HH", "HV"), "processor": "003.90", "name": NAME.replace("S1A_IW", "S1C_S4")},
        {"polarisations": ("VV",), "noise": "none"},
    ],
)
def test_variants_are_read_under_long_and_short_names(tmp_path, changes):
    folder = make_safe(tmp_path, Scene(shape=(60, 80), **changes))
    first, values, _ = read_whole(folder)
    renamed = shortened(folder)
    for path in (renamed, renamed / "manifest.safe", zip_safe(renamed, tmp_path / "short.zip")):
        again, same, _ = read_whole(path)
        assert again.polarisations == first.polarisations and np.array_equal(same, values, equal_nan=True)
        assert again.name == first.name.removesuffix(".SAFE")
    assert np.isfinite(values).any() and first.polarisations[0] in ("VV", "HH")


@pytest.mark.parametrize("kind", ["single", "range and azimuth"])
def test_noise_tables_of_zeros_count_as_none(tmp_path, kind):
    folder = make_safe(tmp_path, Scene(shape=(60, 80), noise=kind, noise_level=0.0, processor="002.36"))
    product, _, notes = read_whole(folder)
    assert noise_table(product, product.channels[0]) is None
    assert any("noise is not removed" in message for _, message in notes)


@pytest.mark.parametrize(("content", "word"), [(None, "missing"), (b"", r"empty \(0 bytes\)"), (b"II*", "as GeoTIFF")])
@pytest.mark.parametrize("packed", [False, True])
def test_absent_and_empty_images_are_told_apart(tmp_path, content, word, packed):
    folder = make_safe(tmp_path, Scene(shape=(20, 30)))
    (image,) = folder.glob("measurement/*-vv-*")
    image.unlink()
    if content is not None:
        image.write_bytes(content)
    path = zip_safe(folder, tmp_path / "a.zip") if packed else folder
    with pytest.raises(InputError, match=word):
        read_whole(path)


def test_a_polarisation_of_which_nothing_is_there_is_left_out(tmp_path, cli):
    folder = make_safe(tmp_path, Scene(shape=(60, 80)))
    for path in folder.rglob("*-vh-*"):
        path.unlink()
    product, values, notes = read_whole(folder)
    assert product.polarisations == ("VV",) and product.left_out == ("VH",) and len(values) == 1
    assert any(level == "warning" and "VH too" in message for level, message in notes)
    code, out, _ = cli("info", folder)
    assert code == 0 and "left_out: VH" in out
    shutil.rmtree(folder / "annotation")
    for path in folder.rglob("*-vv-*"):
        path.unlink()
    with pytest.raises(InputError, match="lacks annotation/s1a-iw-grd-v"):
        open_product(str(folder))


@pytest.mark.parametrize("jump", [0.0, 60.0])
@pytest.mark.parametrize("geometry", [DESCENDING, Imaged(height=1500.0)])
def test_simulated_grids_come_back(tmp_path, geometry, jump):
    made = Imaged(**{**geometry.__dict__, "jump": jump})
    (channel,) = open_product(str(make_safe(tmp_path, seen(made)))).channels
    apart, _ = missed(channel)
    assert np.abs(apart[:, 0]).max() < 0.01 and np.abs(apart[:, 1]).max() < 0.02


@pytest.mark.skipif(not REAL.is_dir(), reason="no annotation of real products here; simulated ones run above")
def test_real_grids_come_back():
    paths = sorted(REAL.glob("*.zip"))
    assert paths
    for path in paths:
        product = open_product(str(path))
        for channel in product.channels:
            apart, lines = missed(channel)
            across, along = np.abs(apart).T
            if (product.processor or 0) < 2.7:
                # Times of the orbit are rounded to milliseconds, and the conversion of the last block is missing.
                across, (line, sample) = across[lines < lines.max()], (0.5, SAMPLE)
            else:
                line, sample = LINE, SAMPLE
            assert along.max() < line and across.max() < sample, (product.name, along.max(), across.max())
            for quantity in QUANTITIES:
                assert 100 < calibration_table(channel, quantity).rows(5, 6).min()


@pytest.mark.skipif(not REAL.is_dir(), reason="no annotation of real products here; simulated ones run above")
def test_real_products_without_images_are_refused_by_that():
    for path in sorted(REAL.glob("*.zip")):
        with pytest.raises(InputError, match="The image of (VV|HH) is missing"):
            read_whole(path)
