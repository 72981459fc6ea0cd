"""Run the ONNX network of a model folder on a processor, without PyTorch, once it gave the known answers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

from backend.card.model_card import ModelCard
from backend.core.arrays import FloatArray
from backend.core.errors import ModelError, ResourceError
from backend.core.memory import give_back, hold_little
from backend.core.threads import thread_count
from backend.engines.answer import Answer
from backend.engines.choice import installed
from backend.engines.job import Job
from backend.engines.tilewise import Tilewise
from backend.folder.read import read_graph
from backend.graph.eight_bits import layer_names, quantised
from backend.graph.graph import Graph
from backend.graph.probe import TOLERANCE, TOLERANCE_OF_TREES, difference, probe_tile
from backend.stream.tiles import Model

MODULES = {"openvino": "openvino", "openvino-int8": "openvino", "onnxruntime": "onnx_runtime"}
TITLES = {"openvino": "OpenVINO", "openvino-int8": "OpenVINO", "onnxruntime": "ONNX Runtime"}
# Compiled networks kept at most; each holds the weights again.
KEPT = 2
# Most that values in eight bits may differ on average from their emulation in floats, relative to their mean size:
# roundings that go the other way come to 0.003. Processors without VNNI instructions add products in 16 bits, which
# overflow: that comes to 0.12, and single probabilities differ by 0.8.
TOLERANCE_IN_EIGHT_BITS = 0.02
CHECKED = 2  # tiles


class PortableEngine:
    """Run the network of a folder through OpenVINO or ONNX Runtime.

    Args:
        name: One of MODULES.
        folder: Folder of the model.
        card: The model's.
        batch_size: Tiles at once; 0 to choose.

    Raises:
        ModelError: Network or weights can't be used, or the card's ranges don't fit.
        ResourceError: The library can't be loaded.
    """

    device = device_name = "cpu"

    def __init__(self, name: str, folder: Path, card: ModelCard, batch_size: int) -> None:
        self.name, self._folder, self._card = name, folder, card
        # Tiles are computed one by one, each in one thread. The stream has four batches on the way.
        self.threads = min(batch_size or thread_count(), thread_count())
        self.batch = batch_size or max(1, self.threads // 2)
        self._library = _library(name)
        hold_little()
        self._graph: Graph | None = read_graph(folder, card)
        surplus = sorted(card.activation_ranges.keys() - layer_names(self._graph))
        if name == "openvino-int8" and surplus:
            raise ModelError(
                "activation_ranges of the card don't fit: no layer of this network is called "
                f"{', '.join(surplus[:3])}.",
                "Copy the model again.",
            )
        self._compiled: dict[tuple[str, ...], Tilewise] = {}

    def prepare(self, answer: Answer) -> None:
        """Compile and check the part of the network that gives an answer, unless it is kept from an earlier run.

        Raises:
            ModelError: It doesn't give what the card describes.
            ResourceError: The library can't run it, or comes to another result.
        """
        self.compiled(answer)

    @contextmanager
    def runner(self, job: Job) -> Iterator[Model]:
        """Make a callable on arrays for the stream; its threads end with the context."""
        network = self.compiled(job.answer)
        what = " in eight bits" if self.name == "openvino-int8" else ""
        job.log("info", f"{TITLES[self.name]} runs the model{what}.")
        with network.runner(job.answer, job.cancel) as run:
            yield run

    def compiled(self, answer: Answer) -> Tilewise:
        """Return the part of the network that gives an answer, as `prepare` makes it."""
        key = tuple(dict.fromkeys(answer.outputs))
        if key not in self._compiled:
            made = self._make(key)
            give_back()
            while len(self._compiled) >= KEPT:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = made
        return self._compiled[key]

    def _make(self, outputs: tuple[str, ...]) -> Tilewise:
        # Read once more for another answer: the weights needn't be held for the length of a run.
        graph, self._graph = (self._graph or read_graph(self._folder, self._card)).only(outputs), None
        if self.name != "openvino-int8":
            made = self._compile(graph, self.threads)
            self._check(made)
            return made
        # One after the other: each holds the weights again, and for each thread that it may use.
        wanted = self._sampled(self._compile(quantised(graph, self._card.activation_ranges, emulated=True), 1))
        made = self._compile(quantised(graph, self._card.activation_ranges), self.threads)
        self._check_eight_bits(self._sampled(made), wanted)
        return made

    def _compile(self, graph: Graph, threads: int) -> Tilewise:
        shape = len(self._card.bands), self._card.tile, self._card.tile
        try:
            made: Tilewise = self._library.Compiled(graph, shape, threads)
        except Exception as error:  # whatever it is, the next engine may run it
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ResourceError(
                f"{self._library.NAME} can't run this model ({reason:.200}).", "Use --engine auto."
            ) from error
        return made

    def _check(self, made: Tilewise) -> None:
        """Compare with what PyTorch gave for a known tile."""
        card, known = self._card, self._known()
        most = TOLERANCE_OF_TREES if card.arch.head == "forest" else TOLERANCE
        # Each thread computes by its own copy, which it makes at its first tile.
        tiles = [probe_tile(len(card.bands), card.tile)[0]] * made.threads
        with ThreadPoolExecutor(made.threads) as pool:
            answers = list(pool.map(made.outputs, tiles))
        for name, found in (pair for each in answers for pair in zip(made.names, each)):
            if len(found) != self._channels(name) or not np.isfinite(found).all():
                raise ModelError(
                    f"The network gives {len(found)} channels of {name}, or values that are not finite.",
                    "Copy the model folder again.",
                )
            far = difference(found, known[name]) if name in known else 0.0
            if not far <= most:
                raise ResourceError(
                    f"{self._library.NAME} differs from PyTorch by {far:.2g} in {name} of this model; at most "
                    f"{most:.2g} is accepted.",
                    "Use --engine pytorch, and report it.",
                )

    def _channels(self, output: str) -> int:
        arch, kind = self._card.arch, output.partition("_")[0]
        return {"tokens": arch.embed_dim, "attention": arch.heads}.get(kind, len(self._card.classes))

    def _known(self) -> dict[str, list[float]]:
        """Return the known answers of the card; of one that has none PyTorch's, where that is installed."""
        if self._card.network.known or not installed("pytorch"):
            return dict(self._card.network.known)
        from backend.engines.pytorch import known_answers_of

        return known_answers_of(self._folder)

    def _sampled(self, made: Tilewise) -> FloatArray:
        """Return the answers to CHECKED random tiles."""
        shape = (CHECKED, len(self._card.bands), self._card.tile, self._card.tile)
        return np.stack([made.answer(tile) for tile in np.random.default_rng(0).standard_normal(shape, np.float32)])

    def _check_eight_bits(self, found: FloatArray, wanted: FloatArray) -> None:
        """Compare answers in whole numbers with their emulation in floats; roundings make them differ a little."""
        far, most = float(np.abs(found - wanted).mean()), TOLERANCE_IN_EIGHT_BITS * float(np.abs(wanted).mean())
        if not far <= most:
            raise ResourceError(
                f"In eight bits {self._library.NAME} differs by {far:.2g} from the same network in floats on this "
                f"processor; at most {most:.2g} is accepted.",
                "Use --engine openvino.",
            )


def _library(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"backend.engines.{MODULES[name]}")
    except (ImportError, OSError) as error:
        raise ResourceError(
            f"{TITLES[name]} is installed but can't be loaded ({error}).", "Install it again."
        ) from error
