"""Deep, huge or odd JSON as card, samples, styles or line to the worker is refused plainly."""

import io
import itertools
import json

import pytest

from backend.accuracy.class_values import field_values, integer_label
from backend.card.model_card import ModelCard
from backend.cli.serve import MapContext, ModelCache, SimilarityServer, _answer
from backend.core.cancel import Cancel
from backend.core.errors import ModelError, SarDinoError
from backend.core.events import JsonReporter
from backend.own_classes.legend import build_legend, read_styles
from backend.own_classes.samples import read_samples
from backend.raster.geojson import read_features
from tests.backend.conftest import tiny_card

# Values that JSON can hold where another is wanted.
ODD = [
    "null", "true", "[]", "{}", '""', "[1, 2]", '"--5"', '"²"',
    '"\\u0000"', '"\\ud800"', '"\\u001b[31m"', "-1", "1e999", "-1e308", "NaN", "Infinity",
    "1" * 400, "[" * 30 + "]" * 30, "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "[" * 100_000,
    "[1e308, 1e308]", "[1e308, -1e308, 1e308, 1e308]", '[["a"]]', '{"a": [null]}', "[[1, [2]]]",
]  # fmt: skip


def places_of(document):
    """Return the paths of all values in a document."""
    yield ()
    parts = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in parts:
        for rest in places_of(value):
            yield (key, *rest)


def with_value(document, place, text):
    """Return the JSON of a document with one value replaced by a text."""
    copied = json.loads(json.dumps(document))
    if not place:
        return text
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = "HERE"
    return json.dumps(copied).replace('"HERE"', text)


def mutants(document):
    return [with_value(document, place, text) for place in places_of(document) for text in ODD]


GEO = {
    "type": "FeatureCollection",
    "crs": {"type": "name", "properties": {"name": "EPSG:4326"}},
    "features": [
        {"type": "Feature", "properties": {"class": 1}, "geometry": {"type": "Point", "coordinates": [-3.0, 41.5]}},
        {
            "type": "Feature",
            "properties": {"class": "b"},
            "geometry": {"type": "Polygon", "coordinates": [[[-3, 41], [-3, 42], [-2, 42], [-3, 41]]]},
        },
    ],
}


def test_odd_samples_are_read_or_refused(tmp_path):
    from rasterio.crs import CRS

    path = tmp_path / "a.geojson"
    for text in mutants(GEO):
        path.write_text(text, errors="surrogatepass")
        try:
            features, _ = read_features(path, CRS.from_epsg(32630))
            for value in field_values(features, "class"):
                integer_label(value)
            found = read_samples(path, "class", CRS.from_epsg(32630))
            build_legend([sample.label for sample in found.items], {})
        except SarDinoError as error:
            assert "fault of the program" not in error.hint, text[:300]


@pytest.mark.parametrize("properties", [[1], "abc", 5, True])
def test_properties_that_are_no_object_are_refused(properties, tmp_path):
    path = tmp_path / "a.geojson"
    feature = {**GEO["features"][0], "properties": properties}
    path.write_text(json.dumps({**GEO, "features": [feature]}))
    with pytest.raises(SarDinoError, match="Feature 1 of .* has properties that are a JSON"):
        read_features(path, None)


def test_coordinates_of_400_digits_are_refused(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(GEO).replace("41.5", "1" * 400))
    with pytest.raises(SarDinoError, match="broken coordinates"):
        read_features(path, None)


def test_odd_cards_are_read_or_refused(tmp_path):
    path = tmp_path / "card.json"
    for text in mutants({**tiny_card().to_dict(), "metrics": {"a": {"b": 1.0}}, "activation_ranges": {"a": [-1, 1]}}):
        path.write_text(text)
        try:
            ModelCard.load(path).to_json()
        except ModelError:
            continue


def test_odd_styles_are_read_or_refused(tmp_path):
    path = tmp_path / "styles.json"
    for text in mutants({"1": {"name": "a", "color": "#ffffff"}}):
        path.write_text(text)
        try:
            read_styles(path)
        except SarDinoError as error:
            assert "fault of the program" not in error.hint


def test_odd_lines_to_the_worker_are_refused_plainly(make_raster, scene_db, tiny_model, tmp_path, monkeypatch):
    # Outputs with names such as "None" or "--5" are relative.
    monkeypatch.chdir(tmp_path)
    scene = str(make_raster(scene_db(20, 20)))
    query = {
        "input": scene, "points": [[500_050.0, 4_599_950.0]], "output": str(tmp_path / "q.tif"),
        "model": str(tiny_model),
        "view": [500_000.0, 4_599_900.0, 500_100.0, 4_600_000.0], "bands": [1, 2], "units": "auto",
    }  # fmt: skip
    run = {"run": ["landcover", scene, str(tmp_path / "o.tif"), "--model", "none of these", "--overwrite"]}
    stream = io.StringIO()
    server = SimilarityServer("cpu", Cancel())
    context = MapContext(JsonReporter(stream), Cancel(), ModelCache())
    for text in itertools.chain(mutants(query), mutants(run)):
        stream.seek(0)
        stream.truncate()
        _answer(text.encode(), server, context, "cpu")
        last = json.loads(stream.getvalue().splitlines()[-1])
        assert last["event"] == "result" or "fault of the program" not in last["hint"], (text[:300], last)
