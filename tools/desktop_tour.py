"""Take the pictures of the user's guide, from the first start to the accuracy report. Runs inside QGIS.

`tools/screenshots.py` starts QGIS with this file as its start-up script. Environment variables give the sample scene
(SARDINO_TOUR_SAMPLE, SARDINO_TOUR_LABELS) and the folder of the pictures (SARDINO_TOUR_PICTURES).
"""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import processing
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QRect, Qt, QTimer, QUrl
from qgis.PyQt.QtWidgets import QDockWidget, QTextBrowser, QTextEdit
from qgis.utils import iface, plugins

from tools.desktop import Desktop, TourError

SCENE = "simulated_s1"  # name of its layer, which results bear too
SIZE = (1200, 760)
REPORT = (1130, 1215)  # down to the areas
PATIENCE = 300  # seconds for an algorithm; the first run reads PyTorch from the disk


class Tour:
    """Take the pictures in order; each method leaves the desktop ready for the next."""

    def __init__(self, desk: Desktop, sample: Path, labels: Path) -> None:
        self.desk, self.sample, self.labels = desk, sample, labels
        self.plugin: Any = plugins["sardino_qgis"]
        self.scene: Any = None

    def tidy(self) -> None:
        """Close unneeded panels, as on small screens, and make room for names in the layer panel."""
        for dock in self.desk.window.findChildren(QDockWidget):
            if dock.objectName() != "Layers":
                dock.close()
        layers = self.desk.window.findChild(QDockWidget, "Layers")
        self.desk.window.resizeDocks([layers], [300], Qt.Orientation.Horizontal)

    def missing_backend(self) -> None:
        """Show the message of a first run without a backend."""
        pointer = Path(QgsApplication.qgisSettingsDirPath()) / "sardino" / "env" / "current"
        aside = pointer.with_name("aside")
        pointer.rename(aside)
        toolbox = plugins["processing"].toolbox
        try:
            self._select("sardino:landcover")
            self.desk.modal_picture("no-backend", (700, 300), toolbox.executeAlgorithm)
        finally:
            aside.rename(pointer)

    def _select(self, algorithm: str) -> None:
        """Unfold the plugin's group in the toolbox and select an algorithm."""
        toolbox = plugins["processing"].toolbox
        toolbox.setUserVisible(True)
        self.desk.settle()
        tree = toolbox.algorithmTree
        model = tree.model()
        for row in range(model.rowCount()):
            index = model.index(row, 0)
            if "SAR Land Cover" not in str(index.data()):
                continue
            tree.expand(index)
            for child in range(model.rowCount(index)):
                found = model.index(child, 0, index)
                if tree.algorithmForIndex(found).id() == algorithm:
                    tree.setCurrentIndex(found)
                    tree.scrollTo(index, tree.ScrollHint.PositionAtTop)
                    return
        raise TourError(f"{algorithm} is not in the toolbox")

    def toolbox(self) -> None:
        """Show the sample scene, and the algorithms in the toolbox."""
        self.scene = self.desk.add_raster(self.sample, SCENE)
        self._select("sardino:landcover")
        self.desk.window.resizeDocks([plugins["processing"].toolbox], [340], Qt.Orientation.Horizontal)
        self.desk.show(self.scene)
        self.desk.picture("toolbox")

    def menu(self) -> None:
        """Show the plugin's menu."""
        bar, menu = self.desk.window.menuBar(), iface.pluginMenu()
        corner = bar.mapToGlobal(bar.actionGeometry(menu.menuAction()).bottomLeft())
        menu.popup(corner)
        self.desk.settle()
        entry = menu.actionGeometry(self.plugin.menu.menuAction())
        self.plugin.menu.popup(menu.mapToGlobal(entry.topRight()))
        self.desk.settle()
        self.desk.screen("menu", QRect(0, 0, SIZE[0], self.plugin.menu.geometry().bottom() + 60))
        self.plugin.menu.close()
        menu.close()

    def set_up(self) -> None:
        """Show the dialog that installs the backend, before any button is pressed."""
        self.plugin.set_up_backend()
        kinds = import_module("sardino_qgis.environment.kinds")
        self.plugin.setup_dialog.kinds[kinds.Kind.MAPPING].setChecked(True)  # as before there is any installation
        self.desk.settle()
        if self.plugin.setup_dialog.plan is None:
            raise TourError(f"no plan of the installation: {self.plugin.setup_dialog.summary.text()}")
        self.plugin.setup_dialog.resize(760, 520)
        self.desk.picture("set-up", self.plugin.setup_dialog)
        self.plugin.setup_dialog.close()

    def run(self, algorithm: str, parameters: dict[str, Any], picture: str = "") -> dict[str, Any]:
        """Fill in an algorithm's dialog, take a picture of it if one is named, run it, and return the results."""
        iface.setActiveLayer(self.scene)  # results are loaded too
        dialog = processing.createAlgorithmDialog(f"sardino:{algorithm}", parameters)
        dialog.resize(900, 780)
        dialog.show()
        self.desk.settle()
        if picture:
            self.desk.picture(picture, dialog)
        ended: list[tuple[bool, dict[str, Any]]] = []
        dialog.algorithmFinished.connect(lambda good, results: ended.append((good, dict(results))))
        dialog.runButton().click()
        self.desk.until(lambda: ended, f"sardino:{algorithm}", PATIENCE)
        said = dialog.findChild(QTextEdit, "txtLog")
        if not ended[0][0]:
            raise TourError(f"sardino:{algorithm} failed: {said.toPlainText() if said else ''}")
        dialog.close()
        return ended[0][1]

    def land_cover(self) -> None:
        """Show dialog, map and confidence."""
        plugins["processing"].toolbox.setUserVisible(False)
        # A file: its name stands in the accuracy report.
        output = str(self.sample.with_name("landcover.tif"))
        given = {"INPUT": self.scene, "OUTPUT": output, "OUTPUT_CONFIDENCE": "TEMPORARY_OUTPUT"}
        self.run("landcover", given, "landcover-dialog")
        for name in ("Land cover", "Confidence"):
            self.desk.show(self.desk.layer(f"{name}: {SCENE}"))
            self.desk.picture(name.replace(" ", "").lower())

    def attention(self) -> None:
        """Show the attention map."""
        self.run("attention", {"INPUT": self.scene, "HEADS": "log", "OUTPUT": "TEMPORARY_OUTPUT"})
        self.desk.show(self.desk.layer(f"Attention: {SCENE}"), self.scene)
        self.desk.picture("attention")

    def embeddings(self) -> None:
        """Show the principal components of the embeddings."""
        given = {"INPUT": self.scene, "OUTPUT": "TEMPORARY_OUTPUT", "OUTPUT_PCA": "TEMPORARY_OUTPUT"}
        self.run("embeddings", given)
        self.desk.show(self.desk.layer(f"Principal components: {SCENE}"))
        self.desk.picture("embeddings")

    def similarity(self) -> None:
        """Show the map tool after a click on the river."""
        self.desk.show(self.scene)
        iface.setActiveLayer(self.scene)
        self.plugin.similarity.action.trigger()
        self.desk.click(0.615, 0.54, self.scene)
        self.desk.show(self.desk.layer(f"Similarity in {SCENE}"), self.scene)
        self.desk.picture("similarity")
        iface.actionPan().trigger()

    def accuracy(self) -> None:
        """Show dialog and report of a comparison with the labels that the sample was simulated from."""
        reference = self.desk.add_raster(self.labels, "simulated_s1_labels")
        given = {"INPUT": self.desk.layer(f"Land cover: {SCENE}"), "REFERENCE": reference, "SAMPLE_SIZE": 500}
        results = self.run("accuracy", given, "accuracy-dialog")
        page = report_page(Path(results["OUTPUT"]))
        page.show()
        self.desk.settle(2)
        self.desk.picture("accuracy-report", page)
        page.close()

    def go(self) -> None:
        """Take all pictures."""
        self.tidy()
        self.toolbox()
        self.missing_backend()
        self.menu()
        self.set_up()
        self.land_cover()
        self.attention()
        self.embeddings()
        self.similarity()
        self.accuracy()


def report_page(path: Path) -> Any:
    """Return a widget that shows the upper part of an accuracy report, much as a web browser does."""
    try:
        from qgis.PyQt.QtWebKitWidgets import QWebView
    except ImportError:  # newer systems lack it; the text browser shows the same with less spacing
        page = QTextBrowser()
        page.setHtml(path.read_text(encoding="utf-8"))
    else:
        page = QWebView()
        page.page().mainFrame().setScrollBarPolicy(Qt.Orientation.Vertical, Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        page.load(QUrl.fromLocalFile(str(path)))
    page.resize(*REPORT)
    return page


def main() -> None:
    """Take the pictures and end QGIS, with status 0 if all were taken."""
    status = 1
    try:
        desk = Desktop(Path(os.environ["SARDINO_TOUR_PICTURES"]), SIZE)
        Tour(desk, Path(os.environ["SARDINO_TOUR_SAMPLE"]), Path(os.environ["SARDINO_TOUR_LABELS"])).go()
        status = 0
    except Exception:  # QGIS would show a dialog that nobody closes
        traceback.print_exc()
    QgsProject.instance().clear()
    sys.stdout.flush()
    sys.stderr.flush()
    # Closing the window would ask what to do with temporary layers.
    os._exit(status)


# The window is still being built when the start-up script is read.
QTimer.singleShot(1500, main)
