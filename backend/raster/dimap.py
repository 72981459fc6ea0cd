"""Find the images of a product that SNAP saved in its own format: a .dim file and a folder .data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from backend.core.errors import InputError

# Images that a model can use, the better first. Names are those of SNAP: Gamma0_RTC_VV, Sigma0_VH_db.
QUANTITIES = ("gamma0", "sigma0")
POLARISATION = re.compile(r"(?<![A-Za-z])(VV|VH|HH|HV)(?![A-Za-z])")
EXPORT = "In SNAP: File > Export > GeoTIFF; give that file."
CALIBRATE = (
    "Calibrate it in SNAP (Radar > Radiometric > Calibrate), correct the terrain (Radar > Geometric > Range-Doppler "
    "Terrain Correction), and export it as GeoTIFF."
)


def images(path: str) -> list[str]:
    """Return the files that a name stands for: those of backscatter in a product of SNAP, else the name itself.

    Raises:
        InputError: A product of SNAP has no folder of images, no backscatter, or several images of one polarisation.
    """
    target = Path(path)
    if target.suffix.lower() == ".dim" and target.is_file():
        folder = target.with_suffix(".data")
        if not folder.is_dir():
            raise InputError(f"{path} is the header of a SNAP product; its folder {folder.name} is missing.", EXPORT)
    elif target.suffix.lower() == ".data" and target.is_dir():
        folder = target
    else:
        return [path]
    stems = {each.stem: each for each in sorted(folder.glob("*.img")) if POLARISATION.search(each.stem)}
    for quantity in QUANTITIES:
        chosen = [stem for stem in stems if stem.lower().startswith(quantity)]
        if not chosen:
            continue
        found = [POLARISATION.findall(stem)[-1] for stem in chosen]
        if len(set(found)) < len(found):
            raise InputError(
                f"{path} holds several images of one polarisation: {', '.join(chosen)}.",
                f"Name those of one date: '{folder / chosen[0]}.img' --with the other, in QGIS as Further rasters of "
                "the scene.",
            )
        # VV before VH, as models have them.
        return [str(stems[stem]) for _, stem in sorted(zip(found, chosen), reverse=True)]
    names = ", ".join(sorted(each.stem for each in folder.glob("*.img"))[:4]) or "none"
    raise InputError(f"{path} is a SNAP product without Sigma0 or Gamma0 (its images: {names}).", CALIBRATE)


def check_placed(file: Any) -> None:
    """Refuse an opened image in radar geometry: SNAP keeps its place in files that GDAL doesn't read.

    Raises:
        InputError: It has no coordinate system.
    """
    if file.crs is None and not file.gcps[0]:
        raise InputError(
            f"{file.name}, of a SNAP product, is in radar geometry: it has no coordinate system.",
            "In SNAP: Radar > Geometric > Range-Doppler Terrain Correction; give the result.",
        )
