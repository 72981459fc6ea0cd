"""What dataset.toml says of a data folder; its keys are explained at the head of dataset.py."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from backend.card.model_card import LandCoverClass
from backend.core.errors import InputError
from backend.radiometry.units import Units
from training.run.config import resolve
from training.run.limits import NotNegative, OneOf, check_limits

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

COHERENCE = "coherence"
_UNITS = (*(unit.value for unit in Units), COHERENCE)


@dataclass(frozen=True)
class FileBand:
    """One band of the files: name, and unit ("db", "linear_power", "amplitude", "coherence"; "auto" to recognise)."""

    name: str
    unit: Annotated[str, OneOf(*_UNITS)] = "auto"

    def __post_init__(self) -> None:
        check_limits(self, f"bands[{self.name!r}]")


@dataclass(frozen=True)
class FolderFacts:
    """What dataset.toml says; see the head of dataset.py."""

    title: str = ""
    product: str = ""
    simulated: bool = False
    seed: int = 0
    pixel_size_m: NotNegative = 0.0
    ignore_value: int = 0
    label_codes: tuple[tuple[int, int], ...] = ()
    scale: float = 1.0
    nodata: tuple[float, ...] = ()
    relative: Annotated[str, OneOf("", "offset", "affine")] = ""
    level_jitter_db: NotNegative = 0.0
    accept_values: bool = False
    weight: NotNegative = 1.0
    places: str = ""
    bands: tuple[FileBand, ...] = ()
    classes: tuple[LandCoverClass, ...] = ()

    def __post_init__(self) -> None:
        """Refuse words that have no meaning here."""
        check_limits(self)
        if len(self._declared()) > 1:
            found = " and ".join(sorted(self._declared()))
            raise InputError(f"Bands have units {found}.", "Give all backscatter of a folder in one unit.")
        _check_pattern(self.places)
        named = [(f"Class {item.name!r}", item.value) for item in self.classes]
        for what, value in (*named, *((f"Label code {code}", value) for code, value in self.label_codes)):
            if not 1 <= value <= 254:
                raise InputError(f"{what} has value {value}.", "Wanted: 1 to 254; 0 is unlabelled.")

    def _declared(self) -> set[str]:
        return {band.unit for band in self.bands} - {COHERENCE, Units.AUTO.value}

    @property
    def units(self) -> Units:
        """Unit of the backscatter; AUTO where it is to be recognised from the values.

        Values whose level means nothing can't be recognised: they are taken as dB where nothing else is said.
        """
        declared = Units(next(iter(self._declared()), Units.AUTO.value))
        return Units.DB if self.relative and declared is Units.AUTO else declared

    @staticmethod
    def load(path: Path) -> FolderFacts:
        """Read dataset.toml; defaults where there is none.

        Raises:
            InputError: Not TOML, a key that is not known, or a value of the wrong type.
        """
        if not path.is_file():
            return FolderFacts()
        try:
            return resolve(FolderFacts, tomllib.loads(path.read_text(encoding="utf-8")))
        except InputError as error:
            raise InputError(f"{path}: {error.message}", error.hint) from error
        except ValueError as error:
            raise InputError(f"{path} is not valid TOML ({error}).", "Correct the file or take it away.") from error


def _check_pattern(places: str) -> None:
    try:
        groups = re.compile(places).groups
    except re.error as error:
        raise InputError(f"places is {places!r}, no regular expression ({error}).", "Mend it.") from error
    if places and groups != 1:
        raise InputError(f"places is {places!r}, with {groups} groups.", r"Put one around the place, as in ^(\d+)_.")
