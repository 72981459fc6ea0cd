"""The one place that imports timm, and what is used of it.

timm imports torchvision, of which nothing here needs more than that the import succeeds. Where PyTorch and torchvision
come from different indexes (a CPU build beside the ordinary torchvision), torchvision's compiled part can't be loaded,
and its import fails: "operator torchvision::nms does not exist". Such operators are declared here, unimplemented.
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings

import torch

_MISSING = re.compile(r"operator torchvision::(\w+) does not exist")
# What is declared exists for as long as its library object does.
_declared: list[torch.library.Library] = []


def _import_torchvision() -> None:
    """Import torchvision, declaring the operators that its Python side asks for in vain.

    Raises:
        ImportError, RuntimeError: It can't be imported for another reason.
    """
    while True:
        try:
            importlib.import_module("torchvision")
        except RuntimeError as error:
            missing = _MISSING.search(str(error))
            if missing is None or len(_declared) > 20:
                raise
            library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
            library.define(f"{missing.group(1)}(Tensor input) -> Tensor")  # type: ignore[no-untyped-call]
            _declared.append(library)
            for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                del sys.modules[name]
        else:
            return


with warnings.catch_warnings():
    # The image codecs (never used here) warn where libjpeg is another version.
    warnings.filterwarnings("ignore", message="Failed to load image Python extension")
    _import_torchvision()
    import timm
    from timm.layers.drop import DropPath
    from timm.layers.pos_embed import resample_abs_pos_embed
    from timm.models.vision_transformer import VisionTransformer

__all__ = ["DropPath", "VisionTransformer", "resample_abs_pos_embed", "timm"]
