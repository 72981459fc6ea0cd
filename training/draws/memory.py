"""Keep images in memory, each from its first use on, up to a budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import BoolArray, FloatArray
from backend.core.errors import UnreadableError
from training.data.dataset import ChipFolder
from training.data.read_together import read_together

# Values [B, H, W] and validity [H, W] of a window.
Pixels = tuple[NDArray[np.float16], NDArray[np.bool_]]


class ImageMemory:
    """Read windows of images, and keep the images that fit into a budget.

    A window is the same whether its image is kept or read from disk: both are rounded to float16, which is precise to
    0.02 dB. The first images of the folders are kept, whatever is used first; large files never are.

    Args:
        folders: Data folders.
        gigabytes: Budget.
    """

    def __init__(self, folders: Sequence[ChipFolder], gigabytes: float) -> None:
        self._folders = folders
        # None until an image is read.
        self._images: dict[tuple[int, int], Pixels | None] = dict.fromkeys(_fitting(folders, gigabytes * 1e9))

    def __contains__(self, image: tuple[int, int]) -> bool:
        """Return whether an image, number of its folder and index in it, is in memory or will be once it is read."""
        return image in self._images

    def window(self, folder: int, index: int, window: Sequence[int]) -> Pixels:
        """Return a window of an image.

        Args:
            folder: Number of its folder.
            index: Its index there.
            window: Top, left, height and width in pixels.

        Raises:
            UnreadableError: The image can't be read.
        """
        image = folder, index
        if image not in self._images:
            return _rounded(*self._folders[folder].read(index, window))
        kept = self._images[image]
        if kept is None:
            kept = self._images[image] = self._whole(image)
        top, left, height, width = window
        part = np.s_[top : top + height, left : left + width]
        values, valid = kept
        return values[(slice(None), *part)], valid[part]

    def fill(self) -> Iterator[tuple[int, int, UnreadableError]]:
        """Read all images that are kept, for processes that will share them; yield those that can't be read."""
        missing = [image for image, pixels in self._images.items() if pixels is None]
        for image, found in zip(missing, read_together(self._attempt, missing)):
            if isinstance(found, UnreadableError):
                yield (*image, found)
            else:
                self._images[image] = found

    def _attempt(self, image: tuple[int, int]) -> Pixels | UnreadableError:
        try:
            return self._whole(image)
        except UnreadableError as error:
            return error

    def _whole(self, image: tuple[int, int]) -> Pixels:
        folder, index = image
        return _rounded(*self._folders[folder].read(index))


def _fitting(folders: Sequence[ChipFolder], left: float) -> Iterator[tuple[int, int]]:
    """Yield the images that fit into so many bytes."""
    for number, folder in enumerate(folders):
        for index, entry in enumerate(folder.entries):
            size = entry.height * entry.width * (2 * len(folder.bands) + 1)
            if entry.pixels and not entry.large and size <= left:
                left -= size
                yield number, index


def _rounded(values: FloatArray, valid: BoolArray) -> Pixels:
    with np.errstate(over="ignore"):  # only invalid values exceed float16
        return values.astype(np.float16), valid
