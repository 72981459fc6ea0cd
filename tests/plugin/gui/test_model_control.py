"""Test the control for a model in Processing dialogs, and the last used values."""

from __future__ import annotations

import json
import time

import pytest
from qgis.core import Qgis, QgsProcessingContext, QgsProcessingModelAlgorithm, QgsProcessingModelChildParameterSource
from qgis.PyQt.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit, QScrollArea, QToolButton

from sardino_qgis.common.last_used import keep
from sardino_qgis.gui.card_dialog import CardDialog
from sardino_qgis.models import installed
from sardino_qgis.models.trained import models_folder

pytestmark = pytest.mark.usefixtures("settings")
WITH_MODEL = ("landcover", "attention", "embeddings", "similarity")


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    folder = tmp_path / "shelf" / "my-model"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps({"title": "My own classes", "trained_on": ["my samples"]}))
    monkeypatch.setenv("SARDINO_MODELS", str(folder.parent))
    return folder


@pytest.fixture
def open_dialog(provider, shelf, qgis_new_project, monkeypatch):
    """Open the real dialog of an algorithm in a QGIS without a main window."""
    from processing.gui import ParametersPanel
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    monkeypatch.setattr(ParametersPanel, "iface", None)
    opened = []

    def open_one(name="landcover"):
        opened.append(AlgorithmDialog(provider.algorithm(name).create(), False, None))
        return opened[-1]

    yield open_one
    for dialog in opened:
        dialog.close()
        dialog.deleteLater()


@pytest.fixture
def panel(open_dialog):
    return open_dialog().mainWidget()


def button(wrapper, name):
    return wrapper.wrappedWidget().findChild(QToolButton, name)


@pytest.mark.parametrize("name", WITH_MODEL)
def test_dialog_offers_titles_and_gives_names(open_dialog, name):
    wrapper = open_dialog(name).mainWidget().wrappers["MODEL"]
    choice = wrapper.wrappedWidget().findChild(QComboBox)
    titles = [choice.itemText(i) for i in range(choice.count())]
    assert titles[0] == f"{installed.find_model('').title} (default)" and "My own classes" in titles
    assert wrapper.parameterValue() == ""
    choice.setCurrentText("My own classes")
    assert wrapper.parameterValue() == "my-model"


def test_dialogs_need_no_horizontal_scroll_bar(open_dialog):
    """At the size at which QGIS opens them."""
    for name in (*WITH_MODEL, "trainclassifier", "accuracy", "calibrate", "flatten"):
        dialog = open_dialog(name)
        dialog.show()
        QApplication.processEvents()
        (area,) = dialog.mainWidget().findChildren(QScrollArea)
        assert area.horizontalScrollBar().maximum() == 0, name
        dialog.hide()


def test_dialog_takes_a_folder(panel, tmp_path, monkeypatch):
    wrapper = panel.wrappers["MODEL"]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    button(wrapper, "browse").click()
    assert wrapper.parameterValue() == str(tmp_path)
    wrapper.setParameterValue("my-model", panel.processing_context)
    assert wrapper.parameterValue() == "my-model"
    for default in (None, "", installed.DEFAULT_MODEL):
        wrapper.setParameterValue(default, panel.processing_context)
        assert wrapper.parameterValue() == "", "the default, however it is named"


def test_dialog_offers_added_models(open_dialog, shelf, monkeypatch):
    monkeypatch.delenv("SARDINO_MODELS")
    installed.add_folder(str(shelf))
    panel = open_dialog().mainWidget()
    wrapper = panel.wrappers["MODEL"]
    wrapper.wrappedWidget().findChild(QComboBox).setCurrentText("My own classes")
    assert wrapper.parameterValue() == str(shelf)
    wrapper.setParameterValue("my-model", panel.processing_context)
    assert wrapper.wrappedWidget().findChild(QComboBox).currentText() == "My own classes"


def test_open_dialog_lists_a_model_that_was_made_meanwhile(panel, tmp_path):
    wrapper = panel.wrappers["MODEL"]
    choice = wrapper.wrappedWidget().findChild(QComboBox)
    made = tmp_path / "fresh"
    made.mkdir()
    (made / "card.json").write_text(json.dumps({"title": "Just trained"}))
    installed.add_folder(str(made))
    choice.setCurrentText("My own classes")
    choice.showPopup()
    choice.hidePopup()
    assert wrapper.parameterValue() == "my-model", "what was chosen stays"
    choice.setCurrentText("Just trained")
    assert wrapper.parameterValue() == str(made)


def test_training_dialog_proposes_the_profiles_models_folder(open_dialog):
    panel = open_dialog("trainclassifier").mainWidget()
    assert panel.wrappers["OUTPUT"].parameterValue() == str(models_folder())


def test_card_of_the_chosen_model_is_shown_before_the_run(open_dialog):
    dialog = open_dialog()
    wrapper = dialog.mainWidget().wrappers["MODEL"]

    def shown():
        button(wrapper, "card").click()
        (card,) = [c for c in dialog.findChildren(CardDialog) if c.isVisible()]
        return card.browser.toPlainText()

    assert installed.read_card(installed.find_model("").folder)["limits"][0] in shown()
    wrapper.setParameterValue("my-model", QgsProcessingContext())
    assert "my samples" in shown()
    wrapper.setParameterValue("unheard-of", QgsProcessingContext())
    assert "no model or folder named unheard-of" in shown()


def test_batch_dialog_has_the_control_in_each_row(provider, shelf, qgis_new_project):
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog

    dialog = BatchAlgorithmDialog(provider.algorithm("landcover").create(), None)
    rows = dialog.mainWidget()
    rows.addRow()
    column = rows.parameter_to_column["MODEL"]
    rows.wrappers[1][column].setParameterValue("my-model", QgsProcessingContext())
    assert [rows.wrappers[row][column].parameterValue() for row in (0, 1)] == ["", "my-model"]
    context = [QgsProcessingContext()] if Qgis.QGIS_VERSION_INT >= 33400 else []
    assert rows.parametersForRow(1, *context, warnOnInvalid=False)[0]["MODEL"] == "my-model"
    dialog.close()
    dialog.deleteLater()


def test_model_designer_takes_a_model(provider, shelf, qgis_new_project):
    """Open the designer's dialog, which failed once: it only accepts its own kind of control."""
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog

    dialog = ModelerParametersDialog(provider.algorithm("landcover").create(), QgsProcessingModelAlgorithm())
    control = dialog.widget.widget.wrappers["MODEL"]
    (line,) = [edit for edit in control.findChildren(QLineEdit) if edit.completer() is not None]
    line.setText("my-model")
    assert control.value().staticValue() == "my-model"
    proposals = line.completer().model()
    assert "my-model" in [proposals.index(row, 0).data() for row in range(proposals.rowCount())]
    control.setWidgetValue(QgsProcessingModelChildParameterSource.fromExpression("'my-' || 'model'"))
    assert control.value().expression() == "'my-' || 'model'"
    dialog.close()
    dialog.deleteLater()


# What is remembered


def values_of(dialog, *names):
    return [dialog.mainWidget().wrappers[name].parameterValue() for name in names]


def run_with(dialog, good=True, **values):
    """Fill in a dialog, and end a run of it as Processing does."""
    for name, value in values.items():
        dialog.mainWidget().wrappers[name].setParameterValue(value, dialog.mainWidget().processing_context)
    dialog.algorithmFinished.emit(good, {})


def test_next_dialog_offers_the_last_used_values(open_dialog, scene):
    used = {"UNITS": "db", "DEVICE": "cpu", "BATCH_SIZE": 4}
    of_the_scene = {"INPUT": str(scene), "EXTENT": "1,2,3,4 [EPSG:32633]", "MODEL": "my-model", "POLARISATION": "VH"}
    run_with(open_dialog(), **of_the_scene, **used)
    names = ("UNITS", "DEVICE", "BATCH_SIZE", "EXTENT", "MODEL", "POLARISATION")
    assert values_of(open_dialog(), *names) == ["db", "cpu", 4, None, "", "auto"]
    assert values_of(open_dialog("attention"), *names[:3]) == ["auto", "auto", 0], "each algorithm for itself"
    run_with(open_dialog(), UNITS="auto", DEVICE="auto", BATCH_SIZE=0)
    assert values_of(open_dialog(), *names[:3]) == ["auto", "auto", 0]


def test_real_run_of_the_dialog_is_remembered(open_dialog, scene, tmp_path, script, monkeypatch, layer_panel):
    body = """
        import json, shutil, sys
        shutil.copy(sys.argv[4], sys.argv[5])
        print(json.dumps({"event": "result", "outputs": {"output": sys.argv[5]}}))
    """
    monkeypatch.setenv("SARDINO_PYTHON", str(script(body, "copyist")))
    dialog = open_dialog()
    panel = dialog.mainWidget()
    values = {"INPUT": str(scene), "UNITS": "db", "MODEL": "my-model", "OUTPUT": str(tmp_path / "o.tif")}
    for name, value in values.items():
        panel.wrappers[name].setParameterValue(value, panel.processing_context)
    ended = []
    dialog.algorithmFinished.connect(lambda good, _results: ended.append(good))
    dialog.runAlgorithm()
    deadline = time.monotonic() + 30
    while not ended and time.monotonic() < deadline:
        QApplication.processEvents()
        time.sleep(0.01)
    assert ended == [True] and (tmp_path / "o.tif").is_file()
    assert values_of(open_dialog(), "UNITS", "MODEL") == ["db", ""]
    assert values_of(open_dialog(), "INPUT") != [str(scene)], "inputs are not remembered"


def test_failed_runs_are_not_remembered(open_dialog):
    run_with(open_dialog(), good=False, UNITS="db")
    assert values_of(open_dialog(), "UNITS") == ["auto"]


def test_scripts_use_the_declared_defaults(provider, settings):
    landcover = provider.algorithm("landcover").create()
    keep(landcover, {"UNITS": "db", "MODEL": "my-model"})
    fresh = provider.algorithm("landcover").create()
    units, model = (fresh.parameterDefinition(name) for name in ("UNITS", "MODEL"))
    assert (units.defaultValue(), units.defaultValueForGui()) == ("auto", "db")
    assert (model.defaultValue(), model.defaultValueForGui()) == (None, None)


def test_values_no_longer_acceptable_are_not_offered(provider, settings):
    settings.setValue("sardino/last/landcover/UNITS", "furlongs")
    settings.setValue("sardino/last/landcover/BATCH_SIZE", 5000)
    fresh = provider.algorithm("landcover").create()
    assert fresh.parameterDefinition("UNITS").defaultValueForGui() == "auto"
    assert fresh.parameterDefinition("BATCH_SIZE").defaultValueForGui() == 0
