"""Test the set-up and diagnostics dialogs: plan, real installation, cancel, copied report."""

from __future__ import annotations

import platform
import sys
import time

import pytest
from qgis.core import QgsApplication
from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import QCoreApplication

from sardino_qgis.common import plugin_files
from sardino_qgis.environment import locate, store
from sardino_qgis.environment.kinds import Kind, kind_of
from sardino_qgis.gui.diagnostics_dialog import DiagnosticsDialog
from sardino_qgis.gui.setup_dialog import SetupDialog
from tests.support.tiny_packages import write_plugin, write_wheels

pytestmark = pytest.mark.usefixtures("no_interpreter")


@pytest.fixture
def dialog(tmp_path, monkeypatch):
    """Open the dialog of a packed plugin whose lists name tiny wheels."""
    wheels = tmp_path / "wheels"
    write_wheels(wheels)
    here = f"{sys.platform}-{platform.machine()}"
    plugin = write_plugin(tmp_path / "plugins", wheels, here, "{}.{}".format(*sys.version_info[:2]))
    monkeypatch.setattr(plugin_files, "plugin_folder", lambda: plugin)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("SARDINO_TORCH_INDEX", raising=False)
    made = SetupDialog()
    made.wheels.setFilePath(str(wheels))
    made.python.setFilePath(sys.executable)
    yield made
    made.cancel()
    until(lambda: made.task is None)
    made.deleteLater()


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        QCoreApplication.processEvents()
        time.sleep(0.02)


def test_install_button_sets_up_a_backend_that_is_found(dialog):
    managed = locate.managed_folder()
    dialog.show()
    for shown in ("OpenVINO", "MB on disk", "Graphics card", managed.name, sys.executable.rsplit("/", 1)[-1]):
        assert shown in dialog.summary.text()
    assert dialog.kinds[Kind.MAPPING].isChecked() and not dialog.source.isEnabled(), "what needs no question"
    assert "MB to download" in dialog.offers[Kind.MAPPING].text()
    dialog.kinds[Kind.PYTORCH].setChecked(True)
    until(lambda: "PyTorch: the CPU build" in dialog.summary.text())
    assert dialog.source.isEnabled() and "MB to download" in dialog.offers[Kind.PYTORCH].text()
    assert dialog.minimumSizeHint().width() < 600, "longer texts are wrapped, in any language"
    dialog.findChild(QgsCollapsibleGroupBox).setCollapsed(False)
    screen = dialog.screen().availableGeometry().height()
    until(lambda: dialog.height() >= min(dialog.layout().minimumHeightForWidth(dialog.width()), screen), 5)
    assert not managed.exists() and locate.problem()
    dialog.install_button.click()
    assert dialog.cancel_button.isVisible() and not dialog.install_button.isVisible()
    until(lambda: dialog.task is None)
    assert "The backend is set up." in dialog.step.text(), dialog.log.toPlainText()
    assert locate.find_interpreter() == str(store.interpreter_in(managed / "1"))
    assert dialog.bar.value() == dialog.bar.maximum()
    assert kind_of(locate.find_interpreter()) is Kind.PYTORCH
    assert SetupDialog().kind() is Kind.PYTORCH, "an upgrade takes nothing away"
    assert not [path for path in sys.path if str(managed) in path]


def test_cancel_ends_the_installation_without_remains(dialog, stuck):
    managed = locate.managed_folder()
    dialog.python.setFilePath(str(stuck))
    dialog.start()
    until((managed / "1" / "half").is_dir)
    dialog.reject()
    assert dialog.task is not None, "closing the window lets it go on"
    dialog.cancel_button.click()
    until(lambda: dialog.task is None)
    assert "Cancelled. Nothing was changed." in dialog.log.toPlainText()
    assert {path.name for path in managed.iterdir()} == {store.LOCK}


def test_impossible_choices_are_explained_and_disable_install(dialog, tmp_path):
    dialog.python.setFilePath(str(tmp_path / "nowhere"))
    dialog.show()
    assert "no such program" in dialog.summary.text() and not dialog.install_button.isEnabled()


def test_diagnostics_are_shown_and_copied(monkeypatch, script):
    facts = {"versions": {"torch": "2.13.0", "timm": None}, "device": "cpu", "devices": ["cpu"],
             "models": [{"name": "one"}]}  # fmt: skip
    locate.store_interpreter(str(script(f"import json; print(json.dumps({facts!r}))", "python")))
    dialog = DiagnosticsDialog()
    until(dialog.copy_button.isEnabled)
    text = dialog.text.toPlainText()
    for line in ("torch: 2.13.0", "timm: missing", "Device: cpu (available: cpu)", "Models: one"):
        assert line in text.splitlines()
    dialog.copy_button.click()
    assert QgsApplication.clipboard().text() == text
    dialog.deleteLater()
