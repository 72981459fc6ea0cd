"""Read the plan of an archive: a folder, a pattern, a CSV, or a STAC item collection."""

from __future__ import annotations

import csv
import glob
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from backend.archive.dates import span
from backend.archive.stac_plan import stac_units
from backend.archive.units import Unit, is_remote, named_apart, safe_name, stem
from backend.core.errors import InputError
from backend.grd.container import is_product
from backend.output.types import GEOTIFF
from backend.raster.band_names import acquisition, date_of, parse

# A folder is searched for these rasters and for products; a pattern takes all that it matches.
RASTERS = GEOTIFF | {".vrt", ".img", ".jp2", ".dim", ".nc"}
INPUT, FURTHER, NAME, DATE, BANDS = "input", "with", "name", "datetime", "bands"
# File that makes a folder that of an archive, and how far above its rasters it lies.
SETTINGS, DEPTH = "archive.json", 3
POLARISATIONS = ("vv", "vh", "hh", "hv")
_COLUMNS = (
    f"A plan has a column {INPUT} (or vv and vh), and may have {NAME}, {DATE}, {FURTHER} and {BANDS}; of several files "
    "or bands in one field, separate them by |."
)


def read_plan(plan: str, notes: list[str] | None = None) -> list[Unit]:
    """Return the units of a plan, in its order.

    Args:
        plan: Folder, searched with its sub-folders; pattern with * or ? (** for any folders); CSV file; or JSON file
            with a STAC item collection. Files whose names differ by their polarisation alone are one scene.
        notes: Takes warnings.

    Raises:
        InputError: The plan is none of these, or names no scene, or one scene twice.
    """
    path = Path(plan)
    if path.is_dir() and not is_product(plan):
        units = _grouped(sorted(_search(path)))
    elif path.suffix.lower() == ".csv":
        units = _table(path)
    elif path.suffix.lower() in (".json", ".geojson"):
        units = stac_units(path, [] if notes is None else notes)
    elif glob.has_magic(plan):
        units = _grouped(_scenes(glob.glob(plan, recursive=True)))
    else:
        raise InputError(
            f"{plan} is no plan of an archive.",
            "Give a folder, a pattern in quotes such as 'scenes/*.tif', a CSV, or a STAC item collection (.json).",
        )
    undated = next((unit for unit in units if unit.date and span(unit.date) is None), None)
    if undated is not None:
        raise InputError(
            f"The date of {undated.name} in {plan} is {undated.date!r}.",
            "Write dates as 2024-01-31, times as 2024-01-31T05:30:00Z.",
        )
    if not units:
        raise InputError(f"{plan} names no scene.", "Check the folder, the pattern or the file.")
    return named_apart(units)


def plan_digest(units: Sequence[Unit]) -> str:
    """Return the identity of a plan: the SHA-256 of all names and files, without signatures of URLs."""
    return hashlib.sha256(plan_text(units).encode("utf-8", "surrogatepass")).hexdigest()


def plan_text(units: Sequence[Unit]) -> str:
    """Return a plan as CSV, which `read_plan` reads."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    told = any(unit.bands for unit in units)
    rows.writerow((NAME, INPUT, FURTHER, DATE, *([BANDS] if told else [])))
    for unit in units:
        first, *further = unit.recorded
        rows.writerow((unit.name, first, "|".join(further), unit.date, *(["|".join(unit.bands)] if told else [])))
    return text.getvalue()


def _search(folder: Path) -> Iterator[str]:
    """Yield products and rasters of a folder and its sub-folders; not what lies inside a product."""
    for place, folders, files in os.walk(folder):
        if SETTINGS in files:
            folders.clear()
            continue
        whole = [name for name in folders if name.upper().endswith(".SAFE")]
        # Hidden folders hold what programs keep for themselves.
        folders[:] = sorted(name for name in folders if name not in whole and not name.startswith("."))
        for name in (*whole, *files):
            path = os.path.join(place, name)
            raster = Path(name).suffix.lower() in RASTERS and not name.startswith(".")
            if name in whole or raster or (name.lower().endswith(".zip") and is_product(path)):
                yield path


def _scenes(files: Iterable[str]) -> list[str]:
    """Return files in order, without those in the folder of an archive, such as one that was put among its scenes."""
    known: dict[Path, bool] = {}

    def result(folder: Path) -> bool:
        if folder not in known:
            known[folder] = any((part / SETTINGS).is_file() for part in (folder, *list(folder.parents)[: DEPTH - 1]))
        return known[folder]

    return sorted(file for file in files if not result(Path(file).parent))


def _grouped(files: Sequence[str]) -> list[Unit]:
    """Return a unit for each file, and one for files of a folder whose names differ by their polarisation alone."""
    groups: dict[tuple[str, str], list[str]] = {}
    for file in files:
        path = Path(file)
        single = path.is_file() and len(parse(path.stem).polarisations) == 1
        group = (str(path.parent), acquisition(path.stem) + path.suffix.lower()) if single else (file, "")
        groups.setdefault(group, []).append(os.path.abspath(file))
    units = []
    for (_, shared), group_files in groups.items():
        several = len(group_files) > 1
        label = stem(shared) if several else stem(group_files[0])
        units.append(Unit(safe_name(label), tuple(group_files), iso_date(stem(group_files[0]))))
    return units


def iso_date(name: str) -> str:
    """Return the first date in a name as YYYY-MM-DD or YYYY-MM; "" if there is none."""
    found = date_of(name)
    date = "-".join(part for part in (found[:4], found[4:6], found[6:8]) if part)
    return date if span(date) else ""


def _table(path: Path) -> list[Unit]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The plan {path} can't be read: {error}.", "Check the path; a plan is UTF-8.") from error
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    columns = {name.strip().lower(): name for name in reader.fieldnames or () if name}
    if INPUT not in columns and not any(name in columns for name in POLARISATIONS):
        raise InputError(f"The plan {path} has the columns {', '.join(columns) or 'none'}.", _COLUMNS)
    units = []
    for number, row in enumerate(reader, 2):
        fields = {key: (row.get(name) or "").strip() for key, name in columns.items()}
        listed = [fields.get(key, "") for key in (INPUT, FURTHER, *POLARISATIONS)]
        files = tuple(_absolute(file.strip(), path.parent) for text in listed for file in text.split("|") if file)
        if not files:
            if any(fields.values()):
                raise InputError(f"Line {number} of the plan {path} names no file.", _COLUMNS)
            continue
        name = fields.get(NAME) or stem(files[0])
        date = fields.get(DATE) or iso_date(stem(files[0]))
        units.append(Unit(safe_name(name), files, date, _told(fields, f"Line {number} of the plan {path}")))
    return units


def _told(fields: Mapping[str, str], place: str) -> tuple[str, ...]:
    """Return the polarisation of each band of a line, if it states them."""
    columns = [name for name in POLARISATIONS if fields.get(name)]
    if columns and not fields.get(INPUT) and not fields.get(FURTHER):
        return tuple(name.upper() for name in columns if "|" not in fields[name])
    bands = tuple(name.strip().upper() for name in fields.get(BANDS, "").split("|") if name.strip())
    unknown = [name for name in bands if name.lower() not in POLARISATIONS]
    if unknown:
        raise InputError(f"{place} has the band {unknown[0]}.", f"Bands are {', '.join(POLARISATIONS).upper()}.")
    return bands


def _absolute(name: str, folder: Path) -> str:
    """Return a path of a file in a plan from the plan's folder; URLs and names for GDAL are left as they are."""
    if is_remote(name) or name.startswith("/vsi") or ":" in name[2:]:
        return name
    return os.path.abspath(folder / name)
