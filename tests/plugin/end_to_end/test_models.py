"""Test runs in a model of the designer, and with an added model folder."""

from __future__ import annotations

import numpy as np
import processing
from osgeo import gdal
from qgis.core import (
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from sardino_qgis.models import installed


def model_of(*children):
    """Build a designer's model: a raster SCENE goes through children (id, algorithm, parameters, outputs)."""
    model = QgsProcessingModelAlgorithm("chain", "tests")
    scene = QgsProcessingParameterRasterLayer("SCENE", "Scene")
    model.addModelParameter(scene, QgsProcessingModelParameter("SCENE"))
    model.addModelParameter(QgsProcessingParameterString("WITH", "With"), QgsProcessingModelParameter("WITH"))
    for name, algorithm, parameters, outputs in children:
        child = QgsProcessingModelChildAlgorithm(algorithm)
        child.setChildId(name)
        for definition in child.algorithm().parameterDefinitions():
            default = QgsProcessingModelChildParameterSource.fromStaticValue(definition.defaultValue())
            if not definition.isDestination():
                child.addParameterSources(definition.name(), [parameters.get(definition.name(), default)])
        made = {}
        for output in outputs:
            made[output] = QgsProcessingModelOutput(output, output)
            made[output].setChildId(name)
            made[output].setChildOutputName("OUTPUT")
        child.setModelOutputs(made)
        model.addChildAlgorithm(child)
    return model


def test_runs_inside_a_model_before_others(scene, tmp_path, feedback, qgis_new_project):
    source = QgsProcessingModelChildParameterSource
    model = model_of(
        (
            "cover",
            "sardino:landcover",
            {"INPUT": source.fromModelParameter("SCENE"), "MODEL": source.fromModelParameter("WITH")},
            ["COVER"],
        ),
        (
            "judge",
            "sardino:accuracy",
            {
                "INPUT": source.fromChildOutput("cover", "OUTPUT"),
                "REFERENCE": source.fromChildOutput("cover", "OUTPUT"),
            },
            ["REPORT"],
        ),
        (
            "smooth",
            "native:fillnodata",
            {"INPUT": source.fromChildOutput("cover", "OUTPUT"), "FILL_VALUE": source.fromStaticValue(99)},
            ["FILLED"],
        ),
    )
    # Saved and opened again, as the designer does.
    assert model.toFile(str(tmp_path / "chain.model3"))
    opened = QgsProcessingModelAlgorithm()
    assert opened.fromFile(str(tmp_path / "chain.model3"))
    assert opened.validate() == (True, [])
    names = [definition.name() for definition in opened.destinationParameterDefinitions()]
    outputs = {name: str(tmp_path / name) + (".html" if "report" in name.lower() else ".tif") for name in names}
    assert len(outputs) == 3
    processing.run(opened, {"SCENE": str(scene), "WITH": "tiny", **outputs}, feedback=feedback)
    # Newer versions of QGIS name a model's outputs in lower case, and after their child only where they must.
    made = {word: next(p for n, p in outputs.items() if word in n.lower()) for word in ("cover", "filled", "report")}
    cover, filled = gdal.Open(made["cover"]), gdal.Open(made["filled"])
    assert set(np.unique(cover.ReadAsArray())) <= {0, 10, 50, 80}
    assert (filled.ReadAsArray() == 99).sum() == 120, "nodata of the scene, filled by the next step"
    report = (tmp_path / made["report"]).read_text()
    assert "Confusion" in report or "matrix" in report


def test_added_model_is_run_by_name(model, scene, tmp_path, settings, monkeypatch):
    monkeypatch.delenv("SARDINO_MODELS")
    installed.add_folder(str(model))
    given = {"INPUT": str(scene), "MODEL": "tiny", "OUTPUT": str(tmp_path / "o.tif")}
    assert processing.run("sardino:landcover", given)["MODEL_USED"] == "tiny"
