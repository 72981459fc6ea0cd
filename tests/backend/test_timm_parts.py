"""timm is imported also where torchvision's compiled part does not fit PyTorch."""

from __future__ import annotations

import sys

import pytest

from backend import timm_parts


@pytest.fixture
def torchvision_of(tmp_path, monkeypatch):
    """Put a torchvision of the given source in place of the real one, which comes back afterwards."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torchvision"}
    for name in before:
        del sys.modules[name]
    monkeypatch.setattr(timm_parts, "_declared", [])

    def make(source):
        (tmp_path / "torchvision").mkdir()
        (tmp_path / "torchvision" / "__init__.py").write_text(source)
        monkeypatch.syspath_prepend(str(tmp_path))

    yield make
    sys.modules.pop("torchvision", None)
    sys.modules.update(before)


def test_operators_that_were_not_loaded_are_declared(torchvision_of):
    """As torchvision's own start does: it registers shapes for operators of its compiled part."""
    torchvision_of(
        "import torch\n"
        "for name in ('test_absent_a', 'test_absent_b'):\n"
        "    torch.library.register_fake('torchvision::' + name)(lambda x: x)\n"
    )
    timm_parts._import_torchvision()
    assert sys.modules["torchvision"].__file__
    assert len(timm_parts._declared) == 2


@pytest.mark.parametrize("error", ["RuntimeError('something else')", "ImportError('no such file')"])
def test_other_faults_of_torchvision_are_not_hidden(torchvision_of, error):
    torchvision_of(f"raise {error}")
    with pytest.raises((RuntimeError, ImportError), match=r"something else|no such file"):
        timm_parts._import_torchvision()
