"""Define the base of the algorithms that compare two dates: their rasters, and the outputs that are texts."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import (
    QgsProcessingException,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from ...common.i18n import tr
from ...layers.sources import worker_source
from ..base import BackendAlgorithm
from ..destinations import Destination, Scene, finish


class TwoDates(BackendAlgorithm):
    """Run the command change; the base of `sardino:change` and `sardino:sarchange`."""

    BEFORE = "BEFORE"
    AFTER = "AFTER"
    OUTPUT = "OUTPUT"
    OUTPUT_REPORT = "OUTPUT_REPORT"
    OUTPUT_JSON = "OUTPUT_JSON"
    OUTPUT_CSV = "OUTPUT_CSV"

    PROGRAM = ("backend", "change")
    DESTINATIONS: tuple[Destination, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self._sources: tuple[str, str] = ("", "")
        self._layer_name = self._layer_id = ""
        self._options: list[str] = []

    # Declaring

    def add_dates(self, before: str, after: str, text: str) -> None:
        """Declare the two rasters with their names, and help for both."""
        self.add(QgsProcessingParameterRasterLayer(self.BEFORE, before), text)
        self.add(QgsProcessingParameterRasterLayer(self.AFTER, after), text)

    def add_raster(self, name: str, description: str, text: str) -> None:
        """Declare a raster that is written; the main one always, others on request."""
        main = name == self.OUTPUT
        self.add(
            QgsProcessingParameterRasterDestination(name, description, optional=not main, createByDefault=main), text
        )

    def add_texts(self) -> None:
        """Declare report, figures and table, and the numbers that are returned."""
        for name, description, kinds, text in (
            (
                self.OUTPUT_REPORT,
                tr("Report of the change"),
                tr("HTML files (*.html)"),
                tr("One page of HTML: both dates and the change side by side, areas, and notes."),
            ),
            (self.OUTPUT_JSON, tr("All figures"), tr("JSON files (*.json)"), tr("Every figure, for programs.")),
            (
                self.OUTPUT_CSV,
                tr("Areas of change"),
                tr("CSV files (*.csv)"),
                tr("The table of areas, for a spreadsheet."),
            ),
        ):
            parameter = QgsProcessingParameterFileDestination(
                name, description, kinds, optional=True, createByDefault=name == self.OUTPUT_REPORT
            )
            self.add(parameter, text)
        self.add_numbers(self.numbers())

    @staticmethod
    def numbers() -> tuple[tuple[str, str, str], ...]:
        """Return the number outputs: name, description, and key in the result event."""
        return (
            ("CHANGED_AREA", tr("Changed area in m² (in pixels without a coordinate system)"), "changed_area"),
            ("CHANGED_SHARE", tr("Changed share of what both dates show, 0 to 1"), "changed_share"),
        )

    # Running

    def own_options(self, parameters: dict, context: Any, feedback: Any) -> list[str]:
        """Return the options of one algorithm, on the main thread, which owns the layers."""
        raise NotImplementedError

    def prepareAlgorithm(self, parameters, context, feedback) -> bool:
        self._sources = self.read_inputs(parameters, context, feedback)
        self._options = self.own_options(parameters, context, feedback)
        return True

    def read_inputs(self, parameters: dict, context: Any, feedback: Any) -> tuple[str, str]:
        """Return the two sources that the backend opens."""
        layers = [self.raster(parameters, name, context) for name in (self.BEFORE, self.AFTER)]
        self._layer_name, self._layer_id = layers[1].name(), layers[1].id()
        sources = worker_source(layers[0], feedback), worker_source(layers[1], feedback)
        if sources[0] == sources[1]:
            raise QgsProcessingException(tr("Both dates are the same file, {}. Choose two dates.").format(sources[0]))
        return sources

    def late_options(self, context: Any, feedback: Any) -> list[str]:
        """Return options whose files are written when the run begins."""
        return []

    def process(self, parameters, context, feedback) -> dict:
        """Run the backend; return the paths of the outputs and the main figures."""
        rasters = {each.parameter: each.path(self, parameters, context) for each in self.DESTINATIONS}
        rasters = {name: path for name, path in rasters.items() if path}
        texts = {
            name: self.parameterAsFileOutput(parameters, name, context)
            for name in (self.OUTPUT_REPORT, self.OUTPUT_JSON, self.OUTPUT_CSV)
        }
        texts = {name: os.path.abspath(path) for name, path in texts.items() if path}
        command = [*self.backend_command(), *self._sources, os.path.abspath(rasters[self.OUTPUT])]
        command += [*self._options, *self.late_options(context, feedback)]
        for each in self.DESTINATIONS:
            if each.option and each.parameter in rasters:
                command += [each.option, os.path.abspath(rasters[each.parameter])]
        for name, option in (
            (self.OUTPUT_REPORT, "--report"),
            (self.OUTPUT_JSON, "--json"),
            (self.OUTPUT_CSV, "--csv"),
        ):
            if name in texts:
                command += [option, texts[name]]
        result = self.run_backend(command, feedback)
        names = {name: self.parameterDefinition(name).description() for name in rasters}
        finish(self.DESTINATIONS, rasters, context, Scene(self.displayName(), self._layer_name, self._layer_id, names))
        self._written = list(rasters.values())
        figures = {name: result[key] for name, _, key in self.numbers() if isinstance(result.get(key), (int, float))}
        self.report(result, feedback)
        return {**rasters, **texts, **figures}

    def report(self, result: dict, feedback: Any) -> None:
        """Write the main figures to the log."""
        area, share = result.get("changed_area", 0.0), 100 * result.get("changed_share", 0.0)
        if result.get("area_unit") == "m2":
            feedback.pushInfo(tr("Changed: {area:,.1f} ha, {share:.2f} %.").format(area=area / 10_000, share=share))
        else:
            feedback.pushInfo(tr("Changed: {area:,.0f} pixels, {share:.2f} %.").format(area=area, share=share))
