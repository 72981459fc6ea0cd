"""Put the backend's messages in terms of the dialogs: its options are those of the command line."""

from __future__ import annotations

import re

from ..common.i18n import tr

# Values that may follow an option as an example of it.
_VALUE = r"(?:auto|cpu|cuda|mps|pytorch|openvino(?:-int8)?|onnxruntime|db|linear_power|amplitude|\d+(?: \d+)*)"


def _labels() -> dict[str, str]:
    """Return the label of the dialog's parameter by option."""
    return {
        "--accept-values": tr("Accept implausible values"),
        "--bands": tr("Bands"),
        "--batch-size": tr("Batch size"),
        "--dem": tr("Elevation model"),
        "--device": tr("Device"),
        "--engine": tr("Engine"),
        "--extent": tr("Extent"),
        "--field": tr("Class field"),
        "--model": tr("Model"),
        "--pixel-size": tr("Pixel size [m]"),
        "--point": tr("Point"),
        "--units": tr("Units"),
        "--with": tr("Further rasters of the scene"),
    }


def in_dialog_terms(text: str) -> str:
    """Return a message or hint of the backend with parameters of the dialog for options of the command line.

    Where the backend names both, only what QGIS has stays. Paths and options without a parameter are not changed.
    """
    text = re.sub(
        r" --with (.+?), in QGIS as Further rasters of the scene",
        lambda found: f" + {found[1]} ('{tr('Further rasters of the scene')}')",
        text,
    )
    text = re.sub(
        r"`python -m backend calibrate`, in QGIS Calibrate Sentinel-1 GRD(?: \(sardino:calibrate\))?",
        lambda _: f"'{tr('Calibrate Sentinel-1 GRD')}'",
        text,
    )
    text = re.sub(r"--bands \d+(?: \d+)* for (\w+) only \(in QGIS: [^)]*\)", _single, text)
    for option, label in _labels().items():
        # The label in brackets is the English one.
        text = re.sub(rf"{option} \(in QGIS:? [^)]*\)|\({option}, in QGIS [^)]*\)", f"'{label}'", text)
        text = re.sub(rf"{option} ({_VALUE})\b", lambda found, label=label: f"'{label}': {_comma(found[1])}", text)
        text = re.sub(rf"(?<![\w-]){option}(?![\w-])", f"'{label}'", text)
    return text.replace("; in QGIS choose Bands", "")


def _single(found: re.Match[str]) -> str:
    return f"'{tr('Polarisation of a single band')}': {found[1]}"


def _comma(value: str) -> str:
    return value.replace(" ", ", ")
