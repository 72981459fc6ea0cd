"""Test the list of models, the values of the parameter MODEL, and the page of a card."""

from __future__ import annotations

import json
import os
import re

import pytest
from qgis.PyQt.QtGui import QTextDocument

from backend.card.registry import DEFAULT_MODEL
from sardino_qgis.common import plugin_files
from sardino_qgis.models import installed
from sardino_qgis.models.card_page import card_page, unknown_page

pytestmark = pytest.mark.usefixtures("settings")


def make(folder, card):
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(card if isinstance(card, str) else json.dumps(card))
    return folder


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("SARDINO_MODELS", os.pathsep.join([str(tmp_path / "shelf"), str(tmp_path / "absent")]))
    return tmp_path / "shelf"


def text_of(page):
    """Return the text that a reader sees."""
    document = QTextDocument()
    document.setHtml(page)
    return document.toPlainText()


def test_default_is_the_backends():
    assert installed.DEFAULT_MODEL == DEFAULT_MODEL
    assert installed.find_model("").folder == plugin_files.resource("models", DEFAULT_MODEL)


def test_titles_come_from_the_cards(shelf):
    make(shelf / "good", {"title": "A good one"})
    make(shelf / "odd", "{")
    make(shelf / "deep", "[" * 100_000)
    make(shelf / "list", "[]")
    make(shelf / "large", '{"title": "' + "x" * 1_000_000 + '"}')
    (shelf / "no-card").mkdir()
    found = {m.name: m.title for m in installed.installed_models()}
    assert found["good"] == "A good one" and "no-card" not in found
    assert all(found[name] == name for name in ("odd", "deep", "list", "large"))


def test_titles_are_one_printable_line(shelf):
    make(shelf / "sly", {"title": "a\nb\x1b[2J\u202egnp"})
    make(shelf / "long", {"title": "x" * 500})
    found = {m.name: m.title for m in installed.installed_models()}
    assert found["sly"] == "a\ufffdb\ufffd[2J\ufffdgnp"
    assert found["long"] == "x" * 100 + "…"


def test_added_folders_are_stored_once_and_removed(tmp_path, settings, monkeypatch):
    first, second = (make(tmp_path / place / "mine", {"title": place}) for place in ("one", "two"))
    monkeypatch.chdir(tmp_path)
    for folder in ("one/mine", str(first), str(second)):
        installed.add_folder(folder)
    installed.add_folder(installed.find_model("").folder)  # which is there already
    assert installed.added_folders() == [str(first), str(second)]
    added = [m for m in installed.installed_models() if m.added]
    assert [(m.title, m.value) for m in added] == [("one", str(first)), ("two", str(second))]
    installed.forget_folder(str(first))
    assert installed.added_folders() == [str(second)]  # a list of one, which QSettings may give as a text
    installed.forget_folder(str(second))
    assert installed.added_folders() == [] and not settings.contains(installed.SETTING)
    assert first.is_dir() and second.is_dir()


def test_labels_are_unique(shelf, tmp_path):
    default = installed.find_model("")
    make(shelf / "one", {"title": "Same"})
    make(shelf / "two", {"title": "Same"})
    make(shelf / "imposter", {"title": f"{default.title} (default)"})
    labels = installed.labelled_models()
    assert labels[0] == (f"{default.title} (default)", "")
    assert len({label for label, _ in labels}) == len(labels) == len({value for _, value in labels})
    assert ("Same", "one") in labels and (f"Same ({shelf / 'two'})", "two") in labels
    assert default.name not in {value for _, value in labels}, "the default is listed once"


def test_value_means_a_name_folder_or_default(shelf, tmp_path, monkeypatch):
    make(shelf / "good", {"title": "A good one"})
    mine = make(tmp_path / "mine", {"title": "Mine"})
    monkeypatch.chdir(tmp_path)
    assert installed.model_arguments(" ") == []
    assert installed.model_arguments("good") == ["--model", "good"]
    assert installed.model_arguments("mine") == ["--model", str(mine)], "a folder"
    assert installed.model_arguments("unheard-of") == ["--model", "unheard-of"], "the backend refuses it"
    monkeypatch.chdir("/")
    assert installed.model_arguments("mine") == ["--model", "mine"]
    installed.add_folder(str(mine))
    assert installed.model_arguments("mine") == ["--model", str(mine)], "the name of an added model"
    assert installed.model_arguments(str(mine)) == ["--model", str(mine)]
    clash = make(tmp_path / "elsewhere" / "good", {"title": "Another of that name"})
    installed.add_folder(str(clash))
    assert installed.model_arguments("good") == ["--model", "good"], "a name means what it meant before"
    assert installed.model_arguments(str(clash)) == ["--model", str(clash)]


def test_page_of_the_bundled_model_is_complete():
    model = installed.find_model("")
    page, card = card_page(model), installed.read_card(model.folder)
    text = text_of(page)
    for words in ("Trained on", *card["trained_on"], "Limits", *card["limits"], "pixels of 10 m", "Accuracy",
                  "Mean IoU", *(item["name"] for item in card["classes"]), "gamma0", "dB", "-30 … 5",
                  "GPL-2.0-or-later"):  # fmt: skip
        assert words in text, words
    assert all(f'bgcolor="{item["color"]}"' in page for item in card["classes"])


def test_the_model_stands_before_what_it_is_compared_with(shelf):
    figures = {"together": {"mean_iou": 0.5, "pixels": 9}}
    make(shelf / "good", {"metrics": {"places": {"majority class": figures, "this model": figures}}})
    text = text_of(card_page(installed.find_model("good")))
    assert text.index("This model / Together") < text.index("Majority class / Together")


EVIL = '<img src="http://example.org/x.png"><script>alert(1)</script>\x1b]0;\x07\u202e'


def evil(node):
    """Make every text of a card hostile, including keys of the metrics."""
    if isinstance(node, dict):
        return {key: evil(value) for key, value in node.items()}
    if isinstance(node, list):
        return [evil(value) for value in node]
    return EVIL if isinstance(node, str) else node


def test_text_of_cards_is_escaped(shelf):
    card = installed.read_card(installed.find_model("").folder)
    card = {**evil(card), "metrics": {EVIL: {EVIL: {EVIL: 0.5, "b": 1}, "x": {EVIL: 0.25, "b": 2}}, "words": EVIL}}
    make(shelf / "evil", card)
    page = card_page(installed.find_model("evil"))
    assert not re.search(r"<(img|script)|\x1b|\x07|\u202e", page) and "&lt;img" in page
    assert set(re.findall(r"<(\w+)", page)) <= {"style", "h2", "h3", "p", "b", "ul", "li", "table", "tr", "th", "td"}
    assert not re.search(r"<(img|script)", unknown_page(EVIL))


@pytest.mark.parametrize(
    "card",
    [
        {"title": 5, "bands": 3, "classes": {"a": 1}, "trained_on": "text", "metrics": [1], "limits": {}},
        {"bands": [None, {"clip": "ab"}, {"clip": [None, {}]}], "classes": [1, {"color": '"onclick="'}], "gsd_m": "x"},
        {"metrics": {"a": 10**400, "b": True, "c": {"d": None, "e": [1]}}, "licence": ["x"]},
        {"metrics": {"a": {"b": {str(i): {"x": i} for i in range(5000)}}}, "trained_on": ["line"] * 5000},
        {"metrics": {str(i): {"y": 1.0} for i in range(5000)}, "classes": [{"name": "c", "value": 1}] * 5000},
        {"metrics": {str(i): {str(j): 1.0 for j in range(200)} for i in range(50)}},
        {"metrics": {"a": {"row": {str(j): 1 for j in range(9999)}, "row 2": {str(j): 2 for j in range(9999)}}}},
    ],
)
def test_malformed_cards_make_short_pages(shelf, card):
    page = card_page(installed.InstalledModel("odd", "Odd", str(make(shelf / "odd", card)), "odd"))
    assert "Trained on" in page and len(page) < 100_000
    assert "onclick" not in page


def test_folder_without_a_card_is_reported(tmp_path):
    assert "no readable card.json" in card_page(installed.InstalledModel("gone", "Gone", str(tmp_path), "gone"))
