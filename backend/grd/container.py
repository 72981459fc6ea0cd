"""Read the files of a product from a folder or a zip: XML as bytes, images by their GDAL name."""

from __future__ import annotations

import re
import zipfile
import zlib
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath

from backend.core.errors import InputError
from backend.core.regular_file import NOT_A_FILE, is_special
from backend.grd.damage import DamagedProductError

MANIFEST = "manifest.safe"
# Annotations of real products have a few MiB at most.
MAX_BYTES = 8 * 2**20
_ZIP = "/vsizip/"
# Parts of a file's name: kind of table, mode, polarisation, ending.
_LONG = re.compile(r"^((?:calibration-|noise-)?)s1[a-z]-([a-z0-9]+)-grd-([vh]{2})-[-0-9a-z]+(\.[a-z]+)$")


class Container:
    """Open a folder that holds manifest.safe, or a zip of such a folder.

    Args:
        path: Folder or zip file.
        inside: Folder inside the zip, ending in "/" or empty; None for a folder on disk.
    """

    def __init__(self, path: Path, inside: str | None = None) -> None:
        self.path, self._inside = path, inside

    @property
    def name(self) -> str:
        """Return the name of the product, such as S1A_IW_GRDH_….SAFE."""
        return PurePosixPath(self._inside).name if self._inside else self.path.resolve().name

    def read(self, href: str) -> bytes:
        """Read a file named in the manifest.

        Raises:
            InputError: It is missing, unreadable, or larger than MAX_BYTES.
        """
        inner = self._named(href)
        try:
            data = self._zipped(inner) if self._inside is not None else self._plain(inner)
        except (FileNotFoundError, KeyError) as error:
            raise DamagedProductError(f"{self.path} lacks {inner}, which its manifest names.") from error
        # zipfile raises these for damage, passwords and unknown compression.
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
            raise DamagedProductError(f"{inner} in {self.path} can't be read: {error}.") from error
        if len(data) > MAX_BYTES:
            raise DamagedProductError(
                f"{inner} in {self.path} has more than {MAX_BYTES >> 20} MiB; no Sentinel-1 annotation is that large."
            )
        return data

    def gdal_name(self, href: str) -> str:
        """Return the name by which GDAL opens an image named in the manifest. The image itself may be missing.

        Raises:
            InputError: The name leads outside the product.
        """
        inner = self._named(href)
        if self._inside is None:
            return str(self.path / inner)
        return f"{_ZIP}{{{self.path.resolve().as_posix()}}}/{self._inside}{inner}"

    def size(self, href: str) -> int | None:
        """Return the bytes of a file named in the manifest; None if it is missing."""
        inner = self._named(href)
        with suppress(OSError, zipfile.BadZipFile, NotImplementedError):
            if self._inside is None:
                return (self.path / inner).stat().st_size
            return self._sizes.get(f"{self._inside}{inner}")
        return None

    def _named(self, href: str) -> str:
        """Return the path of a file of the manifest, or of its short name, under which some archives keep it."""
        inner = inner_path(href, self.path)
        short = _short(inner)
        return short if not self._holds(inner) and self._holds(short) else inner

    def _holds(self, inner: str) -> bool:
        if self._inside is None:
            return (self.path / inner).exists()
        with suppress(OSError, zipfile.BadZipFile, NotImplementedError):
            return f"{self._inside}{inner}" in self._sizes
        return False

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Return the sizes in bytes of the files in the zip."""
        with zipfile.ZipFile(self.path) as archive:
            return {item.filename: item.file_size for item in archive.infolist()}

    def _plain(self, inner: str) -> bytes:
        if is_special(self.path / inner):
            raise OSError(NOT_A_FILE)
        with open(self.path / inner, "rb") as file:
            return file.read(MAX_BYTES + 1)

    def _zipped(self, inner: str) -> bytes:
        # Read up to the limit; the size that the zip states may be forged.
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{self._inside}{inner}") as file:
            return file.read(MAX_BYTES + 1)


def _short(inner: str) -> str:
    """Return "annotation/iw-vv.xml" for "annotation/s1a-iw-grd-vv-….xml", as archives in clouds name files."""
    path = PurePosixPath(inner)
    return str(path.with_name(_LONG.sub(r"\1\2-\3\4", path.name)))


def inner_path(href: str, product: Path) -> str:
    """Return a path of the manifest ("./annotation/a.xml") relative to the product.

    Raises:
        InputError: It leads outside the product.
    """
    path = PurePosixPath(href)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in href or ":" in href or "\0" in href:
        raise DamagedProductError(f"The manifest of {product} names {href!r}, which is outside the product.")
    return str(path)


def find_container(path: str) -> Container | None:
    """Return the product at a path to its folder, its manifest.safe or its zip; None if it is something else.

    Raises:
        InputError: The zip holds several products.
    """
    if path.startswith(_ZIP):
        return _by_gdals_name(path[len(_ZIP) :])
    target = Path(path)
    with suppress(OSError, ValueError):
        if target.name.lower() == MANIFEST and target.is_file():
            target = target.parent
        if target.is_dir():
            return Container(target) if (target / MANIFEST).is_file() else None
        if target.suffix.lower() == ".zip" and target.is_file() and zipfile.is_zipfile(target):
            return _in_zip(target)
    return None


def is_product(path: str) -> bool:
    """Return whether a path is the folder, the manifest.safe or the zip of a product."""
    return find_container(path) is not None


def refuse_part(path: str) -> None:
    """Refuse a single image of a product: it holds digital numbers, and its calibration tables are other files.

    Raises:
        InputError: The path is such an image, or GDAL's name of one.
    """
    folder, name, _ = path.replace("\\", "/").rpartition("/measurement/")
    if path.upper().startswith("SENTINEL1_CALIB:"):
        whole = "the manifest.safe, the folder or the zip of the product"
    elif name and is_product(folder):
        whole = f"{folder}/{MANIFEST}"
    else:
        return
    raise InputError(
        f"{path} is one file of a Sentinel-1 product; it is neither calibrated nor on a map grid.",
        f"Give {whole} instead, or calibrate that first: `python -m backend calibrate`, in QGIS Calibrate Sentinel-1 "
        "GRD (sardino:calibrate).",
    )


def _in_zip(path: Path) -> Container | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return None
    found = [n[: -len(MANIFEST)] for n in names if PurePosixPath(n).name == MANIFEST and n.count("/") <= 1]
    if len(found) > 1:
        raise InputError(
            f"{path} holds {len(found)} products: {', '.join(f.rstrip('/') for f in found[:3])}.",
            "Unpack it and give one of them.",
        )
    return Container(path, found[0]) if found else None


def _by_gdals_name(path: str) -> Container | None:
    """Find a zip by GDAL's name of its content: "a.zip", "{a.zip}/b.SAFE", "a.zip/b.SAFE/manifest.safe"."""
    path = path.replace("{", "").replace("}", "")
    end = path.lower().find(".zip") + len(".zip")
    found = find_container(path[:end]) if end >= len(".zip") else None
    if found is None or found._inside is None:
        return None
    folder = found._inside.rstrip("/")
    meant = path[end:].strip("/")
    return found if meant in ("", folder, f"{found._inside}{MANIFEST}") else None
