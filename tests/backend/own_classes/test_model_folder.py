"""The output folder of own classes is checked before learning, and files of others in it are kept."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from backend.card.model_card import ModelCard
from backend.card.registry import CARD
from backend.core.cancel import Cancel
from backend.core.errors import InputError, SarDinoError
from backend.folder.read import read_graph, read_tensors
from backend.own_classes import gather
from backend.own_classes.model_folder import claim_folder, folder_name, title_of, write_folder
from tests.backend.reliability import zoo

posix = pytest.mark.skipif(os.name == "nt", reason="links, pipes and bytes in names")


@pytest.fixture
def model(tiny_model):
    """Return tensors and known answers of a model, and its card."""
    card = ModelCard.load(tiny_model / CARD)
    return (read_tensors(tiny_model, card), card.network.known), card


@pytest.fixture
def write(model, tiny_model, tmp_path):
    """Write a model folder while `meanwhile` happens between its check and its end."""

    def call(meanwhile, overwrite=False, path=tmp_path / "own"):
        with claim_folder(path, tiny_model, overwrite, Cancel()):
            meanwhile(path)
            write_folder(path, *model, Cancel())

    return call


def loads(folder):
    """Read the weights and the network of a folder."""
    card = ModelCard.load(folder / CARD)
    return read_tensors(folder, card) and read_graph(folder, card).nodes


def put(*names):
    def meanwhile(path):
        path.mkdir(exist_ok=True)
        for name in names:
            (path / name).write_text("theirs")

    return meanwhile


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_bytes()[:6].decode(errors="replace") for path in folder.iterdir()}


@pytest.mark.parametrize("there", [True, False], ids=["empty", "absent"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_files_that_appear_in_the_folder_survive(write, tmp_path, there, overwrite):
    if there:
        (tmp_path / "own").mkdir()
    write(put("notes.txt"), overwrite)
    assert content(tmp_path / "own").keys() == {"notes.txt", "card.json", "model.safetensors", "network.onnx"}
    assert (tmp_path / "own" / "notes.txt").read_text() == "theirs" and loads(tmp_path / "own")
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


@pytest.mark.parametrize("names", [("card.json",), ("model.safetensors",), ("card.json", "model.safetensors")])
@pytest.mark.parametrize("there", [True, False], ids=["empty", "absent"])
def test_a_model_that_appears_is_kept_without_overwrite(write, tmp_path, names, there):
    if there:
        (tmp_path / "own").mkdir()
    with pytest.raises(SarDinoError, match="appeared during the run"):
        write(put(*names))
    assert content(tmp_path / "own") == dict.fromkeys(names, "theirs")
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_a_file_that_takes_the_name_is_kept(write, tmp_path):
    with pytest.raises(SarDinoError):
        write(lambda path: path.write_text("theirs"))
    assert (tmp_path / "own").read_text() == "theirs" and [path.name for path in tmp_path.iterdir()] == ["own"]


@posix
def test_overwriting_keeps_permissions_and_other_files(write, tmp_path):
    write(lambda path: None)
    own = tmp_path / "own"
    mode = stat.S_IMODE(own.stat().st_mode)
    (tmp_path / "plain").mkdir()
    assert mode == stat.S_IMODE((tmp_path / "plain").stat().st_mode), "not that of a private folder"
    for name in ("card.json", "model.safetensors"):
        (own / name).chmod(0o640)
    write(put("notes.txt"), overwrite=True)
    assert {stat.S_IMODE((own / name).stat().st_mode) for name in ("card.json", "model.safetensors")} == {0o640}
    assert (own / "notes.txt").read_text() == "theirs"


@pytest.fixture
def refused(cli, tmp_path, tiny_model, monkeypatch):
    """Return what `train` says of an output, and check that it refuses before it learns."""
    samples = tmp_path / "s.geojson"
    samples.write_text(json.dumps({"type": "FeatureCollection", "features": []}))
    monkeypatch.setattr(gather, "gather_features", lambda *_: pytest.fail("it began to learn"))
    (tmp_path / "in").mkdir()
    source = zoo.plain(tmp_path / "in")

    def call(output, *options):
        words = ["train", source, output, "--samples", samples, "--field", "cover", "--model", tiny_model, *options]
        code, _, err = cli(*words)
        assert code == 1
        return err

    return call


def no_folder(path):
    path.write_text("x")


@posix
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_folder, "is a file"),
        (lambda path: path.symlink_to(path.with_name("nowhere")), "is a file"),
        (os.mkfifo, "is a file"),
        (lambda path: (path.mkdir(), os.mkfifo(path / "card.json")), "is not a file"),
        (lambda path: (path.mkdir(), (path / "model.safetensors").mkdir()), "is not a file"),
        (lambda path: (path.mkdir(), (path / "notes.txt").write_text("x")), "holds notes.txt"),
    ],
    ids=["file", "dangling", "pipe", "pipe inside", "folder inside", "others"],
)
def test_what_cannot_become_the_folder_is_refused_first(refused, tmp_path, make, words):
    make(tmp_path / "own")
    assert words in refused(tmp_path / "own", "--overwrite")


def test_names_are_refused_first(refused, tmp_path):
    assert "is too long" in refused(tmp_path / ("n" * 300))
    assert "There is no folder" in refused(tmp_path / "none" / "own")
    if os.name != "nt":
        assert "is not valid UTF-8" in refused(tmp_path / os.fsdecode(b"\xff"))


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused_first(refused, tmp_path):
    (tmp_path / "own").mkdir(mode=0o500)
    assert "can't be written to" in refused(tmp_path / "own")


@pytest.mark.parametrize("name", ["a\tb", "-", "...x", "Ä" * 70, " ", "a\nb", "x" * 200, "Ünïcode ☃", "#"])
def test_any_other_name_makes_a_card(write, tmp_path, model, name):
    path = tmp_path / name
    model[1].from_dict({**model[1].to_dict(), "name": folder_name(path), "title": title_of(path)})
    write(lambda given: None, path=path)
    assert loads(path)


def test_dots_are_folders_too(tmp_path, monkeypatch, tiny_model):
    (tmp_path / "own").mkdir()
    monkeypatch.chdir(tmp_path / "own")
    assert folder_name(Path()) == "own" and title_of(Path()) == "own"
    with claim_folder(Path(), tiny_model, False, Cancel()):
        pass
    monkeypatch.chdir("/")
    with pytest.raises(InputError), claim_folder(Path(), tiny_model, True, Cancel()):
        pass
