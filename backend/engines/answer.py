"""Define the wanted outputs of a network, in the same terms for every engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from backend.card.arch import Arch
from backend.core.arrays import FloatArray
from backend.graph.graph import PROBABILITIES, attention_output, tokens_output


@dataclass(frozen=True)
class Answer:
    """Describe the outputs of the network, one after another along the channels, and what is computed from them.

    Attributes:
        outputs: Names as in network.onnx.
        finish: Function from a tile's answer float32 [channels, t, t] to what is blended of it; as it is if None.
    """

    outputs: tuple[str, ...]
    finish: Callable[[FloatArray], FloatArray] | None = None

    def finished(self, values: FloatArray) -> FloatArray:
        """Return the values to blend, from a tile's answer."""
        return values if self.finish is None else self.finish(values)


CLASS_PROBABILITIES = Answer((PROBABILITIES,))


def block_tokens(arch: Arch, *blocks: int) -> Answer:
    """Return the answer with the normalised tokens of blocks; negative ones count from the end."""
    return Answer(tuple(tokens_output(block % arch.depth) for block in blocks))


def block_attention(arch: Arch, block: int, finish: Callable[[FloatArray], FloatArray]) -> Answer:
    """Return the answer with the class token's attention of a block, [heads, rows, columns], finished."""
    return Answer((attention_output(block % arch.depth),), finish)
