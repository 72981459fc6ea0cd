"""Test which interpreter runs the backend."""

from __future__ import annotations

import os
import sys

import pytest

from sardino_qgis.common import plugin_files
from sardino_qgis.environment import locate, store
from sardino_qgis.environment.locate import BackendMissingError, find_interpreter

pytestmark = pytest.mark.usefixtures("no_interpreter")


def managed_python():
    made = locate.managed_folder() / "1"
    path = store.interpreter_in(made)
    path.parent.mkdir(parents=True)
    os.symlink(sys.executable, path)
    store.activate(made)
    return str(path)


def test_order_is_variable_then_setting_then_managed(monkeypatch, script):
    managed = managed_python()
    assert find_interpreter() == managed
    chosen = str(script("", "chosen"))
    locate.store_interpreter(chosen)
    assert find_interpreter() == chosen
    named = str(script("", "named"))
    monkeypatch.setenv("SARDINO_PYTHON", named)
    assert find_interpreter() == named


def test_wrong_variable_is_an_error(monkeypatch):
    managed_python()
    monkeypatch.setenv("SARDINO_PYTHON", "/nowhere/python")
    with pytest.raises(BackendMissingError) as caught:
        find_interpreter()
    assert "/nowhere/python" in caught.value.message
    assert "SARDINO_PYTHON" in caught.value.message
    assert "no such file" in caught.value.message


def test_wrong_setting_is_an_error(tmp_path):
    managed_python()
    plain = tmp_path / "python"
    plain.write_text("")
    locate.store_interpreter(str(plain))
    if os.geteuid() == 0:  # also root may not execute a file without any x bit
        plain.chmod(0o644)
    with pytest.raises(BackendMissingError, match="not executable"):
        find_interpreter()


@pytest.mark.parametrize("looked_before", [0, 1, 5])
def test_named_interpreter_decides_in_any_place(monkeypatch, looked_before):
    """Use different numbers of places before it."""
    unset = locate.Attempt("elsewhere", "", "not set")
    named = locate.Attempt("a file", "/nowhere/python", "there is no such file", named=True)
    monkeypatch.setattr(locate, "attempts", lambda: [*[unset] * looked_before, named])
    with pytest.raises(BackendMissingError, match=r"/nowhere/python can't be used \(a file\): there is no such file"):
        find_interpreter()


def test_places_that_users_name_are_marked(monkeypatch):
    assert [attempt.named for attempt in locate.attempts()] == [False, False, False]
    monkeypatch.setenv("SARDINO_PYTHON", "/nowhere/python")
    assert [attempt.named for attempt in locate.attempts()] == [True]


def test_nothing_set_lists_places_and_advice():
    with pytest.raises(BackendMissingError) as caught:
        find_interpreter()
    for word in ("SARDINO_PYTHON", "setting", str(locate.managed_folder())):
        assert word in caught.value.hint
    assert "Set up backend…" in caught.value.hint
    assert "-m sardino_qgis.environment install" in caught.value.hint
    assert plugin_files.requirements_file().is_file()
    found = locate.problem()
    assert found.startswith("No Python interpreter for the backend is set up. Open the menu Plugins")
    assert found.index("Looked for it at") > found.index("SARDINO_PYTHON")


def test_folder_and_name_on_path_are_accepted(monkeypatch, tmp_path):
    managed = managed_python()
    monkeypatch.setenv("SARDINO_PYTHON", str(locate.managed_folder()))
    assert find_interpreter() == managed
    monkeypatch.setenv("PATH", os.path.dirname(managed))
    monkeypatch.setenv("SARDINO_PYTHON", "python")
    assert find_interpreter() == managed


def test_links_are_not_resolved(monkeypatch):
    managed = managed_python()
    monkeypatch.setenv("SARDINO_PYTHON", managed)
    assert find_interpreter() == managed


def test_backend_root_of_a_checkout_and_of_an_installed_plugin(monkeypatch, tmp_path, repo_root):
    assert locate.backend_root() == repo_root
    installed = tmp_path / "plugins" / "sardino_qgis"
    (installed / "backend").mkdir(parents=True)
    monkeypatch.setattr(plugin_files, "plugin_folder", lambda: installed)
    with pytest.raises(BackendMissingError, match="incomplete"):
        locate.backend_root()
    (installed / "backend" / "__main__.py").write_text("")
    assert locate.backend_root() == installed
