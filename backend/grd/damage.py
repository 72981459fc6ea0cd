"""Refuse a product that lacks a part, is damaged, or contradicts itself."""

from __future__ import annotations

from backend.core.errors import InputError


class DamagedProductError(InputError):
    """The product can't be used as it is.

    Args:
        message: What was found and what was wanted.
        otherwise: What else the user can do; may be empty.
    """

    def __init__(self, message: str, otherwise: str = "") -> None:
        super().__init__(message, f"Download the product again, whole{otherwise}.")
