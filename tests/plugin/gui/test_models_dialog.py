"""Test the dialog of installed models, with the real backend checking added folders."""

from __future__ import annotations

import json
import shutil
import time

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtWidgets import QApplication, QFileDialog

import sardino_qgis
from sardino_qgis.models import installed

pytestmark = pytest.mark.usefixtures("settings", "qgis_processing")


@pytest.fixture
def dialog(desktop, backend_python, monkeypatch):
    monkeypatch.setenv("SARDINO_PYTHON", backend_python)
    plugin = sardino_qgis.classFactory(desktop)
    plugin.initGui()
    plugin.show_models()
    desktop.plugin = plugin
    yield plugin.models_dialog
    plugin.unload()


@pytest.fixture
def add(dialog, monkeypatch):
    """Add a folder as a user does; return the dialog's last message."""

    def run(folder, seconds=60):
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(folder))
        dialog.add_button.click()
        deadline = time.monotonic() + seconds
        while not dialog.add_button.isEnabled() and time.monotonic() < deadline:
            QApplication.processEvents()
            time.sleep(0.02)
        assert dialog.add_button.isEnabled(), "the check has not ended"
        return dialog.status.text()

    return run


def titles(dialog):
    return [dialog.list.item(row).text() for row in range(dialog.list.count())]


def test_models_are_listed_by_title_with_their_cards(dialog):
    default = installed.find_model("")
    assert titles(dialog) == [f"{default.title} (default)"]
    assert dialog.current().folder == default.folder and not dialog.forget_button.isEnabled()
    assert installed.read_card(default.folder)["limits"][0] in dialog.card.toPlainText()


def test_good_model_is_added_offered_and_removed(dialog, add, model):
    assert add(model).startswith("Added: ")
    assert installed.added_folders() == [str(model)]
    assert dialog.current().folder == str(model) and "Random weights" in titles(dialog)
    assert "nothing: random weights for tests" in dialog.card.toPlainText()
    assert (("Random weights", str(model))) in installed.labelled_models()
    dialog.forget_button.click()
    assert installed.added_folders() == [] and model.is_dir()
    assert dialog.current().folder == installed.find_model("").folder


def test_refusals_come_from_the_backend(dialog, add, model, tmp_path):
    assert "card.json and model.safetensors" in add(tmp_path)
    damaged = shutil.copytree(model, tmp_path / "damaged")
    weights = (damaged / "model.safetensors").read_bytes()
    (damaged / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    assert "Not added: " in (said := add(damaged)) and "SHA-256" in said
    odd = shutil.copytree(model, tmp_path / "odd")
    card = json.loads((odd / "card.json").read_text())
    (odd / "card.json").write_text(json.dumps({**card, "title": "<b>a\x1b[2J"}))
    assert "control characters" in add(odd)
    assert installed.added_folders() == [] and len(titles(dialog)) == 1


def test_missing_backend_is_explained(dialog, add, model, monkeypatch, tmp_path):
    monkeypatch.setenv("SARDINO_PYTHON", str(tmp_path / "none"))
    assert "Set up backend…" in add(model)
    assert installed.added_folders() == []


def test_unloading_ends_a_running_check(dialog, desktop, script, monkeypatch, model):
    monkeypatch.setenv("SARDINO_PYTHON", str(script("import sys\nsys.stdin.read()", "idle")))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(model))
    dialog.add_button.click()
    (task,) = QgsApplication.taskManager().activeTasks()
    assert not dialog.add_button.isEnabled()
    desktop.plugin.unload()
    assert task.waitForFinished(10_000)
    for _ in range(20):
        QApplication.processEvents()
    assert not QgsApplication.taskManager().activeTasks() and installed.added_folders() == []
