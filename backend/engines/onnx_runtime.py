"""Run a network through ONNX Runtime, tile by tile: where OpenVINO has no package, or by request."""

from __future__ import annotations

import onnxruntime

from backend.core.arrays import FloatArray
from backend.engines.tilewise import Tilewise
from backend.graph.graph import INPUT, Graph
from backend.graph.onnx_file import to_bytes

NAME = f"ONNX Runtime {onnxruntime.__version__}"
_ERRORS_ONLY = 3


class Compiled(Tilewise):
    """Hold a network as ONNX Runtime runs it, for any number of consecutive runs.

    Args:
        graph: The network, or a part of it.
        shape: Bands, rows and columns of a tile; any will do.
        threads: Tiles at once, each in a thread of its own.

    Raises:
        RuntimeError: ONNX Runtime can't run it.
    """

    def __init__(self, graph: Graph, shape: tuple[int, int, int], threads: int) -> None:
        super().__init__(graph.outputs, threads)
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            self._session = onnxruntime.InferenceSession(to_bytes(graph), options, ["CPUExecutionProvider"])
        except Exception as error:  # its own classes of errors have no common one
            raise RuntimeError(str(error)) from error

    def outputs(self, tile: FloatArray) -> list[FloatArray]:
        return [each[0] for each in self._session.run(list(self.names), {INPUT: tile[None]})]
