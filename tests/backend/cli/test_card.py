"""Test `card`: the bundled model's card as JSON and as a STAC item, printed, reported and written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

from backend.__main__ import main
from backend.card.registry import model_folder
from tests.support.stac.schemas import item_errors

BUNDLED = model_folder(None)


def test_the_card_is_printed_as_it_was_checked(capsys):
    assert main(["card"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((BUNDLED / "card.json").read_text())


def test_the_item_of_the_bundled_model_is_valid_and_reported(capsys):
    assert main(["card", str(BUNDLED), "--mlm", "--progress", "json"]) == 0
    event = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert event["event"] == "result" and event["item"]["id"] == BUNDLED.name
    assert event["item"]["properties"]["license"] == "GPL-2.0-or-later"
    assert item_errors(event["item"]) == []


@pytest.mark.parametrize("place", ["item.json", "m x/item.json", "other/item.json"])
def test_links_of_a_written_item_lead_to_the_files(place, tmp_path, capsys):
    folder, output = tmp_path / "m x", tmp_path / place
    shutil.copytree(BUNDLED, folder)
    output.parent.mkdir(exist_ok=True)
    assert main(["card", str(folder), "--mlm", "--output", str(output)]) == 0
    item = json.loads(output.read_text())
    assert item_errors(item) == []
    for name, file in (("weights", "model.safetensors"), ("card", "card.json")):
        found = Path(output.parent, unquote(item["assets"][name]["href"]))
        assert found.resolve() == (folder / file).resolve()
    assert main(["card", str(folder), "--mlm", "--output", str(output)]) == 1
    assert "exists" in capsys.readouterr().err
    assert main(["card", str(folder), "--output", str(output), "--overwrite"]) == 0
    assert json.loads(output.read_text())["schema_version"] == 1


def test_a_model_is_not_written_over(tmp_path, capsys):
    folder = tmp_path / "m"
    shutil.copytree(BUNDLED, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in before:
        assert main(["card", str(folder), "--mlm", "--output", str(folder / name), "--overwrite"]) == 1
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "input" in capsys.readouterr().err
