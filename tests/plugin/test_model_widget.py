"""The control for a model in the dialogs of Processing."""

from __future__ import annotations

import json

import pytest
from qgis.PyQt.QtWidgets import QComboBox, QFileDialog, QToolButton


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    folder = tmp_path / "shelf" / "my-model"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps({"title": "My own classes"}))
    monkeypatch.setenv("SARDINO_MODELS", str(folder.parent))
    return folder


@pytest.fixture
def panel(provider, shelf, qgis_new_project, monkeypatch):
    """The parameters panel of the real dialog, in a QGIS without a main window."""
    from processing.gui import ParametersPanel
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    monkeypatch.setattr(ParametersPanel, "iface", None)
    dialog = AlgorithmDialog(provider.algorithm("landcover").create(), False, None)
    yield dialog.mainWidget()
    dialog.close()
    dialog.deleteLater()


def test_dialog_offers_titles_and_gives_names(panel):
    wrapper = panel.wrappers["MODEL"]
    choice = wrapper.wrappedWidget().findChild(QComboBox)
    titles = [choice.itemText(i) for i in range(choice.count())]
    assert titles[0] == "Bundled model" and "My own classes" in titles
    assert wrapper.parameterValue() == ""
    choice.setCurrentText("My own classes")
    assert wrapper.parameterValue() == "my-model"


def test_dialog_takes_a_folder(panel, tmp_path, monkeypatch):
    wrapper = panel.wrappers["MODEL"]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    wrapper.wrappedWidget().findChild(QToolButton).click()
    assert wrapper.parameterValue() == str(tmp_path)
    wrapper.setParameterValue("my-model", panel.processing_context)
    assert wrapper.parameterValue() == "my-model"
    wrapper.setParameterValue(None, panel.processing_context)
    assert wrapper.parameterValue() == ""
