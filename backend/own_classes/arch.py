"""Define the sizes of a network for own classes: a backbone with a forest as its head."""

from __future__ import annotations

import dataclasses

from backend.card.arch import TAPS, Arch
from backend.own_classes.features import COMPONENTS, WINDOWS
from backend.own_classes.trees import Trees

SMOOTH = 9  # side of the window over which a map's probabilities are averaged


def own_arch(arch: Arch, trees: Trees | None = None) -> Arch:
    """Return the sizes of a backbone with a head for these trees, or with an empty head."""
    count, nodes = trees.feature.shape if trees else (1, 2)
    return dataclasses.replace(
        arch, head="forest", head_dim=min(COMPONENTS, TAPS["forest"] * arch.embed_dim), windows=WINDOWS, smooth=SMOOTH,
        trees=count, tree_nodes=nodes, tree_depth=trees.depth if trees else 1,
    )  # fmt: skip
