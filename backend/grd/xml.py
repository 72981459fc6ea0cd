"""XML of a product, parsed so that a hostile file can do no harm, and its numbers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree  # nosec B405
from xml.etree.ElementTree import Element  # nosec B405

import numpy as np

# Entities, which are what makes this parser unsafe, are refused before it sees anything.
from backend.core.arrays import DoubleArray
from backend.grd.damage import DamagedProductError


class Annotation:
    """One XML file, or an element of it.

    Args:
        element: Where paths begin.
        name: Of the file, for refusals.
    """

    def __init__(self, element: Element, name: str) -> None:
        self.element, self.name = element, name

    @classmethod
    def parse(cls, data: bytes, name: str) -> Annotation:
        """Read a whole file.

        Raises:
            InputError: It is no XML, or declares a document type: products have none, and entities can be bombs.
        """
        try:
            text = data.decode("utf-8-sig")
            if "<!DOCTYPE" in text or "<!ENTITY" in text:
                raise DamagedProductError(f"{name} declares a document type, which no file of Sentinel-1 does.")
            # As text: what the file says of its own encoding doesn't count then.
            return cls(ElementTree.fromstring(text), name)  # nosec B314
        except (UnicodeDecodeError, ElementTree.ParseError, ValueError) as error:
            raise DamagedProductError(f"{name} is damaged: it is no XML ({error}).") from error

    def text(self, path: str, default: str | None = None) -> str:
        """Text of the element at a path.

        Raises:
            InputError: It isn't there and has no default.
        """
        found = (self.element.findtext(path) or "").strip()
        if found or default is not None:
            return found or str(default)
        raise DamagedProductError(f"{self.name} has no {path}.")

    def whole(self, path: str, default: str | None = None) -> int:
        """Whole number at a path; refusals as of `numbers`."""
        values = self.numbers(path, default)
        if values.size != 1 or values[0] != np.rint(values[0]) or abs(values[0]) > 2**31:
            raise DamagedProductError(f"{self.name}: {path} is no whole number.")
        return int(values[0])

    def numbers(self, path: str, default: str | None = None) -> DoubleArray:
        """Numbers at a path, with spaces between them, float64 [n]; n is at least 1.

        Raises:
            InputError: They are missing, or aren't finite numbers.
        """
        text = self.text(path, default)
        try:
            values = np.array(text.split(), dtype=np.float64)
        except ValueError as error:
            raise DamagedProductError(f"{self.name}: {path} holds what is no number.") from error
        if not np.isfinite(values).all():
            raise DamagedProductError(f"{self.name}: {path} holds numbers that are not finite.")
        return values

    def moment(self, path: str) -> np.datetime64:
        """Time at a path, in UTC, to the nanosecond.

        Raises:
            InputError: It is missing, or is no time.
        """
        try:
            found = np.datetime64(self.text(path).rstrip("Z"), "ns")
        except ValueError:
            found = np.datetime64("NaT")
        if np.isnat(found):
            raise DamagedProductError(f"{self.name}: {path} is no time.")
        return found

    def all(self, path: str) -> list[Annotation]:
        """All elements at a path, in order."""
        return [Annotation(element, self.name) for element in self.element.findall(path)]
