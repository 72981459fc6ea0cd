"""Share a small labelled folder, and a finished pre-training on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.blocks import write_blocks
from tests.support.tiny_network import TINY
from tests.support.watched_run import watched
from training.pretrain import main

RECIPE = f"""{TINY}drop_path = 0.3
[optim]
steps = 6
batch = 4
[run]
device = "cpu"
log_every = 1
[monitor]
every = 2
pictures = 1
probe_tokens = 100
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_blocks(root / "blocks", "abcd", side=48)
    (root / "tiny.toml").write_text(RECIPE)
    return root


@pytest.fixture(scope="session")
def finished(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "finished"
    assert main(watched(folder, run)) == 0
    return run
