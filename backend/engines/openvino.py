"""Run a network through OpenVINO, tile by tile."""

from __future__ import annotations

import importlib
import queue
import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from backend.core.arrays import FloatArray
from backend.engines.tilewise import Tilewise
from backend.graph.graph import Graph
from backend.graph.onnx_file import to_bytes

_CONVERTER = "openvino.tools.ovc"


def _imported() -> Any:
    """Import OpenVINO without its converter of other formats, which takes longer than all the rest of it."""
    absent = _CONVERTER not in sys.modules
    if absent:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("openvino")
    finally:
        if absent:  # who imports it later gets it
            sys.modules.pop(_CONVERTER, None)


if TYPE_CHECKING:
    import openvino
else:
    openvino = _imported()

# The first call fills a table of OpenVINO: two threads that do so at once wait for each other for good. One imports.
openvino.Type.f32.to_dtype()
_MAKING = threading.Lock()
NAME = f"OpenVINO {openvino.__version__.partition('-')[0]}"


class Compiled(Tilewise):
    """Hold a network compiled by OpenVINO, for any number of consecutive runs.

    Args:
        graph: Where it has layers in eight bits, they run in whole numbers.
        shape: Bands, rows and columns of a tile.
        threads: Tiles at once, each in a stream of its own.

    Raises:
        RuntimeError: OpenVINO can't run it.
    """

    def __init__(self, graph: Graph, shape: tuple[int, int, int], threads: int) -> None:
        super().__init__(graph.outputs, threads)
        model = _core().read_model(to_bytes(graph))
        model.reshape([1, *shape])
        compiled = _core().compile_model(model, "CPU", _settings(threads))
        self._compiled, self._outputs = compiled, range(len(graph.outputs))
        # Requests that nobody uses now: each belongs to one thread at a time.
        self._requests: queue.SimpleQueue[openvino.InferRequest] = queue.SimpleQueue()
        for _ in range(threads):
            self._requests.put(compiled.create_infer_request())

    def outputs(self, tile: FloatArray) -> list[FloatArray]:
        request = self._requests.get()
        try:
            found = request.infer({0: tile[None]}, share_inputs=True)
            return [found[number][0] for number in self._outputs]
        finally:
            self._requests.put(request)


def _core() -> openvino.Core:
    """Return the one core of this process, to any number of threads."""
    with _MAKING:
        return _made_core()


@cache
def _made_core() -> openvino.Core:
    """Return the one core of this process.

    The plugin of a core gives its thread a signal stack and frees it with the core. Of several cores, freed in another
    order than they were made, that leaves the thread with a stack that is gone, and the next signal ends the process.
    """
    return openvino.Core()


def _settings(threads: int) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": threads,
        # The reader and the writer need a core now and then too.
        "ENABLE_CPU_PINNING": False,
        "INFERENCE_NUM_THREADS": threads,
        # Where a processor has units for half precision, OpenVINO would use them unasked.
        "INFERENCE_PRECISION_HINT": "f32",
    }
