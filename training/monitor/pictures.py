"""Draw tokens and attention of the teacher for the same few scenes at intervals during a run.

Each scene is a row: backscatter, the first principal components of the tokens as red, green and blue (Oquab et al.
2023, figure 1), and the attention of the class token in the last block, mean and by head (Caron et al. 2021, figure 1),
both of logarithms: a few patches hold most of the attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import PCA

from backend.core.arrays import BoolArray, FloatArray
from backend.maps.attention import logarithms
from backend.network.vit import SarViT
from backend.radiometry.convert import normalise
from backend.stream.fill import fill_invalid
from training.data.dataset import ChipFolder
from training.data.tiles import centre_window
from training.run.common_config import ModelConfig

SIDE = 256
# Chips whose centre has a lower valid share are passed over.
VALID = 0.9
ATTEMPTS = 20


@dataclass(frozen=True)
class PictureScene:
    """Hold the centre of a chip.

    Attributes:
        name: Folder and chip.
        db: float32 [B, H, W], nan in missing bands; sides are multiples of the patch, at most SIDE.
        valid: bool [H, W].
        x: float32 [B, H, W], input of the network.
        tokens: bool [H / patch, W / patch], patches of which at least half is valid.
    """

    name: str
    db: FloatArray
    valid: BoolArray
    x: FloatArray
    tokens: BoolArray


def choose_scenes(folders: Sequence[ChipFolder], model: ModelConfig, count: int) -> list[PictureScene]:
    """Choose scenes evenly over folders and over the chips of a folder; the choice depends on the data alone.

    Args:
        folders: Training data.
        model: Bands and patch.
        count: Maximum number; chips without a valid token are left out.
    """
    each = -(-count // len(folders))
    scenes: list[PictureScene] = []
    for number in range(count):
        folder = folders[number * len(folders) // count if count < len(folders) else number % len(folders)]
        begin = int((number // len(folders) + 0.5) / each * len(folder))
        scene = _first_valid(folder, begin, model)
        if scene is not None and scene.name not in [other.name for other in scenes]:
            scenes.append(scene)
    return scenes


def _first_valid(folder: ChipFolder, begin: int, model: ModelConfig) -> PictureScene | None:
    best: PictureScene | None = None
    for index in range(begin, begin + min(ATTEMPTS, len(folder))):
        scene = _centre(folder, index % len(folder), model)
        if scene is not None and (best is None or scene.valid.mean() > best.valid.mean()):
            best = scene
        if best is not None and best.valid.mean() >= VALID:
            break
    return best


def _centre(folder: ChipFolder, index: int, model: ModelConfig) -> PictureScene | None:
    entry, patch = folder.entries[index], model.patch
    window = centre_window((entry.height, entry.width), SIDE // patch * patch, patch)
    if not window.height or not window.width:
        return None
    db, valid = folder.read(index, window)
    tokens = valid.reshape(window.height // patch, patch, window.width // patch, patch).mean(axis=(1, 3)) >= 0.5
    name = f"{folder.root.name}\n{folder.names[index]}"
    x = fill_invalid(normalise(db, valid, model.bands), valid)
    return PictureScene(name, db, valid, x, tokens) if tokens.any() else None


class Gallery:
    """Draw scenes repeatedly, with colours of components that stay as similar as possible.

    Args:
        scenes: One or more scenes of `choose_scenes`.
    """

    def __init__(self, scenes: Sequence[PictureScene]) -> None:
        self.scenes = list(scenes)
        self._before: FloatArray | None = None

    @torch.no_grad()
    def draw(self, vit: SarViT, device: torch.device, title: str) -> Figure:
        """Draw one row per scene.

        Args:
            vit: Network in evaluation mode.
            device: Its device.
            title: One line above the scenes.
        """
        tokens, attention = [], []
        for scene in self.scenes:
            x = torch.from_numpy(scene.x)[None].to(device)
            tokens.append(vit.tokens(x)[0].float().cpu().numpy())
            attention.append(vit.attention(x)[0].float().cpu().numpy())
        return _figure(self.scenes, attention, self._colours(tokens), title)

    def _colours(self, tokens: Sequence[FloatArray]) -> list[FloatArray]:
        """Return principal components over all scenes as colours [h, w, 3] from 0 to 1, white where invalid."""
        flat = np.concatenate([t[:, s.tokens].T for t, s in zip(tokens, self.scenes)])
        level = np.concatenate([_token_level(s) for s in self.scenes])
        scores = principal_scores(flat, level, self._before)
        self._before = scores
        stretched = np.stack([stretch(column) for column in scores.T], axis=-1)
        pictures = []
        for scene, part in zip(self.scenes, np.split(stretched, np.cumsum([s.tokens.sum() for s in self.scenes])[:-1])):
            picture = np.ones((*scene.tokens.shape, 3), dtype=np.float32)
            picture[scene.tokens] = part
            pictures.append(picture)
        return pictures


def principal_scores(tokens: FloatArray, level: FloatArray, before: FloatArray | None) -> FloatArray:
    """Return the first three principal components of tokens, in the order and with the signs of an earlier picture.

    Args:
        tokens: [N, D].
        level: [N] brightness; without an earlier picture components increase with it.
        before: [N, 3] earlier result for the same tokens, or None.

    Returns:
        float32 [N, 3]; if N or D is below 3, the missing components are 0.
    """
    count = min(3, *tokens.shape)
    scores = np.zeros((len(tokens), 3), dtype=np.float32)
    scores[:, :count] = PCA(count, random_state=0).fit_transform(tokens)
    if before is None:
        return scores * np.where(_correlation(scores, level[:, None])[:, 0] < 0, -1, 1).astype(np.float32)
    likeness = _correlation(before, scores)
    rows, columns = linear_sum_assignment(-np.abs(likeness))
    return scores[:, columns] * np.where(likeness[rows, columns] < 0, -1, 1).astype(np.float32)


def _correlation(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    # A constant column has correlation 0 instead of 0 / 0.
    a, b = ((m - m.mean(axis=0)) / np.maximum(m.std(axis=0), 1e-12) for m in (a, b))
    result: NDArray[Any] = a.T @ b / len(a)
    return result


def _token_level(scene: PictureScene) -> FloatArray:
    rows, columns = scene.tokens.shape
    patch = scene.valid.shape[0] // rows
    level = scene.x.mean(axis=0).reshape(rows, patch, columns, patch).mean(axis=(1, 3))
    result: FloatArray = level[scene.tokens]
    return result


def stretch(values: FloatArray, low: float = 2.0, high: float = 98.0) -> FloatArray:
    """Scale values between two percentiles to 0 to 1, in any shape; nan is kept and ignored, constants become 0."""
    bottom, top = np.nanpercentile(values, [low, high])
    result: FloatArray = np.clip((values - bottom) / max(top - bottom, 1e-12), 0, 1).astype(np.float32)
    return result


def pseudo_colour(db: FloatArray, valid: BoolArray) -> FloatArray:
    """Return backscatter as RGB: first band, second band and their difference; grey if there is only one band.

    Args:
        db: [B, H, W] in dB, nan in missing bands.
        valid: bool [H, W]; invalid pixels are white.

    Returns:
        float32 [H, W, 3] from 0 to 1.
    """
    there = [np.where(valid, band, np.nan) for band in db if np.isfinite(band[valid]).any()][:2]
    planes = [*there, there[0] - there[1]] if len(there) == 2 else there * 3
    return np.nan_to_num(np.stack([stretch(plane) for plane in planes], axis=-1), nan=1.0)


def _figure(
    scenes: Sequence[PictureScene], attention: Sequence[FloatArray], colours: Sequence[FloatArray], title: str
) -> Figure:
    heads = len(attention[0])
    titles = ["backscatter", "components", "attention: mean", *(f"head {i + 1}" for i in range(heads))]
    cell, margin = 1.5, 1.0
    size = (margin + cell * len(titles), 0.7 + cell * len(scenes))
    figure = Figure(figsize=size, dpi=110)
    axes = figure.subplots(len(scenes), len(titles), squeeze=False)
    room = {"left": margin / size[0], "right": 0.995, "bottom": 0.01, "top": 1 - 0.6 / size[1]}
    figure.subplots_adjust(**room, wspace=0.04, hspace=0.04)
    figure.text(0.005, 1 - 0.12 / size[1], title, fontsize=9, va="top")
    for row, scene, maps, colour in zip(axes, scenes, attention, colours):
        row[0].imshow(pseudo_colour(scene.db, scene.valid), interpolation="nearest")
        row[1].imshow(colour, interpolation="nearest")
        logs = logarithms(maps)
        for axis, values in zip(row[2:], [logs.mean(axis=0), *logs]):
            seen = stretch(np.where(scene.tokens, values, np.nan))
            axis.imshow(seen, cmap="inferno", vmin=0, vmax=1, interpolation="nearest")
        for axis in row:
            axis.set_xticks([])
            axis.set_yticks([])
        name = "\n".join(line if len(line) <= 16 else f"{line[:6]}…{line[-9:]}" for line in scene.name.split("\n"))
        row[0].set_ylabel(name, fontsize=6, rotation=0, ha="right", va="center")
    for axis, text in zip(axes[0], titles):
        axis.set_title(text, fontsize=8)
    return figure
