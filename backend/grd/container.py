"""The files of a product, whether it is a folder or a zip: small ones as bytes, images by the name GDAL opens."""

from __future__ import annotations

import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from backend.core.errors import InputError
from backend.grd.damage import DamagedProductError

MANIFEST = "manifest.safe"
# Annotations of real products have at most a few MiB.
MAX_BYTES = 8 * 2**20
_ZIP = "/vsizip/"


class Container:
    """A folder that holds manifest.safe, or a zip of such a folder.

    Args:
        path: Folder, or zip file.
        inside: Folder inside the zip, ending in "/" or empty; None for a folder on the disk.
    """

    def __init__(self, path: Path, inside: str | None = None) -> None:
        self.path, self._inside = path, inside

    @property
    def name(self) -> str:
        """What the product is called, such as S1A_IW_GRDH_….SAFE."""
        return PurePosixPath(self._inside).name if self._inside else self.path.resolve().name

    def read(self, href: str) -> bytes:
        """A small file, named as in the manifest.

        Raises:
            InputError: It isn't there, can't be read, or is larger than such a file can be.
        """
        inner = plain(href, self.path)
        try:
            data = self._zipped(inner) if self._inside is not None else self._plain(inner)
        except (FileNotFoundError, KeyError) as error:
            raise DamagedProductError(f"{self.path} lacks {inner}, which its manifest names.") from error
        # What zipfile says of damage, of passwords, and of ways to pack that it doesn't know.
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
            raise DamagedProductError(f"{inner} in {self.path} can't be read: {error}.") from error
        if len(data) > MAX_BYTES:
            raise DamagedProductError(
                f"{inner} in {self.path} has more than {MAX_BYTES >> 20} MiB, which no annotation of Sentinel-1 has."
            )
        return data

    def gdal_name(self, href: str) -> str:
        """The name under which GDAL opens an image, named as in the manifest; it may be missing.

        Raises:
            InputError: The manifest's name leads outside the product.
        """
        inner = plain(href, self.path)
        if self._inside is None:
            return str(self.path / inner)
        return f"{_ZIP}{{{self.path.resolve().as_posix()}}}/{self._inside}{inner}"

    def _plain(self, inner: str) -> bytes:
        with open(self.path / inner, "rb") as file:
            return file.read(MAX_BYTES + 1)

    def _zipped(self, inner: str) -> bytes:
        # Read up to the bound, whatever size the zip claims to unpack to.
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{self._inside}{inner}") as file:
            return file.read(MAX_BYTES + 1)


def plain(href: str, product: Path) -> str:
    """A relative path as the manifest writes it ("./annotation/a.xml"), checked to stay inside the product.

    Raises:
        InputError: It doesn't.
    """
    path = PurePosixPath(href)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in href or ":" in href or "\0" in href:
        raise DamagedProductError(f"The manifest of {product} names {href!r}, which is not inside the product.")
    return str(path)


def find_container(path: str) -> Container | None:
    """The product that a path means: its folder, its manifest.safe, or its zip; None where it is something else.

    Raises:
        InputError: A zip holds several products.
    """
    if path.startswith(_ZIP):
        return _by_gdals_name(path[len(_ZIP) :])
    target = Path(path)
    with suppress(OSError, ValueError):
        if target.name.lower() == MANIFEST and target.is_file():
            target = target.parent
        if target.is_dir():
            return Container(target) if (target / MANIFEST).is_file() else None
        if target.suffix.lower() == ".zip" and zipfile.is_zipfile(target):
            return _in_zip(target)
    return None


def is_product(path: str) -> bool:
    """Whether a path means a product as downloaded: its folder, its manifest.safe or its zip."""
    return find_container(path) is not None


def refuse_part(path: str) -> None:
    """Refuse one image out of a product: it holds digital numbers, and the tables lie beside it.

    Raises:
        InputError: It is one, or a name by which GDAL opens one.
    """
    folder, name, _ = path.replace("\\", "/").rpartition("/measurement/")
    if path.upper().startswith("SENTINEL1_CALIB:"):
        whole = "the manifest.safe, the folder or the zip of the product"
    elif name and is_product(folder):
        whole = f"{folder}/{MANIFEST}"
    else:
        return
    raise InputError(
        f"{path} is a part of a Sentinel-1 product, without position on a map and not denoised.",
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
            "Unpack it, and give one of them.",
        )
    return Container(path, found[0]) if found else None


def _by_gdals_name(path: str) -> Container | None:
    """A zip by GDAL's name for what is inside it: "a.zip", "{a.zip}/b.SAFE", "a.zip/b.SAFE/manifest.safe"."""
    path = path.replace("{", "").replace("}", "")
    end = path.lower().find(".zip") + len(".zip")
    found = find_container(path[:end]) if end >= len(".zip") else None
    if found is None or found._inside is None:
        return None
    folder = found._inside.rstrip("/")
    meant = path[end:].strip("/")
    return found if meant in ("", folder, f"{found._inside}{MANIFEST}") else None
