"""Choose the precision of a forward pass."""

from __future__ import annotations

import pytest
import torch

from backend.core.errors import ResourceError
from backend.engines.precision import autocast

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "dtype"), [("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_a_matrix_product_on_the_cpu_has_the_precision_asked_for(name, dtype):
    layer = torch.nn.Linear(4, 4)
    with autocast(name, CPU):
        y = layer(torch.ones(2, 4))
    assert y.dtype == dtype
    y.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32


def test_what_the_device_lacks_is_refused_if_asked_for_by_name():
    with pytest.raises(ResourceError, match="bfloat16"):
        autocast("bfloat16", torch.device("mps"))
