"""Small files are read whole, if they are files and not too large."""

import os

import pytest

from backend.card.model_card import ModelCard
from backend.core.errors import SarDinoError
from backend.core.regular_file import read_regular, read_regular_text
from backend.own_classes.legend import read_styles
from backend.raster.geojson import read_features


def test_a_file_is_read_up_to_a_bound(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfabc")
    assert read_regular_text(path, 6) == "abc"
    with pytest.raises(OSError, match="it has more than"):
        read_regular(path, 5)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "b.txt", 5)
    with pytest.raises(OSError, match="directory"):
        read_regular(tmp_path, 5)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that are files")
@pytest.mark.parametrize("read", [ModelCard.load, read_styles, lambda path: read_features(path, None)])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_readers_refuse_pipes_and_devices(read, kind, tmp_path):
    path = tmp_path / "card.json"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(SarDinoError, match="not a file but a pipe, socket or device"):
        read(path)
