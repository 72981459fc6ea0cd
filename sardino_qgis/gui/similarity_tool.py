"""Provide the map tool: click on a place to see which places of the scene are similar."""

from __future__ import annotations

import html
from typing import Any, Callable

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCoordinateTransform,
    QgsCsException,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
)
from qgis.gui import QgsMapTool
from qgis.PyQt.QtCore import Qt, QTimer

from ..client.events import WorkerError
from ..client.pool import WarmPool
from ..common.i18n import tr
from ..environment.locate import BackendMissingError
from ..layers.metadata import describe, is_result
from ..layers.overlays import overlay_similarity
from ..layers.sources import worker_source
from ..layers.styling import MADE_FROM, apply_qml
from .place_marks import PlaceMarks
from .similarity_task import SimilarityTask

RAMP = "singlebandpseudocolor"
SOURCE = "sardino/similarityTo"  # custom property of a result: id of its source layer
MESSAGE_SECONDS = 6
PATIENCE_MS = 1000  # after this time a message says why the answer takes long


class SimilarityTool(QgsMapTool):
    """Show the similarity of the active raster layer to the clicked place; Ctrl adds a place to the earlier ones.

    One question at a time runs in the background. Of the clicks in the meantime, the last one is asked next.
    """

    def __init__(self, iface: Any, pool: WarmPool, offer_setup: Callable[[], str]) -> None:
        """Take the QgisInterface of the desktop, the workers that answer, and what offers to set them up."""
        super().__init__(iface.mapCanvas())
        self._iface = iface
        self._pool = pool
        self._offer_setup = offer_setup
        self._task: SimilarityTask | None = None
        self._next: SimilarityTask | None = None
        self._raster_id = ""  # id of the layer that the places belong to
        self._results: dict[str, str] = {}  # id of the result layer by id of its raster layer
        self._places: list[Any] = []  # QgsPointXY in the CRS of the raster
        self._marks = PlaceMarks(iface.mapCanvas())
        self._closed = False
        self.setCursor(Qt.CursorShape.CrossCursor)

    # Called by QGIS

    def activate(self) -> None:
        """Start the worker, which takes seconds to load, while the user looks for a place."""
        super().activate()
        if self._offer_setup():
            return
        try:
            self._pool.warm()
        except (BackendMissingError, WorkerError) as trouble:
            self._say(str(trouble), Qgis.MessageLevel.Critical)

    def deactivate(self) -> None:
        """Remove the marks from the map. The worker ends by itself after its idle time."""
        self._forget_places()
        super().deactivate()

    def canvasReleaseEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            add = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.ask_about(event.mapPoint(), add)

    def close(self) -> None:
        """Cancel the question and remove the marks; the tool can't be used afterwards."""
        self._closed, self._next = True, None
        if self._task is not None:
            self._task.cancel()
        self._forget_places()

    # From a click to a question

    def ask_about(self, point: Any, add: bool = False) -> None:
        """Compare the active raster with its place at `point`.

        Args:
            point: Clicked QgsPointXY in the canvas's CRS.
            add: Keep the places that were clicked before.
        """
        if self._offer_setup():
            return
        layer = self._raster()
        if layer is None:
            self._say(self._without_raster())
            return
        try:
            source = worker_source(layer, QgsProcessingFeedback(False))
            here = self.canvas().mapSettings().destinationCrs()
            transform = QgsCoordinateTransform(here, layer.crs(), QgsProject.instance())
            place = transform.transform(point)
            view = transform.transformBoundingBox(self.canvas().extent())
        except (QgsProcessingException, QgsCsException) as trouble:
            self._say(str(trouble))
            return
        if not layer.extent().contains(place):
            self._say(tr("This place lies outside the layer '{}'.").format(layer.name()))
            return
        if not add or layer.id() != self._raster_id:
            self._forget_places()
        self._raster_id = layer.id()
        self._places.append(place)
        self._marks.add(point)
        question = {
            "input": source,
            "points": [[p.x(), p.y()] for p in self._places],
            "view": [view.xMinimum(), view.yMinimum(), view.xMaximum(), view.yMaximum()],
            "output": QgsProcessingUtils.generateTempFilename("similarity.tif"),
        }
        self._ask(SimilarityTask(self._pool, question, layer.id(), self._answered))

    def _raster(self) -> Any:
        """Return the active raster layer, or the scene that the active result was made from; None if there is none."""
        layer = self._iface.activeLayer()
        made_from = (layer.customProperty(SOURCE, "") or layer.customProperty(MADE_FROM, "")) if layer else ""
        if made_from or is_result(layer):
            layer = QgsProject.instance().mapLayer(made_from)
        return layer if isinstance(layer, QgsRasterLayer) else None

    def _without_raster(self) -> str:
        if not is_result(self._iface.activeLayer()):
            return tr("Select the raster layer to be searched in the layer panel first.")
        text = tr("'{}' is a result, and its scene is not in the project. Select the SAR raster.")
        return text.format(self._iface.activeLayer().name())

    def _ask(self, task: SimilarityTask) -> None:
        if self._task is not None:
            self._next = task
            return
        self._task = task
        QTimer.singleShot(PATIENCE_MS, lambda: self._announce(task))
        QgsApplication.taskManager().addTask(task)

    def _announce(self, task: SimilarityTask) -> None:
        if task is self._task:
            text = tr("The scene is read once; later clicks are answered immediately.")
            self._say(text, Qgis.MessageLevel.Info)

    # From an answer to a layer

    def _answered(self, task: SimilarityTask) -> None:
        self._task = None
        if self._closed:
            return
        for warning in task.warnings:
            self._say(warning)
        if task.result is not None:
            self._show(task.question["output"], task.raster_id)
        elif task.trouble:
            self._say(task.trouble, Qgis.MessageLevel.Critical)
            if self._next is None:
                self._forget_places()  # a Ctrl+click would be refused for the same place
        following, self._next = self._next, None
        if following is not None:
            self._ask(following)

    def _show(self, path: str, raster_id: str) -> None:
        """Show an answer in the layer of the previous answer, or in a new layer."""
        project = QgsProject.instance()
        raster = project.mapLayer(raster_id)
        if raster is None:
            return  # removed in the meantime
        shown = project.mapLayer(self._results.get(raster.id(), ""))
        if shown is not None:
            opacity = shown.renderer().opacity()
            shown.setDataSource(path, shown.name(), "gdal", False)
            if shown.renderer().type() == RAMP and apply_qml(shown):  # the range is that of the new answer
                overlay_similarity(shown)
                shown.renderer().setOpacity(opacity)
            describe(shown)
            shown.triggerRepaint()
            return
        layer = QgsRasterLayer(path, tr("Similarity in {}").format(raster.name()))
        if not layer.isValid():
            self._say(tr("The similarity layer {} can't be opened.").format(path), Qgis.MessageLevel.Critical)
            return
        apply_qml(layer)
        overlay_similarity(layer)
        describe(layer)
        layer.setCustomProperty(SOURCE, raster.id())
        project.addMapLayer(layer, False)
        node = project.layerTreeRoot().findLayer(raster.id())
        group = node.parent() if node is not None else project.layerTreeRoot()
        group.insertLayer(group.children().index(node) if node is not None else 0, layer)
        self._results[raster.id()] = layer.id()

    # Marks and messages

    def _forget_places(self) -> None:
        self._marks.clear()
        self._places = []

    def _say(self, text: str, level: Any = Qgis.MessageLevel.Warning) -> None:
        # The bar shows HTML, and names of files, bands and models are untrusted.
        shown = html.escape(text, quote=False)
        self._iface.messageBar().pushMessage(tr("SAR Land Cover (DINO)"), shown, level, MESSAGE_SECONDS)
