"""The plugin object: registers the provider, and on the desktop a small menu."""

from __future__ import annotations

import os

from qgis.core import QgsApplication
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QFileDialog, QMenu, QMessageBox

from . import environment
from .provider import SarDinoProvider
from .translation import tr


class SarDinoPlugin:
    """What QGIS loads and unloads."""

    def __init__(self, iface=None) -> None:
        """`iface` is the desktop's QgisInterface; None in `qgis_process`."""
        self.iface = iface
        self.provider = None
        self.menu = None
        self.similarity = None

    def initProcessing(self) -> None:
        """Register the provider; all that `qgis_process` calls."""
        if self.provider is None:
            self.provider = SarDinoProvider()
            QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Register the provider and add the menu."""
        self.initProcessing()
        if self.iface is None:
            return
        self.menu = QMenu(tr("SAR Land Cover (DINO)"))
        self.menu.setIcon(QIcon(environment.resource("icons", "sardino.svg")))
        # Only here, since `qgis_process` has neither map nor tools.
        from .similarity_tool import SimilarityAction

        self.similarity = SimilarityAction(self.iface, self.menu)
        self.menu.addSeparator()
        self.menu.addAction(tr("Choose Python interpreter…")).triggered.connect(self.choose_interpreter)
        self.menu.addAction(tr("Backend in use…")).triggered.connect(self.show_backend)
        self.iface.pluginMenu().addMenu(self.menu)

    def unload(self) -> None:
        """Take away all that was added."""
        if self.similarity is not None:
            self.similarity.remove()
            self.similarity = None
        if self.menu is not None:
            self.iface.pluginMenu().removeAction(self.menu.menuAction())
            self.menu.deleteLater()
            self.menu = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None

    def choose_interpreter(self) -> None:
        """Ask for the interpreter of an environment with PyTorch, and keep it in the settings."""
        now = environment.stored_interpreter() or str(environment.managed_folder().parent)
        path, _ = QFileDialog.getOpenFileName(
            self.iface.mainWindow(), tr("Python interpreter of an environment with PyTorch"), now
        )
        if not path:
            return
        wrong = environment.why_unusable(path)
        if wrong:
            QMessageBox.warning(self.iface.mainWindow(), tr("SAR Land Cover (DINO)"), f"{path}: {wrong}")
            return
        environment.store_interpreter(path)
        self.show_backend()

    def show_backend(self) -> None:
        """Tell which interpreter will be used, or why there is none."""
        if environment.problem():
            QMessageBox.warning(self.iface.mainWindow(), tr("SAR Land Cover (DINO)"), environment.problem())
            return
        text = tr("Interpreter: {python}\nBackend: {root}").format(
            python=environment.find_interpreter(),
            root=os.path.join(str(environment.backend_root()), "backend"),
        )
        if os.environ.get(environment.VARIABLE):
            text += "\n" + tr("The environment variable {} decides; the setting is not used.").format(
                environment.VARIABLE
            )
        QMessageBox.information(self.iface.mainWindow(), tr("SAR Land Cover (DINO)"), text)
