"""Run the network through OpenVINO: converted once from PyTorch, verified against it, then run per tile."""

from __future__ import annotations

import queue
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, Callable

import numpy as np
import openvino
import openvino.passes
import torch
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import Tensor, nn

from backend.core.arrays import FloatArray
from backend.core.cancel import Cancel
from backend.core.errors import ResourceError
from backend.network.vit import SarViT

# Most that a value may differ from PyTorch's, for each unit of the largest value.
TOLERANCE = 1e-4
# Most that values in eight bits may differ on average from PyTorch's emulation of them, relative to their mean size:
# roundings that go the other way come to 0.003. Processors without VNNI instructions add products in 16 bits, which
# overflow: that comes to 0.12, and single probabilities differ by 0.8.
TOLERANCE_IN_EIGHT_BITS = 0.02
CHECKED = 2  # tiles


class _Traced(nn.Module):
    """Wraps a function of a network as a module that holds its weights."""

    def __init__(self, network: SarViT, answer: Callable[[SarViT, Tensor], Tensor]) -> None:
        super().__init__()
        self.network, self._answer = network, answer

    def forward(self, x: Tensor) -> Tensor:
        return self._answer(self.network, x).float()


class Converted:
    """Holds a network converted and compiled for OpenVINO once, for any number of consecutive runs.

    Args:
        network: On the processor; one of `backend.network.int8.quantised` runs in whole numbers of eight bits.
        answer: From the network and tiles [n, bands, tile, tile] to [n, channels, t, t].
        shape: Bands, rows and columns of a tile.
        batch: Most tiles that will come at once.

    Raises:
        ResourceError: OpenVINO can't run it.
    """

    def __init__(
        self, network: SarViT, answer: Callable[[SarViT, Tensor], Tensor], shape: tuple[int, int, int], batch: int
    ) -> None:
        self._module = _Traced(network, answer).eval()
        self._shape = shape
        # As many threads as PyTorch would use, each with a stream of its own.
        self.streams = max(1, min(batch, torch.get_num_threads()))
        try:
            model = _convert(self._module, shape)
            self._compiled = _core().compile_model(model, "CPU", _settings(self.streams))
            # Requests that nobody uses now: each belongs to one thread at a time.
            self._requests: queue.SimpleQueue[openvino.InferRequest] = queue.SimpleQueue()
            for _ in range(self.streams):
                self._requests.put(self._compiled.create_infer_request())
        except Exception as error:  # PyTorch runs what the converter can't convert
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ResourceError(f"OpenVINO can't run this model ({reason:.200}).", "Use --engine pytorch.") from error

    def answer(self, tile: FloatArray) -> FloatArray:
        """Return the answer float32 [channels, t, t] to a tile float32 [bands, tile, tile]; for any thread."""
        request = self._requests.get()
        try:
            answer: FloatArray = request.infer({0: tile[None]}, share_inputs=True)[0][0]
        finally:
            self._requests.put(request)
        return answer

    @contextmanager
    def runner(self, cancel: Cancel) -> Iterator[Callable[[FloatArray], Iterator[FloatArray]]]:
        """Return a callable on batches of tiles, whose threads end with the context.

        It takes tiles float32 [n, bands, tile, tile], not to be changed before their answers are there, and gives the
        answer of each, float32 [channels, t, t], in order; who takes one waits until it is done. Tile by tile they go
        to the stream that is free. Who asks for more tiles before the last answers are taken keeps all streams at
        work: a reader or writer that takes one's core for a moment doesn't keep the others waiting.

        Args:
            cancel: Once set, tiles that wait are given up.
        """

        def answer(tile: FloatArray) -> FloatArray:
            cancel.check()
            return self.answer(tile)

        def run(tiles: FloatArray) -> Iterator[FloatArray]:
            answers = [pool.submit(answer, tile) for tile in tiles]
            return (each.result() for each in answers)

        pool = ThreadPoolExecutor(self.streams, thread_name_prefix="tile")
        try:
            yield run
        finally:
            # Where the run failed, what waits is given up.
            pool.shutdown(cancel_futures=True)

    def check(self, in_eight_bits: bool) -> None:
        """Compare with the same network in PyTorch, on CHECKED random tiles.

        Args:
            in_eight_bits: Whether the network emulates eight bits, which rounding makes differ here and there.

        Raises:
            ResourceError: They differ by more than TOLERANCE, or TOLERANCE_IN_EIGHT_BITS.
        """
        tiles = np.random.default_rng(0).standard_normal((CHECKED, *self._shape), dtype=np.float32)
        with torch.inference_mode():
            wanted = self._module(torch.from_numpy(tiles)).numpy()
        off = np.abs(np.stack([self.answer(tile) for tile in tiles]) - wanted)
        if in_eight_bits:
            far, most = float(off.mean()), TOLERANCE_IN_EIGHT_BITS * float(np.abs(wanted).mean())
            what, hint = "in eight bits on this processor", "Use --engine openvino."
        else:
            far, most = float(off.max()), TOLERANCE * max(1.0, float(np.abs(wanted).max()))
            what, hint = "on this model", "Use --engine pytorch, and report it."
        if not far <= most:
            raise ResourceError(
                f"OpenVINO {openvino.__version__} differs from PyTorch by {far:.2g} {what}; at most {most:.2g} is "
                "accepted.",
                hint,
            )


@cache
def _core() -> openvino.Core:
    """Return the one core of this process.

    The plugin of a core gives its thread a signal stack and frees it with the core. Of several cores, freed in another
    order than they were made, that leaves the thread with a stack that is gone, and the next signal ends the process.
    """
    return openvino.Core()


def _convert(module: nn.Module, shape: tuple[int, int, int]) -> openvino.Model:
    """Return an OpenVINO model of one tile; not by `openvino.convert_model`, which reports its use over the network."""
    example = torch.zeros(1, *shape)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of branches on sizes, which are fixed here
        traced = TorchScriptPythonDecoder(module, example_input=example, trace_kwargs={"check_trace": False})
    frontend = FrontEndManager().load_by_framework("pytorch")
    model = frontend.convert(frontend.load(traced))
    model.reshape({model.inputs[0]: openvino.PartialShape([1, *shape])})
    # Scales of weights must be plain constants for it to see whole numbers in what emulates them.
    folding = openvino.passes.Manager()
    folding.register_pass(openvino.passes.ConstantFolding())
    folding.run_passes(model)
    return model


def _settings(streams: int) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": streams,
        # The reader and the writer need a core now and then too.
        "ENABLE_CPU_PINNING": False,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        # Where a processor has units for half precision, OpenVINO would use them unasked.
        "INFERENCE_PRECISION_HINT": "f32",
    }
