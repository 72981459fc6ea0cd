"""The plugin's code against Qt 6, without a QGIS on Qt 6: every import and every enum is checked."""

from __future__ import annotations

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.packaging.qt6_rules import PYQT6, enum_offences, foreign_names, qt6_offences, syntax_offences, tree_of

ROOT = Path(__file__).resolve().parents[2]


SOURCES = sorted((ROOT / "sardino_qgis").rglob("*.py"))


HAS_QGIS = find_spec("qgis") is not None


needs_qgis = pytest.mark.skipif(not HAS_QGIS, reason="no QGIS to ask")


needs_stubs = pytest.mark.skipif(PYQT6 is None, reason="no stubs of PyQt6 (make setup installs them)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_syntax_is_that_of_qt_6(path: Path) -> None:
    assert not list(syntax_offences(tree_of(path)))


@needs_stubs
@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_names_of_qt_are_where_qt_6_has_them(path: Path) -> None:
    assert not list(qt6_offences(tree_of(path)))


@needs_qgis
@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_enums_are_scoped(path: Path) -> None:
    assert not list(enum_offences(tree_of(path)))


@needs_qgis
@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_names_of_qgis_exist(path: Path) -> None:
    """In the oldest supported QGIS, in which these tests run."""
    for module, name in foreign_names(tree_of(path)).values():
        assert hasattr(importlib.import_module(module), name), f"{module} has no {name}"


@pytest.mark.parametrize(
    "source",
    [
        "from PyQt5.QtCore import Qt", "import PyQt6", "import sip", "dialog.exec_()", "def exec_(self): pass",
        "from qgis.PyQt.QtCore import QRegExp", "from qgis.PyQt.QtWebKitWidgets import QWebView",
        "from qgis.PyQt.Qt import Qt", "from qgis.PyQt.QtWidgets import *", "from . import resources_rc",
        "from qgis.PyQt.QtCore import QTextCodec", "box.activated[str].connect(f)", "stream.setCodec(x)",
        "import qgis.core",
    ],
)  # fmt: skip
def test_the_rules_find_offences(source: str) -> None:
    assert list(syntax_offences(ast.parse(source)))


@needs_stubs
@pytest.mark.parametrize(
    "source",
    [
        "from qgis.PyQt.QtWidgets import QUndoStack", "from qgis.PyQt.QtGui import QLabel",
        "from qgis.PyQt.QtCore import Qt\nQt.AlignLeft", "from qgis.PyQt.QtWidgets import QFrame\nQFrame.NoFrame",
        "from qgis.PyQt.QtWidgets import QMessageBox\nQMessageBox.Yes",
        "from qgis.PyQt.QtCore import Qt\nQt.MouseButton.MidButton",
        "from qgis.PyQt.QtCore import QSettings\nQSettings.value.missing\nQSettings.NoSuch",
    ],
)  # fmt: skip
def test_the_stubs_find_offences(source: str) -> None:
    assert list(qt6_offences(ast.parse(source)))


@needs_stubs
@pytest.mark.parametrize(
    "source",
    [
        "from qgis.PyQt.QtWidgets import QAction", "from qgis.PyQt.QtGui import QIcon, QColor",
        "from qgis.PyQt.QtCore import Qt\nQt.AlignmentFlag.AlignLeft",
        "from qgis.PyQt.QtWidgets import QFrame, QDialog\nQFrame.Shape.NoFrame\nQDialog.setWindowTitle\nQDialog.exec",
        "from qgis.PyQt.QtWidgets import QMessageBox\nQMessageBox.StandardButton.Yes",
        "from qgis.core import Qgis\nQgis.whatever", "from qgis.PyQt.QtCore import QVariant\nQVariant.Int",
    ],
)  # fmt: skip
def test_the_stubs_let_good_names_pass(source: str) -> None:
    assert not list(qt6_offences(ast.parse(source)))


@needs_qgis
@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("from qgis.core import QgsProcessing\nQgsProcessing.TypeVectorPoint", True),
        ("from qgis.core import QgsProcessing\nQgsProcessing.SourceType.TypeVectorPoint", False),
        ("from qgis.PyQt.QtCore import Qt\nQt.AlignLeft", True),
        ("from qgis.PyQt.QtCore import Qt\nQt.AlignmentFlag.AlignLeft", False),
        ("from qgis.core import Qgis\nQgis.Warning", True),
        ("from qgis.core import Qgis\nQgis.MessageLevel.Warning", False),
        ("from qgis.PyQt.QtCore import QVariant\nQVariant.Int", False),
        ("from qgis.core import QgsProject\nQgsProject.instance().addMapLayer", False),
    ],
)
def test_the_enum_check_tells_scoped_from_unscoped(source: str, wrong: bool) -> None:
    assert bool(list(enum_offences(ast.parse(source)))) is wrong
