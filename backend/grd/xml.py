"""Parse the XML of a product safely, and read numbers and times from it."""

from __future__ import annotations

# Entities make this parser unsafe; they are refused before it runs.
import xml.etree.ElementTree as ElementTree  # nosec B405
from xml.etree.ElementTree import Element  # nosec B405

import numpy as np

from backend.core.arrays import DoubleArray
from backend.grd.damage import DamagedProductError


class Annotation:
    """Hold an XML file, or an element of it.

    Args:
        element: Element to which paths are relative.
        name: Name of the file, for messages.
    """

    def __init__(self, element: Element, name: str) -> None:
        self.element, self.name = element, name

    @classmethod
    def parse(cls, data: bytes, name: str) -> Annotation:
        """Parse a file.

        Raises:
            InputError: It isn't XML, or declares a document type. Products have none, and entities can exhaust memory.
        """
        try:
            text = data.decode("utf-8-sig")
            if "<!DOCTYPE" in text or "<!ENTITY" in text:
                raise DamagedProductError(f"{name} declares a document type; Sentinel-1 files have none.")
            # As text, so that the parser ignores the encoding that the file declares.
            return cls(ElementTree.fromstring(text), name)  # nosec B314
        except (UnicodeDecodeError, ElementTree.ParseError, ValueError) as error:
            raise DamagedProductError(f"{name} is damaged: it is not XML ({error}).") from error

    def text(self, path: str, default: str | None = None) -> str:
        """Return the text at a path.

        Raises:
            InputError: It is missing, and there is no default.
        """
        found = (self.element.findtext(path) or "").strip()
        if found or default is not None:
            return found or str(default)
        raise DamagedProductError(f"{self.name} has no {path}.")

    def whole(self, path: str, default: str | None = None) -> int:
        """Return the integer at a path; raise InputError as `numbers` does."""
        values = self.numbers(path, default)
        if values.size != 1 or values[0] != np.rint(values[0]) or abs(values[0]) > 2**31:
            raise DamagedProductError(f"{self.name}: {path} is not an integer.")
        return int(values[0])

    def numbers(self, path: str, default: str | None = None) -> DoubleArray:
        """Return the numbers at a path, which spaces separate, float64 [n] with n of 1 or more.

        Raises:
            InputError: They are missing, or not finite numbers.
        """
        text = self.text(path, default)
        try:
            values = np.array(text.split(), dtype=np.float64)
        except ValueError as error:
            raise DamagedProductError(f"{self.name}: {path} holds text that is not a number.") from error
        if not np.isfinite(values).all():
            raise DamagedProductError(f"{self.name}: {path} holds numbers that are not finite.")
        return values

    def moment(self, path: str) -> np.datetime64:
        """Return the time at a path, UTC, to the nanosecond.

        Raises:
            InputError: It is missing, or not a time.
        """
        try:
            found = np.datetime64(self.text(path).rstrip("Z"), "ns")
        except ValueError:
            found = np.datetime64("NaT")
        if np.isnat(found):
            raise DamagedProductError(f"{self.name}: {path} is not a time.")
        return found

    def all(self, path: str) -> list[Annotation]:
        """Return all elements at a path, in order."""
        return [Annotation(element, self.name) for element in self.element.findall(path)]
