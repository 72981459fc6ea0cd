"""The plugin's texts in the language of QGIS, from the compiled translations in i18n/ (`make translations`)."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QLocale, QTranslator

FOLDER = Path(__file__).resolve().parents[1] / "i18n"
STEM = "sardino"


def install_translator() -> QTranslator | None:
    """Have Qt use the translation for the language that QGIS is set to (or takes from the system).

    Qt falls back from a country's language to the language: es_MX to es. The caller keeps the translator, for Qt does
    not. None where there is no translation: texts stay in English.
    """
    translator = QTranslator()
    # Not the system's locale, which would go on to every other language that the user reads.
    if not translator.load(QLocale(QgsApplication.locale()), STEM, "_", str(FOLDER)):
        return None
    QCoreApplication.installTranslator(translator)
    return translator


def remove_translator(translator: QTranslator | None) -> None:
    """Take back what `install_translator` did."""
    if translator is not None:
        QCoreApplication.removeTranslator(translator)
