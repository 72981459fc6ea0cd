"""Refuse a product that is incomplete, damaged or contradictory."""

from __future__ import annotations

from backend.core.errors import InputError


class DamagedProductError(InputError):
    """Signal that the product is incomplete, damaged or contradictory.

    Args:
        message: One line: what was found and what was wanted.
        otherwise: Added to the hint: what else the user can do. May be empty.
    """

    def __init__(self, message: str, otherwise: str = "") -> None:
        super().__init__(message, f"Download the complete product again{otherwise}.")
