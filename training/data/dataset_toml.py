"""Read dataset.toml of a data folder; its keys are described in dataset.py."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from backend.card.model_card import LandCoverClass
from backend.core.errors import InputError
from backend.radiometry.units import Units
from training.data.pattern import check_pattern
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
    """Declare one band of the files: its name and unit; "auto" recognises the unit."""

    name: str
    unit: Annotated[str, OneOf(*_UNITS)] = "auto"

    def __post_init__(self) -> None:
        check_limits(self, f"bands[{self.name!r}]")


@dataclass(frozen=True)
class FolderFacts:
    """Hold the content of dataset.toml; see dataset.py."""

    title: str = ""
    product: str = ""
    simulated: bool = False
    seed: int = 0
    pixel_size_m: NotNegative = 0.0
    ignore_value: int = 0
    label_codes: tuple[tuple[int, int], ...] = ()
    not_labels: tuple[tuple[int, int], ...] = ()
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
        """Refuse values that contradict each other or that nothing uses."""
        check_limits(self)
        if len(self._declared()) > 1:
            found = " and ".join(sorted(self._declared()))
            raise InputError(f"Bands have units {found}.", "Use one unit for all backscatter of a folder.")
        check_pattern(self.places)
        named = [(f"Class {item.name!r}", item.value) for item in self.classes]
        named += [(f"Label code {code}", value) for code, value in self.label_codes]
        for code, value in self.not_labels:
            named += [("A label of not_labels", code), (f"Not-label {code}", value)]
            if code in {item.value for item in self.classes}:
                raise InputError(f"not_labels has {code}, which is a class.", "Use a value without a class.")
        for what, value in named:
            if not 1 <= value <= 254:
                raise InputError(f"{what} has value {value}.", "Use 1 to 254; 0 is unlabelled.")

    def _declared(self) -> set[str]:
        return {band.unit for band in self.bands} - {COHERENCE, Units.AUTO.value}

    @property
    def units(self) -> Units:
        """Return the unit of the backscatter; AUTO if it is to be recognised from the values.

        Values of unknown level can't be recognised: they are taken as dB if no unit is declared.
        """
        declared = Units(next(iter(self._declared()), Units.AUTO.value))
        return Units.DB if self.relative and declared is Units.AUTO else declared

    @staticmethod
    def load(path: Path) -> FolderFacts:
        """Read dataset.toml; without one, return the defaults.

        Raises:
            InputError: The file is not TOML, a key is unknown, or a value can't be used.
        """
        if not path.is_file():
            return FolderFacts()
        try:
            return resolve(FolderFacts, tomllib.loads(path.read_text(encoding="utf-8")))
        except InputError as error:
            raise InputError(f"{path}: {error.message}", error.hint) from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is not valid TOML ({error}).", "Correct or remove the file.") from error
