"""Define the description of network.onnx in a card. Imports the standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from backend.card.validation import between, refuse, scalar

MOST_OUTPUTS, MOST_VALUES = 200, 64
LARGEST = 1e6
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True)
class NetworkFile:
    """Describe the network as an ONNX file in the model folder.

    Attributes:
        sha256: SHA-256 of network.onnx, lower-case hex; empty if there is none.
        opset: Version of ONNX's operators.
        input: Name of the input, float32 [n, bands, rows, columns], normalised as the bands of the card say.
        outputs: Names of the outputs: probabilities, and tokens and attention of each block.
        known: Some values of each output for the tile of `backend.graph.probe`, as PyTorch computes them.
    """

    sha256: str = ""
    opset: int = 0
    input: str = ""
    outputs: tuple[str, ...] = ()
    known: dict[str, Any] = field(default_factory=dict)


def check_network_file(network: NetworkFile) -> None:
    """Refuse a description that no network file can have."""
    if network.sha256 and not _SHA256.match(network.sha256):
        refuse("network.sha256 is not a SHA-256 in lower-case hex")
    if len(network.outputs) > MOST_OUTPUTS or not all(isinstance(name, str) for name in network.outputs):
        refuse(f"network.outputs is not a list of at most {MOST_OUTPUTS} names")
    if not isinstance(network.known, dict) or len(network.known) > MOST_OUTPUTS:
        refuse(f"network.known is not an object of at most {MOST_OUTPUTS} entries")
    for name, values in network.known.items():
        if not isinstance(values, (list, tuple)) or not 0 < len(values) <= MOST_VALUES:
            refuse(f"network.known of {name!r:.60} is not a list of 1 to {MOST_VALUES} numbers")
        for value in values:
            scalar(f"network.known of {name!r:.60}", value, float)
            between(f"network.known of {name!r:.60}", value, -LARGEST, LARGEST)
