"""Test that a user without a backend is offered to set it up: once after installing, and at each run."""

from __future__ import annotations

import pytest
from qgis.core import QgsSettings
from qgis.PyQt.QtWidgets import QPushButton

import sardino_qgis
from sardino_qgis.environment import locate
from sardino_qgis.gui.setup_offer import OFFERED

pytestmark = pytest.mark.usefixtures("no_interpreter", "qgis_processing")


@pytest.fixture
def load(desktop):
    """Load the plugin in a fresh profile, as often as called."""
    QgsSettings().remove(OFFERED)
    loaded = []

    def again():
        for plugin in loaded:
            plugin.unload()
        loaded.append(sardino_qgis.classFactory(desktop))
        loaded[-1].initGui()
        return loaded[-1]

    yield again
    loaded[-1].unload()
    QgsSettings().remove(OFFERED)


def test_set_up_is_offered_once_after_installing(load, desktop, monkeypatch):
    plugin = load()
    (said,) = desktop.messages()
    assert said == "The backend, which computes the maps, is not set up yet."
    opened = []
    monkeypatch.setattr(plugin.setup_offer, "_set_up", lambda: opened.append(True))
    (item,) = desktop.bar.items()
    item.findChild(QPushButton).click()
    assert opened and not desktop.messages()
    load()
    assert not desktop.messages(), "not at each start"


def test_run_without_a_backend_offers_the_set_up_in_a_sentence(load, desktop):
    QgsSettings().setValue(OFFERED, True)
    algorithm = load().provider.algorithm("landcover")
    for _ in range(2):
        can, why = algorithm.create().canExecute()
        assert not can and why.endswith("not set up yet. Press 'Set up now' in the bar above the map.")
    assert len(desktop.messages()) == 1


def test_wrong_choice_of_an_interpreter_is_named(load, desktop, monkeypatch):
    monkeypatch.setenv(locate.VARIABLE, "/nowhere/<b>python")
    load()
    (said,) = desktop.messages()
    assert "/nowhere/&lt;b&gt;python" in said and "no such file" in said


def test_nothing_is_offered_where_the_backend_is_there(load, desktop, monkeypatch, script):
    monkeypatch.setenv(locate.VARIABLE, str(script("", "python")))
    assert load().provider.algorithm("landcover").canExecute() == (True, "") and not desktop.messages()
