"""Import timm, in this one place.

timm imports torchvision, of which nothing here needs more than that the import succeeds. Where PyTorch and torchvision
come from different indexes (a CPU build with the ordinary torchvision), torchvision's compiled part can't be loaded,
and its import fails: "operator torchvision::nms does not exist". Such operators are declared here, unimplemented.
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

_MISSING = re.compile(r"operator torchvision::(\w+) does not exist")
# Declared operators exist only as long as their library object.
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
            _forget("torchvision")
        else:
            return


class _Compiler(ModuleType):
    """Stand for torch._dynamo while torchvision and timm are imported.

    They ask it to mark functions that it shall or shall not compile. Nothing is compiled here, and importing it
    takes a second and 100 MB, at every start. Afterwards the real one can be imported, and compiles the network; only
    the marks of what isn't used here (RoI align, timm's NaFlexVit) are lost.
    """

    def __init__(self) -> None:
        super().__init__("torch._dynamo")
        self.utils = ModuleType("torch._dynamo.utils")
        self.utils.is_compile_supported = lambda device: False  # type: ignore[attr-defined]

    @staticmethod
    def allow_in_graph(function: Any) -> Any:
        return function

    @staticmethod
    def disable(function: Any = None, *_: Any, **__: Any) -> Any:
        return function if function is not None else lambda marked: marked


@contextmanager
def _without_compiler() -> Iterator[None]:
    compiler = _Compiler()
    stand_ins = {"torch._dynamo": compiler, "torch._dynamo.utils": compiler.utils}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _import_timm() -> None:
    """Import timm and what it imports, without PyTorch's compiler if it can be done.

    Raises:
        ImportError, RuntimeError: It can't be imported.
    """
    if "torch._dynamo" not in sys.modules:
        try:
            with _without_compiler():
                _import_torchvision()
                importlib.import_module("timm")
                return
        except Exception:  # another version that asks for more: then as anyone imports it
            _forget("torchvision", "timm")
    _import_torchvision()
    importlib.import_module("timm")


def _forget(*packages: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]


with warnings.catch_warnings():
    # The image codecs (never used here) warn where libjpeg is another version.
    warnings.filterwarnings("ignore", message="Failed to load image Python extension")
    _import_timm()
    import timm
    from timm.layers.drop import DropPath
    from timm.layers.patch_embed import PatchEmbed
    from timm.layers.pos_embed import resample_abs_pos_embed
    from timm.models.vision_transformer import VisionTransformer

__all__ = ["DropPath", "PatchEmbed", "VisionTransformer", "resample_abs_pos_embed", "timm"]
