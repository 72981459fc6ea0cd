"""Build the networks of a study: the pre-trained one, and equal ones with random weights."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from backend.card.model_card import Band
from backend.card.registry import model_folder
from backend.network.vit import SarViT
from training.dino.backbone import FACTS
from training.landcover.initial_network import SCRATCH, InitialNetwork, start_from
from training.run.common_config import ModelConfig
from training.run.finetune_config import FinetuneConfig

PRETRAINED, RANDOM = "DINO", "random weights"


@dataclasses.dataclass(frozen=True)
class Networks:
    """Build networks with pre-trained or random weights.

    Attributes:
        folder: Pre-training run or model folder.
        model: Sizes and bands of its backbone.
        origin: One line about its origin.
        fingerprint: Hash of the weights of its backbone.
    """

    folder: Path
    model: ModelConfig
    origin: str
    fingerprint: str

    def start(self, kind: str, settings: FinetuneConfig, classes: int, extra: Sequence[Band] = ()) -> InitialNetwork:
        """Build a network to be trained.

        Args:
            kind: PRETRAINED or RANDOM.
            settings: Its head, whose weights are random, its tile, and the seed of random weights.
            classes: Number of logits.
            extra: Bands in addition to the model's, for random weights only.

        Raises:
            ModelError: The tile is not a multiple of the patch.
        """
        torch.manual_seed(settings.seed)
        model = dataclasses.replace(self.model, tile=settings.tile, bands=(*self.model.bands, *extra))
        backbone = str(self.folder) if kind == PRETRAINED else SCRATCH
        return start_from(backbone, model, settings.head, settings.head_dim, settings.tile, classes)

    def frozen(self, kind: str, seed: int = 0) -> SarViT:
        """Build a network in evaluation mode; random weights are drawn from `seed`."""
        settings = FinetuneConfig(head="linear", tile=self.model.tile, seed=seed)
        return self.start(kind, settings, 1).model.eval()


def open_networks(name: str, tile: int) -> Networks:
    """Load the backbone of a study.

    Args:
        name: Folder of a pre-training run or of a model, or the name of an installed model.
        tile: Side in pixels of its tiles.

    Raises:
        ModelError: There is no such model, or it can't be used.
    """
    folder = Path(name) if (Path(name) / FACTS).is_file() else model_folder(name)
    start = start_from(str(folder), ModelConfig(), "linear", 64, tile, 1)
    model = ModelConfig(start.arch, start.model.patch, tile, start.bands)
    return Networks(folder, model, start.origin, _hash(start.model.backbone.state_dict()))


def _hash(tensors: dict[str, Tensor]) -> str:
    stamp = hashlib.sha256()
    for name in sorted(tensors):
        stamp.update(name.encode())
        stamp.update(tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return stamp.hexdigest()
