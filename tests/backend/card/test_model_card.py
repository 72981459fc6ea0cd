"""Model cards survive a round trip; invalid ones are refused."""

from __future__ import annotations

import copy
import json

import pytest

from backend.card.model_card import MAX_CARD_BYTES, ModelCard
from backend.card.registry import DEFAULT_MODEL
from backend.card.worldcover import COLOURS, MERGED_COLOURS, MERGED_NAMES, NAMES
from backend.core.errors import ModelError


@pytest.fixture
def plain(tiny_model):
    return json.loads((tiny_model / "card.json").read_text())


def test_a_card_survives_writing_and_reading(tiny_model, tmp_path):
    card = ModelCard.load(tiny_model / "card.json")
    card.save(tmp_path / "card.json")
    assert ModelCard.load(tmp_path / "card.json") == card


def _set(path, value):
    def change(data):
        *parents, last = path
        for key in parents:
            data = data[key]
        data[last] = value

    return change


def _drop(key):
    return lambda data: data.pop(key)


def test_a_card_may_state_limits(plain):
    assert ModelCard.from_dict(plain).limits == ()
    plain.pop("limits", None)
    assert ModelCard.from_dict(plain).limits == (), "cards from before there were limits"
    card = ModelCard.from_dict({**plain, "limits": ["poor on towns"]})
    assert card.limits == ("poor on towns",) and ModelCard.from_dict(card.to_dict()) == card


def test_bundled_card_has_a_known_legend_and_limits(repo_root):
    """Other parts of the program know WorldCover's legend and the one that is merged from it."""
    card = ModelCard.load(repo_root / "resources" / "models" / DEFAULT_MODEL / "card.json")
    known = [{value: (names[value], colours[value]) for value in names} for names, colours in LEGENDS]
    assert {c.value: (c.name, c.color) for c in card.classes} in known
    assert len(card.limits) >= 3


LEGENDS = ((NAMES, COLOURS), (MERGED_NAMES, MERGED_COLOURS))
BROKEN = {
    "limits as a text": _set(["limits"], "none"),
    "a limit that is no text": _set(["limits"], [1]),
    "missing key": _drop("bands"),
    "unknown key": _set(["surprise"], 1),
    "future schema": _set(["schema_version"], 2),
    "schema as text": _set(["schema_version"], "1"),
    "class path as architecture": _set(["arch", "timm"], "os.system"),
    "unknown head": _set(["arch", "head"], "magic"),
    "heads do not divide": _set(["arch", "heads"], 5),
    "window even": _set(["arch", "windows"], [3, 4]),
    "windows descending": _set(["arch", "windows"], [5, 3]),
    "window twice": _set(["arch", "windows"], [3, 3]),
    "window huge": _set(["arch", "windows"], [10**9 + 1]),
    "window as text": _set(["arch", "windows"], ["3"]),
    "windows as a number": _set(["arch", "windows"], 3),
    "windows without end": _set(["arch", "windows"], list(range(1, 63, 2))),
    "smooth zero": _set(["arch", "smooth"], 0),
    "smooth even": _set(["arch", "smooth"], 2),
    "no tree": _set(["arch", "trees"], 0),
    "trees beyond memory": lambda data: data["arch"].update(head="forest", trees=1024, tree_nodes=32_000),
    "depth zero": _set(["arch", "depth"], 0),
    "depth as float": _set(["arch", "depth"], 2.0),
    "depth as bool": _set(["arch", "depth"], True),
    "huge width": _set(["arch", "embed_dim"], 10**9),
    "tile not a multiple of the patch": _set(["tile"], 65),
    "path traversal as name": _set(["name"], "../../etc/passwd"),
    "upper-case name": _set(["name"], "Model"),
    "control character in the title": _set(["title"], "a\x1b[2J"),
    "control character in a class name": _set(["classes", 0, "name"], "a\nb"),
    "class value 0": _set(["classes", 0, "value"], 0),
    "class value 255": _set(["classes", 0, "value"], 255),
    "class value twice": _set(["classes", 0, "value"], 40),
    "colour by name": _set(["classes", 0, "color"], "red"),
    "colour with more": _set(["classes", 0, "color"], "#123456; drop"),
    "no classes": _set(["classes"], []),
    "classes as text": _set(["classes"], "abc"),
    "a thousand classes": _set(["classes"], [{"value": 1, "name": "a", "color": "#000000"}] * 1000),
    "clip upside down": _set(["bands", 0, "clip"], [5, -30]),
    "clip of three": _set(["bands", 0, "clip"], [1, 2, 3]),
    "clip of text": _set(["bands", 0, "clip"], ["a", "b"]),
    "deviation zero": _set(["bands", 0, "std"], 0),
    "mean not finite": _set(["bands", 0, "mean"], float("nan")),
    "unit unknown": _set(["bands", 0, "unit"], "furlong"),
    "band twice": _set(["bands", 0, "name"], "VH"),
    "product unknown": _set(["product"], "beta0"),
    "pixel size zero": _set(["gsd_m"], 0),
    "pixel size infinite": _set(["gsd_m"], float("inf")),
    "hash too short": _set(["weights_sha256"], "abc"),
    "metrics as list": _set(["metrics"], []),
    "sources as numbers": _set(["trained_on"], [1, 2]),
    "bands as an object": _set(["bands"], {"VV": 1}),
    "arch as a list": _set(["arch"], []),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_card_is_refused_in_one_line_with_a_hint(plain, change, tmp_path):
    broken = copy.deepcopy(plain)
    change(broken)
    path = tmp_path / "card.json"
    path.write_text(json.dumps(broken))
    with pytest.raises(ModelError) as caught:
        ModelCard.load(path)
    assert caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b" " * (MAX_CARD_BYTES + 1)]
)
def test_what_is_not_a_card_is_refused(content, tmp_path):
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        ModelCard.load(path)


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(ModelError, match="card.json"):
        ModelCard.load(tmp_path / "card.json")


def test_the_older_name_of_a_key_is_read(plain, tmp_path):
    del plain["allows_missing_bands"]
    assert ModelCard.from_dict({**plain, "bears_missing_bands": True}).allows_missing_bands
    with pytest.raises(ModelError, match="bears_missing_bands is unknown"):
        ModelCard.from_dict({**plain, "bears_missing_bands": True, "allows_missing_bands": True})
