"""Products are found by folder, manifest and zip; damaged, foreign and hostile ones are refused."""

from __future__ import annotations

import shutil
import zipfile

import pytest

from backend.core.errors import InputError
from backend.grd import container
from backend.grd.calibrated_image import CalibratedImage
from backend.grd.container import find_container, inner_path, is_product, refuse_part
from backend.grd.map_plan import plan_map
from backend.grd.product import open_product
from backend.grd.xml import Annotation
from tests.support.make_safe import NAME, Scene, make_safe, zip_safe


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make_safe(tmp_path_factory.mktemp("whole"), Scene(shape=(40, 50)))


@pytest.fixture
def product(whole, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(whole, tmp_path / NAME)


def edit(product, pattern, old, new):
    (path,) = product.glob(pattern)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def open_all(path):
    """Open a product as a run does, up to the first pixels."""
    found = open_product(str(path))
    plan_map(found.channels[0], 10, None)
    with CalibratedImage(found, "gamma0", found.polarisations) as image:
        return image.read(0, 10)


def test_folder_manifest_and_zip_are_one_product(whole, tmp_path):
    packed = zip_safe(whole, tmp_path / "any name.zip")
    inside = f"/vsizip/{packed}/{NAME}/manifest.safe"
    flat = tmp_path / "flat.zip"
    with zipfile.ZipFile(flat, "w") as archive:
        for path in whole.rglob("*"):
            archive.write(path, path.relative_to(whole))
    for path in (whole, whole / "manifest.safe", packed, inside, f"/vsizip/{packed}", f"/vsizip/{{{packed}}}/{NAME}"):
        found = open_product(str(path))
        assert is_product(str(path)) and found.name == NAME
        assert found.polarisations == ("VV", "VH") and found.processor == 3.31 and found.mode == "IW"
        assert [c.measurement.rsplit("/")[-1][:13] for c in found.channels] == ["s1a-iw-grd-vv", "s1a-iw-grd-vh"]
        assert (open_all(path) > 0).any()
    assert open_product(str(flat)).polarisations == ("VV", "VH") and (open_all(flat) > 0).any()


def test_other_paths_are_not_products(whole, tmp_path, sample_scene):
    (tmp_path / "empty.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "manifest.safe").mkdir()
    for path in (tmp_path, tmp_path / "empty.zip", tmp_path / "text.zip", sample_scene, tmp_path / "none", "",
                 "NETCDF:a.nc:vv", "a\0b", "/vsizip/none", tmp_path / "manifest.safe"):  # fmt: skip
        assert not is_product(str(path)), path
        with pytest.raises(InputError, match="not a Sentinel-1 product"):
            open_product(str(path))


def test_a_zip_of_several_products_is_refused(whole, tmp_path):
    packed = tmp_path / "two.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("A.SAFE", "B.SAFE"):
            archive.write(whole / "manifest.safe", f"{name}/manifest.safe")
    with pytest.raises(InputError, match="2 products"):
        open_product(str(packed))


@pytest.mark.parametrize("kind", ["SLC", "RAW", "OCN", "XYZ"])
def test_other_types_are_refused_with_a_hint(tmp_path, kind):
    with pytest.raises(InputError, match=f"type {kind}; type GRD is wanted") as refusal:
        open_product(str(make_safe(tmp_path, Scene(shape=(20, 30), kind=kind))))
    assert "GRD" in refusal.value.hint


def test_a_product_of_another_mission_is_refused(product):
    edit(product, "manifest.safe", "sentinel-1/sar/level-1/grd", "sentinel-2/msi")
    with pytest.raises(InputError, match="not a Sentinel-1 product"):
        open_product(str(product))


def test_one_polarisation_without_noise_is_enough(tmp_path):
    found = open_product(str(make_safe(tmp_path, Scene(shape=(20, 30), polarisations=("HH",), noise="none"))))
    assert found.polarisations == ("HH",) and found.channels[0].noise is None


@pytest.mark.parametrize(
    "part",
    ["measurement/*-vv-*", "annotation/*-vv-*", "annotation/calibration/calibration-*-vv-*",
     "annotation/calibration/noise-*-vv-*"],
)  # fmt: skip
def test_a_missing_file_is_named(product, tmp_path, part):
    (path,) = product.glob(part)
    path.unlink()
    for given in (product, zip_safe(product, tmp_path / "a.zip")):
        with pytest.raises(InputError, match=path.name.replace(".", r"\.")) as refusal:
            open_all(given)
        assert "again" in refusal.value.hint


def test_a_truncated_image_is_refused(product):
    (path,) = product.glob("measurement/*-vv-*")
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(InputError, match="truncated or damaged|GDAL can't open"):
        open_all(product)


@pytest.mark.parametrize(
    ("pattern", "old", "new", "match"),
    [
        ("manifest.safe", "<xfdu:XFDU", "<xfdu:XFDU <", "not XML"),
        ("manifest.safe", "Measurement Data Unit\" repID=\"s1Level1MeasurementSchema", "x\" repID=\"y", "no images"),
        ("manifest.safe", "./annotation/s1a-iw-grd-vv", "../../annotation/s1a-iw-grd-vv", "outside"),
        ("manifest.safe", "./measurement/s1a-iw-grd-vv", "/etc/s1a-iw-grd-vv", "outside"),
        ("annotation/*-vv-*", "<numberOfLines>40", "<numberOfLines>41", "differ in size"),
        ("annotation/*-vv-*", "<numberOfSamples>", "<numberOfSamples>x", "not a number"),
        ("annotation/*-vv-*", "<azimuthPixelSpacing>1", "<azimuthPixelSpacing>0 1", "spacing"),
        ("annotation/*-vv-*", "<polarisation>VV", "<polarisation>VH", "several images"),
        ("annotation/*-vv-*", "<latitude>4.5", "<latitude>9.5", "impossible ground control points"),
        ("annotation/*-vv-*", "e+00</longitude>", "e+01</longitude>", "control points span"),
        ("annotation/*-vv-*", "<pixel>0</pixel>", "<pixel>49</pixel>", "no usable geolocation grid"),
        ("annotation/*-vv-*", "<longitude>9", "<longitude>nan 9", "not finite"),
        ("annotation/*-vv-*", "geolocationGridPoint>", "other>", "no usable geolocation grid"),
        ("annotation/calibration/calibration-*-vv-*", "<gamma count", "<delta count", "not XML"),
        ("annotation/calibration/calibration-*-vv-*", "calibrationVectorList", "other", "no calibrationVectorList"),
        ("annotation/calibration/calibration-*-vv-*", "5.6", "-5.6", "not above 0"),
        ("annotation/calibration/calibration-*-vv-*", "5.6", "inf 5.6", "not finite"),
        ("annotation/calibration/calibration-*-vv-*", "<line>0", "<line>0.5", "not an integer"),
        ("annotation/calibration/noise-*-vv-*", "<pixel count=\"13\">0 ", "<pixel count=\"13\">", "increasing samples"),
        ("annotation/calibration/noise-*-vv-*", "<noiseAzimuthLut", "<noiseAzimuthLut>1</noiseAzimuthLut><", "not XML"),
    ],
)  # fmt: skip
def test_damage_is_refused_with_a_hint(product, pattern, old, new, match):
    edit(product, pattern, old, new)
    with pytest.raises(InputError, match=match) as refusal:
        open_all(product)
    assert refusal.value.hint


BOMB = (
    '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {n} "{f"&{p};" * 20}">' for p, n in zip("abcdefg", "bcdefgh"))
    + "]><product>&h;</product>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_entities_are_refused_in_any_encoding(encoding):
    with pytest.raises(InputError, match="document type|not XML"):
        Annotation.parse(BOMB.encode(encoding), "bomb.xml")


def test_elements_within_elements_do_no_harm():
    depth = container.MAX_BYTES // 7
    assert Annotation.parse(b"<a>" * depth + b"</a>" * depth, "deep.xml").all("a/a")


def test_an_encoding_that_hides_entities_is_ignored():
    hidden = b'<?xml version="1.0" encoding="utf-7"?><p>+ADw-!DOCTYPE x+AD4-</p>'
    assert "DOCTYPE" in Annotation.parse(hidden, "a.xml").text(".")  # plain text only


def test_files_that_are_too_large_are_refused(product, tmp_path, monkeypatch):
    monkeypatch.setattr(container, "MAX_BYTES", 3000)
    packed = zip_safe(product, tmp_path / "a.zip")
    for path in (product, packed):
        with pytest.raises(InputError, match="no Sentinel-1 annotation"):
            open_product(str(path))


def test_a_zip_that_is_damaged_inside_is_refused(product, tmp_path):
    packed = zip_safe(product, tmp_path / "a.zip")
    data = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as archive:
        start = archive.getinfo(f"{NAME}/manifest.safe").header_offset
    data[start + 200 : start + 400] = bytes(200)
    packed.write_bytes(data)
    with pytest.raises(InputError, match="can't be read"):
        open_product(str(packed))


@pytest.mark.parametrize(
    "href", ["/a", "../a", "a/../../b", "a\\b", "C:/a", "", ".", "/vsicurl/http://x", "a:b", "a\0b"]
)
def test_names_that_lead_outside_are_refused(href, tmp_path):
    with pytest.raises(InputError, match="outside"):
        inner_path(href, tmp_path)
    assert inner_path("./annotation/a.xml", tmp_path) == "annotation/a.xml"


def test_parts_are_refused_with_a_hint(whole, tmp_path):
    (image,) = whole.glob("measurement/*-vv-*")
    with pytest.raises(InputError, match="is one file") as refusal:
        refuse_part(str(image))
    assert str(whole / "manifest.safe") in refusal.value.hint and "sardino:calibrate" in refusal.value.hint
    with pytest.raises(InputError, match="is one file"):
        refuse_part(f"SENTINEL1_CALIB:UNCALIB:{whole}/manifest.safe:IW_VV:AMPLITUDE")
    packed = f"/vsizip/{zip_safe(whole, tmp_path / 'a.zip')}"
    inside = f"{packed}/{NAME}/measurement/{image.name}"
    assert is_product(packed) and not is_product(inside) and not is_product(f"{packed}/{NAME}/preview/other.tif")
    with pytest.raises(InputError, match="is one file"):
        refuse_part(inside)
    for path in (whole, whole / "manifest.safe", "/data/measurement/other.tif", "scene.tif"):
        refuse_part(str(path))


def test_an_unreadable_path_is_no_container():
    assert find_container("x" * 5000) is None
