"""Read the manifest of a Sentinel-1 product: type, polarisations and their files.

Structure and names are those of the Sentinel-1 Product Specification (S1-RS-MDA-52-7441).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from backend.core.errors import InputError
from backend.grd.container import MANIFEST, Container, find_container
from backend.grd.damage import DamagedProductError
from backend.grd.xml import Annotation
from backend.raster.foreign import product_inside

# Kind of annotation file by its schema in the manifest.
_SCHEMAS = {
    "s1Level1ProductSchema": "annotation",
    "s1Level1CalibrationSchema": "calibration",
    "s1Level1NoiseSchema": "noise",
}
SPACING = (1.0, 1000.0)  # metres: products have 3.5 to 40, and all pixels of a map are means of such samples
_CO_POLARISED = ("VV", "HH")
_OTHER_TYPES = {
    "SLC": "Download the GRD product of the scene instead, or detect and calibrate this one in SNAP.",
    "RAW": "Download the GRD product of the scene instead.",
    "OCN": "Download the GRD product of the scene instead.",
}


@dataclass(frozen=True)
class Channel:
    """Hold one polarisation.

    Attributes:
        polarisation: Such as "VV".
        measurement: Name by which GDAL opens the digital numbers.
        size: Bytes of that file; None if it is missing.
        annotation: Geometry and processing.
        container: Holds the tables.
        calibration: Name of the calibration tables in the manifest.
        noise: Name of the noise tables in the manifest; None if the product has none.
    """

    polarisation: str
    measurement: str
    size: int | None
    annotation: Annotation
    container: Container
    calibration: str
    noise: str | None

    @property
    def shape(self) -> tuple[int, int]:
        """Return the numbers of lines and samples."""
        image = "imageAnnotation/imageInformation/"
        return self.annotation.whole(image + "numberOfLines"), self.annotation.whole(image + "numberOfSamples")

    @property
    def spacings(self) -> tuple[float, float]:
        """Return the spacing on the ground between samples (range) and between lines (azimuth), in metres.

        Raises:
            InputError: A spacing is outside SPACING.
        """
        names = ("rangePixelSpacing", "azimuthPixelSpacing")
        across, along = (self.annotation.numbers(f"imageAnnotation/imageInformation/{name}")[0] for name in names)
        if not all(SPACING[0] <= spacing <= SPACING[1] for spacing in (across, along)):
            raise DamagedProductError(
                f"{self.annotation.name} has a pixel spacing of {across:g} x {along:g} m; that of products is "
                f"{SPACING[0]:g} to {SPACING[1]:g} m."
            )
        return float(across), float(along)

    @property
    def spacing(self) -> float:
        """Return the shorter of both spacings, in metres."""
        return min(self.spacings)

    @property
    def denoised(self) -> bool:
        """Return whether the processor has removed thermal noise."""
        path = "imageAnnotation/processingInformation/thermalNoiseCorrectionPerformed"
        return self.annotation.text(path, "false").lower() == "true"

    def table(self, href: str) -> Annotation:
        """Read a file of tables."""
        return Annotation.parse(self.container.read(href), href)


@dataclass(frozen=True)
class Product:
    """Hold a GRD product.

    Attributes:
        path: Folder or zip.
        name: Such as S1A_IW_GRDH_….SAFE.
        processor: Version of the Instrument Processing Facility, such as 3.31; None if the manifest states none.
        channels: One for each polarisation, co-polarised first.
        left_out: Polarisations that the manifest names, but of which no file is there.
    """

    path: Path
    name: str
    processor: float | None
    channels: tuple[Channel, ...]
    left_out: tuple[str, ...] = ()

    @cached_property
    def polarisations(self) -> tuple[str, ...]:
        """Return the polarisations in the order of the channels."""
        return tuple(channel.polarisation for channel in self.channels)

    @property
    def mode(self) -> str:
        """Return the mode: IW, EW or S1 to S6."""
        return self.channels[0].annotation.text("adsHeader/mode")

    @property
    def start(self) -> str:
        """Return the time of the first line, UTC, ISO 8601."""
        return self.channels[0].annotation.text("adsHeader/startTime", "unknown")


def open_product(path: str) -> Product:
    """Read the manifest and the annotation of each polarisation, but no pixels.

    Raises:
        InputError: The path is not a product, not of type GRD, or the product is incomplete.
    """
    container = find_container(path)
    if container is None:
        raise product_inside(path) or InputError(
            f"{path} is not a Sentinel-1 product: it has no {MANIFEST}.",
            "Give the .SAFE folder, its manifest.safe, or the zip as downloaded.",
        )
    manifest = Annotation.parse(container.read(MANIFEST), f"{MANIFEST} of {path}")
    _check_type(manifest, path)
    images = _files(manifest)
    there = [image for image in images if any(container.size(href) is not None for href in _parts(*image))]
    # Without any file at all, the first one that is missing is named.
    channels = [_channel(container, *image) for image in there or images]
    if not channels:
        raise DamagedProductError(f"The manifest of {path} names no images.")
    names = [channel.polarisation for channel in channels]
    if len(set(names)) < len(names):
        raise InputError(
            f"{path} has several images of one polarisation ({', '.join(names)}); a GRD product has one of each.",
            "Give a GRD product of mode IW, EW or SM.",
        )
    channels.sort(key=lambda channel: channel.polarisation not in _CO_POLARISED)
    if len({channel.shape for channel in channels}) > 1:
        raise DamagedProductError(f"The images of {path} differ in size.")
    left_out = [_polarisation(image[0]) for image in images if there and image not in there]
    return Product(container.path, container.name, _processor(manifest), tuple(channels), tuple(left_out))


def _check_type(manifest: Annotation, path: str) -> None:
    if "/sentinel-1/" not in manifest.element.get("version", "").lower():
        raise InputError(f"{path} is not a Sentinel-1 product.", "Give a Sentinel-1 GRD product.")
    kind = (manifest.element.findtext(".//{*}productType") or "unknown").strip().upper()
    if kind != "GRD":
        raise InputError(
            f"{path} is a Sentinel-1 product of type {kind}; type GRD is wanted.",
            _OTHER_TYPES.get(kind, "Give a Sentinel-1 GRD product."),
        )


def _processor(manifest: Annotation) -> float | None:
    for software in manifest.element.iter("{http://www.esa.int/safe/sentinel-1.0}software"):
        if "IPF" in software.get("name", ""):
            try:
                return float(software.get("version", ""))
            except ValueError:
                return None
    return None


def _files(manifest: Annotation) -> list[tuple[str, dict[str, str]]]:
    """Return, for each image, its name and the names of its annotation files by kind."""
    objects, pointers = {}, {}
    for item in manifest.element.iter("dataObject"):
        location = item.find("byteStream/fileLocation")
        if location is not None:
            objects[item.get("ID", "")] = (item.get("repID", ""), location.get("href", ""))
    for item in manifest.element.iter("metadataObject"):
        pointer = item.find("dataObjectPointer")
        if pointer is not None:
            pointers[item.get("ID", "")] = pointer.get("dataObjectID", "")
    found = []
    for unit in manifest.element.iter("{urn:ccsds:schema:xfdu:1}contentUnit"):
        pointer = unit.find("dataObjectPointer")
        if unit.get("repID") != "s1Level1MeasurementSchema" or pointer is None:
            continue
        described = [objects.get(pointers.get(name, ""), ("", "")) for name in unit.get("dmdID", "").split()]
        files = {_SCHEMAS[schema]: href for schema, href in described if schema in _SCHEMAS}
        found.append((objects.get(pointer.get("dataObjectID", ""), ("", ""))[1], files))
    return found


def _parts(measurement: str, files: dict[str, str]) -> list[str]:
    """Return the names of the files without which an image can't be used, as far as the manifest has them."""
    return list(filter(None, (measurement, files.get("annotation"), files.get("calibration"))))


def _polarisation(measurement: str) -> str:
    """Return the polarisation in the name of an image, such as "VH"; the name itself if it has none."""
    found = re.search(r"-(vv|vh|hh|hv)[-.]", measurement)
    return found.group(1).upper() if found else measurement


def _channel(container: Container, measurement: str, files: dict[str, str]) -> Channel:
    missing = [kind for kind in ("annotation", "calibration") if not files.get(kind)]
    if missing or not measurement:
        missing_parts = " and no ".join(missing) or "image"
        raise DamagedProductError(
            f"The manifest of {container.path} names no {missing_parts} for {measurement or files['annotation']}."
        )
    annotation = Annotation.parse(container.read(files["annotation"]), files["annotation"])
    return Channel(
        polarisation=annotation.text("adsHeader/polarisation").upper(),
        measurement=container.gdal_name(measurement),
        size=container.size(measurement),
        annotation=annotation,
        container=container,
        calibration=files["calibration"],
        noise=files.get("noise"),
    )
