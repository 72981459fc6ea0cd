"""All texts that a user of the plugin reads go through `tr`, as plain text: read from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "sardino_qgis").rglob("*.py"))
# Speaks to a shell, in English as the backend's command line does.
IN_ENGLISH = {"sardino_qgis/environment/__main__.py"}

# Texts to and from other programs.
NOT_SHOWN = {
    ".environment install", "This model", "do not match the hashes|hash mismatch", "Installing collected packages",
    r"no space left|errno 28\b|not enough space|disk quota exceeded|os error (28|112)\b", "import ssl",
    "ModuleNotFoundError: No module named '([^']+)'|ImportError: (.+)",
    # Of the backend, which speaks English:
    " --with (.+?), in QGIS as Further rasters of the scene", "; in QGIS choose Bands",
    r"`python -m backend calibrate`, in QGIS Calibrate Sentinel-1 GRD(?: \(sardino:calibrate\))?",
}  # fmt: skip

# Calls whose text arguments are read by users: all of them, or those at the places given.
SHOWN = dict.fromkeys(
    # Widgets and dialogs
    ("QAction", "QCheckBox", "QDockWidget", "QGroupBox", "QLabel", "QMenu", "QPushButton", "QRadioButton",
     "QgsCollapsibleGroupBox", "QPlainTextEdit", "addAction", "addMenu", "addRow", "addTab", "addWidget",
     "setHeaderLabels", "setHorizontalHeaderLabels", "setHtml", "setLabelText", "setInformativeText",
     "setPlaceholderText", "setPlainText", "appendPlainText", "setStatusTip", "setTabText", "setText", "setTitle",
     "setToolTip", "setWhatsThis", "setWindowTitle", "critical", "information", "question", "warning",
     "getExistingDirectory", "getOpenFileName",
     "getSaveFileName", "getText", "getItem",
     # Messages and errors
     "pushMessage", "pushInfo", "pushWarning", "reportError", "setProgressText", "_say", "log", "progress",
     "QgsProcessingException", "WorkerError", "InstallError", "AlteredFileError", "BackendMissingError", "UnfitError",
     # Processing and metadata
     "setHelp", "add_block", "setAbstract", "setHistory"), ()
)  # fmt: skip
SHOWN |= {"addItem": (0,), "add": (1,), "add_destination": (1, 2), "fromFunction": (0,), "Build": (1,)}
SHOWN |= dict.fromkeys(("static_enum", "integer", "fraction"), (1,))
PARAMETER = re.compile(r"QgsProcessing(Parameter|Output)[A-Z]\w+")  # name, description, …
# Methods whose result users read.
SHOWN_BY = {"displayName", "shortHelpString", "shortDescription", "group", "tags"}
LETTERS = re.compile(r"[^\W\d_]{2}")
PROSE = re.compile(r"[^\W\d_]{2,}[,.:;]? [a-z]{2,}")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def literals(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the text literals in the value of an expression; of calls, only those that format or join text."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join"):
            yield from literals(node.func.value)
        return
    if isinstance(node, (ast.Subscript, ast.FormattedValue, ast.Lambda, ast.Compare)):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from literals(child)


def texts_shown(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the expressions whose value a user reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called(node)
            places = (1,) if PARAMETER.fullmatch(name) else SHOWN.get(name)
            if places is not None:
                yield from (arg for i, arg in enumerate(node.args) if not places or i in places)
                yield from (k.value for k in node.keywords if k.arg in ("description", "text", "hint", "message"))
        elif isinstance(node, ast.FunctionDef) and node.name in SHOWN_BY:
            yield from (part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value)


def untranslated(tree: ast.AST) -> Iterator[str]:
    for shown in texts_shown(tree):
        for literal in literals(shown):
            if LETTERS.search(literal.value) and not literal.value.startswith("-"):  # options of other programs
                yield f"{literal.lineno}: {literal.value[:60]!r}"


def documentation(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def prose(tree: ast.AST) -> Iterator[str]:
    """Literals that read like a sentence, wherever they are, but for documentation and what is in `tr`."""
    passed = {id(node) for node in documentation(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in ("tr", "add_argument", "add_parser", "ArgumentParser"):
            passed |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            known = node.value in NOT_SHOWN or node.value.startswith("<style>") or "\n" in node.value  # programs
            if PROSE.search(node.value) and not known:
                yield f"{node.lineno}: {node.value[:60]!r}"


def calls_of_tr(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) == "tr")


def too_early(node: ast.AST) -> Iterator[int]:
    """Lines of `tr` that run on import, before the plugin has loaded a translation."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.Lambda)):
            arguments = child.args
            for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
                yield from (call.lineno for call in calls_of_tr(default))
            continue
        if isinstance(child, ast.Call) and called(child) == "tr":
            yield child.lineno
        yield from too_early(child)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_what_is_shown_is_translated(path: Path) -> None:
    assert name_of(path) in IN_ENGLISH or not list(untranslated(parse(path)))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_sentences_are_translated(path: Path) -> None:
    assert name_of(path) in IN_ENGLISH or not list(prose(parse(path)))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_translated_on_import(path: Path) -> None:
    assert not list(too_early(parse(path)))


@pytest.mark.parametrize(
    "source",
    [
        "box = QLabel('Some text')",
        "feedback.pushInfo(f'{n} pixels')",
        "QgsProcessingParameterBand(self.BANDS, 'Bands', None)",
        "raise WorkerError(tr('No') + ' space', hint)",
        "self.add(parameter, 'Its help', advanced=True)",
        "widget.setText('Done' if good else tr('Failed'))",
        "widget.setText('{} left'.format(n))",
        "def displayName(self):\n    return 'Land cover'",
    ],
)
def test_the_check_sees_what_is_not_translated(source: str) -> None:
    assert list(untranslated(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "box = QLabel(tr('Some text'))",
        "feedback.pushInfo(tr('{} pixels').format(facts['size']))",
        "QgsProcessingParameterBand(self.BANDS, tr('Bands'), None, 'INPUT')",
        "widget.setText('; '.join(names))",
        "self.run(['pip', 'install'])",
        "def displayName(self):\n    return tr('Land cover')",
    ],
)
def test_the_check_lets_translated_text_pass(source: str) -> None:
    assert not list(untranslated(ast.parse(source))) and not list(prose(ast.parse(source)))


def test_the_check_sees_sentences_in_variables_and_early_calls() -> None:
    assert list(prose(ast.parse("text = 'Nothing was changed.'"))) and not list(prose(ast.parse("'Some words.'")))
    assert list(too_early(ast.parse("NAMES = [tr('a')]"))) == [1]
    assert list(too_early(ast.parse("class A:\n    def f(self, text=tr('a')): return tr('b')"))) == [2]
    assert not list(too_early(ast.parse("def f():\n    return tr('b')")))
