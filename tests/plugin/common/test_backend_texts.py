"""Test that messages of the backend are shown in the language of QGIS, by their templates."""

from __future__ import annotations

import json
import re

import processing
import pytest
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsRasterLayer

from backend.core.errors import InputError
from backend.radiometry.checks import ACCEPT, Check
from sardino_qgis.client.dialog_terms import _labels, in_dialog_terms
from sardino_qgis.client.events import Listener, WorkerError
from sardino_qgis.common.backend_texts import FOLDER, PLURAL, Catalogue, backend_text
from sardino_qgis.layers.legend import translated_names
from sardino_qgis.layers.styling import QmlStyler
from sardino_qgis.models.card_page import card_page
from sardino_qgis.models.installed import installed_models

SPANISH = json.loads((FOLDER / "backend_es.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue(SPANISH)


def test_every_template_is_found_in_its_message(catalogue):
    for template, translation in SPANISH.items():
        names = re.findall(r"(?<!\{)\{(\w+)\}", template)
        values = {name: "s" if name == PLURAL else f"W{i}7" for i, name in enumerate(names)}
        assert catalogue.translated(template.format(**values)) == translation.format(**values)


def test_translations_name_what_the_dialog_has(qgis_app):
    options = "|".join(_labels())
    for translation in SPANISH.values():
        shown = in_dialog_terms(translation)
        assert not re.search(rf"(?<![\w-])({options})(?![\w-])| in QGIS", shown), shown


def test_messages_in_messages_are_translated(spanish):
    assert backend_text("/d/x.tif is not a raster that GDAL can open: it is a TIFF that is damaged or cut off.") == (
        "/d/x.tif no es un ráster que GDAL pueda abrir: es un TIFF que está dañado o cortado."
    )
    assert backend_text("PyTorch is installed but can't be loaded (no disk). OpenVINO runs it instead.") == (
        "PyTorch está instalado, pero no se puede cargar (no disk). OpenVINO lo ejecuta en su lugar."
    )


def test_clauses_sentences_and_first_letters(spanish):
    check = Check(
        "order",
        "VV is weaker than VH by 2 dB",
        "two polarisations differ",
        "warning",
        f"If they are backscatter all the same, use {ACCEPT}.",
    )
    clauses = "VV es más débil que VH en 2 dB; dos polarizaciones difieren."
    assert backend_text(check.text) == f"{clauses} Si de todos modos son retrodispersión, usar {ACCEPT}."
    assert (
        backend_text("Memory ran out. Set up the backend again.")
        == "Se agotó la memoria. Configurar el motor otra vez."
    )
    assert backend_text("the map has no valid pixel.") == "el mapa no tiene ningún píxel válido."


def test_lists_of_classes_are_translated_and_own_names_are_not(spanish):
    assert backend_text("Only on the map, not in the reference where it was compared: 10 Tree cover, 7 Rice.") == (
        "Solo en el mapa, no en la referencia donde se comparó: 10 Cubierta arbórea, 7 Rice."
    )


@pytest.mark.parametrize(
    "text", ["", "Nobody has translated this.", "/data/Cropland.tif", "{name} {", "7 of 9: 3", "Give a picture."]
)
def test_what_is_not_known_stays_english(spanish, text):
    assert backend_text(text) == text


def test_other_languages_stay_english(qgis_app):
    assert backend_text("Memory ran out.") == "Memory ran out."


def test_drafts_are_not_shown():
    assert Catalogue({"Stop.": "?? Parar.", "Go.": ""}).translated("Stop. Go.") == "Stop. Go."


def test_lists_and_sentences_that_are_put_in_are_translated_each(spanish):
    looks = "Equivalent number of looks (median of blocks): VV 4.1 before, 20.3 after; VH 4 before, 19 after."
    assert backend_text(looks).endswith(": VV 4.1 antes, 20.3 después; VH 4 antes, 19 después.")
    dates = "3 dates: each is mapped, and their probabilities are joined."
    more = " 2 of them lie on another grid, and are warped to it in linear power."
    assert backend_text(dates + more).endswith(
        "sus probabilidades. 2 de ellas están en otra cuadrícula, y se reproyectan en potencia lineal."
    )


def test_events_are_translated_and_put_in_terms_of_the_dialog(spanish, feedback):
    listener = Listener(feedback, "")
    error = InputError(
        "The raster has 3 bands, beside band 1 coh; the model wants 2 (VV, VH).", "Map it in parts, with --extent."
    )
    listener.hear(
        json.dumps(
            {"event": "log", "level": "warning", "message": "No sample lies within x.tif (or the extent asked for)."}
        )
    )
    listener.hear(json.dumps({"event": "error", "message": error.message, "hint": error.hint}))
    assert feedback.warnings == ["Ninguna muestra está dentro de x.tif (o de la extensión pedida)."]
    with pytest.raises(WorkerError) as caught:
        listener.raise_error()
    assert caught.value.message == "El ráster tiene 3 bandas, además de banda 1 coh; el modelo necesita 2 (VV, VH)."
    assert caught.value.hint.startswith("Cartografiarlo por partes, con '")
    assert feedback.debug == [f"{error.message} {error.hint}"], "what the guide and others know it by"


def test_a_refusal_of_a_real_run_is_spanish(spanish, scene, tmp_path, backend_python, provider, monkeypatch):
    monkeypatch.setenv("SARDINO_PYTHON", backend_python)
    given = {"INPUT": str(scene), "OUTPUT": str(tmp_path / "o.tif"), "MODEL": "nobody-made-it"}
    with pytest.raises(QgsProcessingException, match="No hay ningún modelo llamado 'nobody-made-it'; instalados: "):
        processing.run("sardino:landcover", given)


def test_class_names_are_spanish_in_the_legend(spanish, tmp_path):
    path = str(tmp_path / "map.tif")
    data = gdal.GetDriverByName("GTiff").Create(path, 4, 4, 1, gdal.GDT_Byte)
    colours = gdal.ColorTable()
    colours.SetColorEntry(10, (0, 100, 0, 255))
    data.GetRasterBand(1).SetColorTable(colours)
    data.SetMetadata({"SARDINO_CLASSES": '[[10, "Tree cover", "#006400"], [3, "Rice", "#ffff00"]]'})
    del data
    assert translated_names(path) == {"Cubierta arbórea": 10}
    layer = QgsRasterLayer(path, "map")
    entry = '<paletteEntry value="{}" label="{}" color="#006400" alpha="255"/>'
    palette = entry.format(10, "Tree cover") + entry.format(3, "Rice")
    (tmp_path / "map.qml").write_text(
        '<!DOCTYPE qgis><qgis><pipe><rasterrenderer type="paletted" band="1" opacity="1">'
        f"<colorPalette>{palette}</colorPalette></rasterrenderer></pipe></qgis>"
    )
    QmlStyler().style(layer)
    assert [item.label for item in layer.renderer().classes()] == ["Cubierta arbórea", "Rice"]
    del layer


def test_the_card_names_the_classes_in_spanish(spanish):
    model = next(model for model in installed_models() if model.name == "sardino-s1-small")
    assert "Cubierta arbórea" in card_page(model)
