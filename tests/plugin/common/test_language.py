"""Test that the plugin uses the language of QGIS from loading until unloading."""

from __future__ import annotations

import pytest
from qgis.core import QgsSettings

import sardino_qgis
from sardino_qgis.common import language
from sardino_qgis.common.i18n import tr
from tools import lrelease
from tools.package import ROOT

pytestmark = pytest.mark.skipif(lrelease.find_lrelease() is None, reason="Qt's lrelease is not installed")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("i18n")
    for source in (ROOT / "sardino_qgis" / "i18n").glob("*.ts"):
        (folder / f"{source.stem}.qm").write_bytes(lrelease.compiled(source))
    return folder


@pytest.fixture
def set_language(qgis_app, compiled, monkeypatch):
    """Set QGIS's language for one test."""
    monkeypatch.setattr(language, "FOLDER", compiled)
    settings = QgsSettings()

    def choose(name):
        settings.setValue("locale/overrideFlag", True)
        settings.setValue("locale/userLocale", name)

    yield choose
    for key in ("locale/overrideFlag", "locale/userLocale"):
        settings.remove(key)


def test_menu_and_algorithms_are_spanish_until_unloaded(set_language, desktop, qgis_processing):
    set_language("es_MX")
    plugin = sardino_qgis.classFactory(desktop)
    for _ in range(2):
        plugin.initGui()
        assert "Configurar el motor…" in [action.text() for action in plugin.menu.actions()]
        assert [action.text() for action in desktop.toolbar.actions()] == [
            "Buscar lugares similares",
            "Dibujar muestras con un clic",
        ]
        algorithm = plugin.provider.algorithm("landcover")
        assert algorithm.displayName() == "Cobertura del suelo a partir de SAR"
        assert algorithm.parameterDefinition("OUTPUT").description() == "Cobertura del suelo"
        assert "cobertura del suelo" in algorithm.tags()
        plugin.unload()
        assert tr("Land cover") == "Land cover"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("es", "Cobertura del suelo"), ("es_419", "Cobertura del suelo"), ("en", "Land cover"), ("pt_BR", "Land cover"),
     ("C", "Land cover")],
)  # fmt: skip
def test_country_falls_back_to_language_then_english(set_language, name, shown):
    set_language(name)
    translator = language.install_translator()
    assert tr("Land cover") == shown
    language.remove_translator(translator)
    assert tr("Land cover") == "Land cover"


def test_checkout_without_translations_is_english(set_language, monkeypatch, tmp_path):
    set_language("es")
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    assert language.install_translator() is None
    assert tr("Land cover") == "Land cover"
