"""Load the compiled translation in i18n/ (`make translations`) for the language that QGIS is set to."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QLocale, QTranslator

FOLDER = Path(__file__).resolve().parents[1] / "i18n"
STEM = "sardino"


def current_language() -> str:
    """Return the language that QGIS is set to, or that it takes from the system, such as es_MX."""
    return QLocale(QgsApplication.locale()).name()


def install_translator() -> QTranslator | None:
    """Install the translation for the language that QGIS is set to, or that it takes from the system.

    Qt falls back from a country's language to the language: es_MX to es.

    Returns:
        The translator, which the caller must keep since Qt doesn't own it. None where there is no translation.
    """
    translator = QTranslator()
    # Not QLocale.system(), which would also try the user's other languages.
    if not translator.load(QLocale(QgsApplication.locale()), STEM, "_", str(FOLDER)):
        return None
    QCoreApplication.installTranslator(translator)
    return translator


def remove_translator(translator: QTranslator | None) -> None:
    """Remove the translator that `install_translator` installed."""
    if translator is not None:
        QCoreApplication.removeTranslator(translator)
