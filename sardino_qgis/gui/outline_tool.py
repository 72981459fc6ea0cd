"""Provide the map tool that draws samples: a click outlines the place, a slider adjusts it, a button adds it."""

from __future__ import annotations

from typing import Any, Callable

from qgis.core import Qgis, QgsDistanceArea, QgsGeometry, QgsProject, QgsRectangle
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

from ..client.pool import WarmPool
from ..common.i18n import tr
from ..layers.outline import SimilarityAnswer
from ..layers.samples import SAMPLES_OF, add_sample, classes_of, samples_of
from .outline_panel import OutlinePanel
from .similarity_tool import SimilarityTool

_LINE, _FILL = QColor(255, 255, 255), QColor(255, 140, 0, 90)


class OutlineTool(SimilarityTool):
    """Outline the area connected with the clicked place and similar to it; Ctrl adds a place to the earlier ones."""

    def __init__(self, iface: Any, pool: WarmPool, offer_setup: Callable[[], str]) -> None:
        """Take the same arguments as `SimilarityTool`."""
        super().__init__(iface, pool, offer_setup)
        self.panel = OutlinePanel(iface.mainWindow())
        iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.panel)
        self.panel.hide()
        self.panel.moved.connect(self._moved)
        self.panel.wanted.connect(self.add)
        # The type of polygons, which has other names in each version of QGIS.
        self._kind = QgsGeometry.fromRect(QgsRectangle(0, 0, 1, 1)).type()
        self._band = QgsRubberBand(iface.mapCanvas(), self._kind)
        self._band.setStrokeColor(_LINE)
        self._band.setFillColor(_FILL)
        self._band.setWidth(2)
        self._answer: Any = None
        self._of = ""  # id of the raster layer that the answer is about
        self._outline = QgsGeometry()
        self._chosen = False  # whether the user has set the threshold

    def activate(self) -> None:
        super().activate()
        self.panel.show()

    def deactivate(self) -> None:
        self._clear()
        self.panel.hide()
        super().deactivate()

    def close(self) -> None:
        """Cancel the question, and remove marks, outline and panel; the tool can't be used afterwards."""
        super().close()
        self._clear()
        self.canvas().scene().removeItem(self._band)
        self._iface.removeDockWidget(self.panel)
        self.panel.deleteLater()

    def ask_about(self, point: Any, add: bool = False) -> None:
        """Ask as `SimilarityTool` does; the outline of earlier places goes, since the answer may be a refusal."""
        self._clear()
        super().ask_about(point, add)

    def outline(self) -> Any:
        """Return the outline that is shown, a QgsGeometry in the CRS of the raster; empty if there is none."""
        return self._outline

    def add(self) -> None:
        """Add the outline to the samples of the raster, and get ready for the next place."""
        raster, name = QgsProject.instance().mapLayer(self._of), self.panel.class_name()
        if raster is None or self._outline.isEmpty():
            self._say(tr("Click on a place first: its outline becomes the sample."))
            return
        if not name:
            self._say(tr("Write the name of the class first."))
            self.panel.classes.setFocus()
            return
        outline = QgsGeometry(self._outline)
        outline.convertToMultiType()
        layer = add_sample(raster, outline, name)
        self.panel.offer_classes(classes_of(layer))
        self._clear()
        self._forget_places()

    def _raster(self) -> Any:
        """Return the scene of the active layer of samples, else what `SimilarityTool` takes."""
        active = self._iface.activeLayer()
        scene = QgsProject.instance().mapLayer(active.customProperty(SAMPLES_OF, "")) if active is not None else None
        return scene if scene is not None else super()._raster()

    # From an answer to an outline

    def _show(self, path: str, raster_id: str) -> None:
        """Outline the places in an answer."""
        raster = QgsProject.instance().mapLayer(raster_id)
        if raster is None or raster_id != self._raster_id or not self._places:
            return  # removed, or left, in the meantime
        try:
            self._answer, self._of = SimilarityAnswer(path, self._places), raster_id
        except RuntimeError as trouble:
            self._say(str(trouble), Qgis.MessageLevel.Critical)
            return
        known = samples_of(raster)
        if known is not None:
            self.panel.offer_classes(classes_of(known))
        if not self._chosen:
            self.panel.set_threshold(self._answer.proposal())
        self._draw()

    def _moved(self) -> None:
        self._chosen = True
        self._draw()

    def _draw(self) -> None:
        raster = QgsProject.instance().mapLayer(self._of)
        if self._answer is None or raster is None:
            return
        self._outline = self._answer.outline(self.panel.threshold())
        self._band.setToGeometry(self._outline, raster.crs())
        if self._outline.isEmpty():
            self.panel.show_size(tr("Nothing is so similar."), False)
            return
        measure = QgsDistanceArea()
        measure.setSourceCrs(raster.crs(), QgsProject.instance().transformContext())
        measure.setEllipsoid("EPSG:7030")
        hectares = measure.measureArea(self._outline) / 10_000  # square metres, as there is an ellipsoid
        self.panel.show_size(tr("{:.1f} ha").format(hectares), True)

    def _clear(self) -> None:
        self._answer, self._of, self._outline = None, "", QgsGeometry()
        self._band.reset(self._kind)
        self.panel.show_size(tr("Click on a place in the map."), False)
