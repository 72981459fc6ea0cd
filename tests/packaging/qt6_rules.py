"""Find what Qt 6 and PyQt6 lack in Python code, without a QGIS on Qt 6.

Three sources are used: the type stubs of PyQt6 (installed without Qt itself, see requirements/reference.txt) say where
names are in Qt 6; the installed QGIS says which attributes are values of an enum; the rest are rules on the syntax
tree. QGIS's migration script (scripts/pyqt5_to_pyqt6) rewrites files and needs a running QGIS on Qt 6.
"""

from __future__ import annotations

import ast
import enum
import importlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PYQT6 = find_spec("PyQt6")


# Names that qgis.PyQt adds to PyQt6's modules, where Qt 5 had them (python/PyQt/PyQt of QGIS).
SHIMS = {"QtWidgets": {"QAction", "QShortcut"}}


# Classes to which qgis.PyQt adds attributes (QVariant.Int and the like) that the stubs of PyQt6 lack.
COMPLETED = {"QVariant"}


# Modules without a successor in Qt 6, or that are not modules of Qt.
GONE_MODULES = {"QtWebKit", "QtWebKitWidgets", "QtScript", "QtXmlPatterns", "Qt"}


# Methods of Qt 5 or PyQt5 that are gone, with unambiguous names.
GONE_METHODS = {"exec_", "print_", "desktop", "fromTime_t", "toTime_t", "setTabStopWidth", "tabStopWidth", "setCodec"}


GONE_NAMES = {"QRegExp", "QRegExpValidator", "QDesktopWidget", "QTextCodec", "QMatrix", "QGLWidget", "QStringRef",
              "QWebView", "QWebPage", "qApp"}  # fmt: skip


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def foreign_names(tree: ast.AST) -> dict[str, tuple[str, str]]:
    """Return (module, name) by local name of all imports from qgis.*, in functions too."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("qgis"):
            found.update({alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names})
    return found


def chains(tree: ast.AST) -> Iterator[tuple[int, list[str]]]:
    """Yield line and parts of every `a.b.c`, longest form only."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            parts: list[str] = []
            value: ast.AST = node
            while isinstance(value, ast.Attribute):
                parts.append(value.attr)
                value = value.value
            if isinstance(value, ast.Name):
                yield node.lineno, [value.id, *reversed(parts)]


def syntax_offences(tree: ast.AST) -> Iterator[str]:
    """Yield what Qt 6 or PyQt6 lacks, by the syntax alone."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (f"{node.lineno}: {text}" for text in import_offences(node))
        elif isinstance(node, ast.Attribute) and node.attr in GONE_METHODS:
            yield f"{node.lineno}: .{node.attr} is gone in Qt 6"
        elif isinstance(node, ast.FunctionDef) and node.name == "exec_":
            yield f"{node.lineno}: exec_ is exec in Qt 6"
        elif (
            isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "activated"
        ):
            yield f"{node.lineno}: overloaded signals are gone in Qt 6"


def import_offences(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for module in modules:
        if module.split(".")[0] in {"PyQt5", "PyQt6", "PySide2", "PySide6", "sip"}:
            yield f"import {module}: take it from qgis.PyQt"
        if module.startswith("qgis.PyQt") and module.split(".")[-1] in GONE_MODULES:
            yield f"import {module}: there is no such module in Qt 6"
        if isinstance(node, ast.Import) and module.startswith("qgis."):
            yield f"import {module}: import names from it, so that they can be looked up here"
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if alias.name in GONE_NAMES or alias.name.endswith("resources_rc"):
                yield f"{alias.name} is gone in Qt 6"
            if alias.name == "*" and modules[0].startswith("qgis"):
                yield f"from {modules[0]} import *"


@cache
def stub(module: str) -> dict[str, ast.AST]:
    """Return the top-level classes and functions of a module of PyQt6, by name."""
    assert PYQT6 is not None and PYQT6.submodule_search_locations
    path = Path(PYQT6.submodule_search_locations[0]) / f"{module}.pyi"
    return members(ast.parse(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def members(body: ast.AST) -> dict[str, ast.AST]:
    found: dict[str, ast.AST] = {}
    for node in getattr(body, "body", []):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.setdefault(node.name, node)
        elif isinstance(node, ast.Assign):
            found.update({target.id: node for target in node.targets if isinstance(target, ast.Name)})
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def inherited(node: ast.AST, attribute: str) -> ast.AST | None:
    """Return a member of a class of the stubs, its own or inherited, or None."""
    own = members(node).get(attribute)
    if own is not None or not isinstance(node, ast.ClassDef):
        return own
    for base in node.bases:
        text = ast.unparse(base).strip("'\"").split(".")
        for module in [text[-2]] if len(text) > 1 else ["QtCore", "QtGui", "QtWidgets"]:
            found = stub(module).get(text[-1])
            member = inherited(found, attribute) if found is not None else None
            if member is not None:
                return member
    return None


def qt6_offences(tree: ast.AST) -> Iterator[str]:
    """Yield names of Qt that PyQt6 lacks or has elsewhere."""
    names = foreign_names(tree)
    for module, name in names.values():
        package, _, short = module.rpartition(".")
        if package == "qgis.PyQt" and name not in stub(short) and name not in SHIMS.get(short, ()):
            yield f"{name} is not in {short} of PyQt6"
    for line, (first, *rest) in chains(tree):
        module, name = names.get(first, ("", ""))
        node = stub(module.rpartition(".")[2]).get(name) if module.startswith("qgis.PyQt.") else None
        for attribute in rest:
            if not isinstance(node, ast.ClassDef) or name in COMPLETED:
                break
            node = inherited(node, attribute)
            if node is None:
                yield f"{line}: {first}.{'.'.join(rest)} is not in PyQt6"


def is_enum(kind: type) -> bool:
    """Return whether it is an enum of Python, or one that sip made of C++."""
    return issubclass(kind, enum.Enum) or type(kind).__name__ == "enumtype"


def enum_offences(tree: ast.AST) -> Iterator[str]:
    """Yield values of enums without their enum, which Qt 6 and QGIS 4 lack."""
    names = foreign_names(tree)
    for line, (first, *rest) in chains(tree):
        module, name = names.get(first, ("", ""))
        if not module or name in COMPLETED:
            continue
        parent: Any = None
        value: Any = getattr(importlib.import_module(module), name)
        for attribute in rest:
            if not hasattr(value, attribute):
                break  # of an instance, or of a later QGIS
            parent, value = value, getattr(value, attribute)
            if is_enum(type(value)) and parent is not type(value) and not is_enum(type(parent)):
                yield f"{line}: {first}.{'.'.join(rest)}: write it with its enum, {type(value).__qualname__}"
