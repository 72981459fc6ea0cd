"""Register the Processing provider and, on the desktop, the plugin's menu."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsCoordinateTransform, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices, QIcon
from qgis.PyQt.QtWidgets import QFileDialog, QMenu, QMessageBox

from .client.pool import WarmPool
from .common.i18n import tr
from .common.language import install_translator, remove_translator
from .common.plugin_files import help_page, resource
from .environment import locate
from .layers.legend import name_classes
from .provider import SarDinoProvider


def _theme_icon(name: str) -> QIcon:
    return QgsApplication.getThemeIcon(f"/{name}.svg")


class SarDinoPlugin:
    """Add the plugin to QGIS, which loads and unloads this object."""

    def __init__(self, iface=None) -> None:
        """Take `iface`, the QgisInterface of the desktop, or None in `qgis_process`."""
        self.iface = iface
        self.translator = None
        self.provider = None
        self.warm_pool = None
        self.menu = None
        self.similarity = None
        self.outline = None
        self.setup_offer = None
        self.models_dialog = None
        self.setup_dialog = None
        self.diagnostics_dialog = None

    def initProcessing(self) -> None:
        """Register the provider. `qgis_process` calls nothing else."""
        if self.provider is None:
            self.translator = install_translator()
            self.provider = SarDinoProvider()
            QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Register the provider and add the menu."""
        self.initProcessing()
        if self.iface is None:
            return
        self.warm_pool = self.provider.warm_pool = WarmPool()
        self.menu = QMenu(tr("SAR Land Cover (DINO)"))
        self.menu.setIcon(QIcon(resource("icons", "sardino.svg")))
        # Imported here, since `qgis_process` has no map canvas.
        from .gui.outline_tool import OutlineTool
        from .gui.setup_offer import SetupOffer
        from .gui.similarity_tool import SimilarityTool
        from .gui.tool_action import ToolAction

        self.setup_offer = SetupOffer(self.iface, self.set_up_backend)
        self.provider.offer_setup = self.setup_offer.before_a_run
        given = self.iface, self.warm_pool, self.setup_offer.before_a_run
        self.similarity = ToolAction(
            self.iface, self.menu, SimilarityTool(*given), "similarity.svg",
            (tr("Find similar places"),
             tr("Click on the active SAR raster to see which places are similar; Ctrl+click adds a place")),
        )  # fmt: skip
        self.outline = ToolAction(
            self.iface, self.menu, OutlineTool(*given), "outline.svg",
            (tr("Draw samples by a click"),
             tr("Click on a place in the active SAR raster: its outline becomes a sample for 'Train own classes'")),
        )  # fmt: skip
        self.menu.addSeparator()
        for icon, text, slot in (
            (_theme_icon("mActionAddRasterLayer"), tr("Load sample scene"), self.load_sample),
            (QIcon(resource("icons", "models.svg")), tr("Models…"), self.show_models),
            (_theme_icon("mActionShowPluginManager"), tr("Set up backend…"), self.set_up_backend),
            (_theme_icon("mIconPythonFile"), tr("Choose Python interpreter…"), self.choose_interpreter),
            (_theme_icon("mIconInfo"), tr("Diagnostics…"), self.show_diagnostics),
            (_theme_icon("mActionHelpContents"), tr("Help"), self.show_help),
        ):
            self.menu.addAction(icon, text).triggered.connect(lambda _checked, slot=slot: slot())
        self.iface.pluginMenu().addMenu(self.menu)
        self.setup_offer.after_installation()
        QgsProject.instance().layersAdded.connect(name_classes)

    def unload(self) -> None:
        """Remove everything that the plugin added, and end its processes."""
        self._remove_tools()
        if self.warm_pool is not None:
            self.warm_pool.close()
            self.warm_pool = None
        if self.setup_offer is not None:
            QgsProject.instance().layersAdded.disconnect(name_classes)
            self.setup_offer.remove()
            self.setup_offer = None
        for dialog in (self.setup_dialog, self.models_dialog):
            if dialog is not None:
                dialog.cancel()
        for dialog in (self.setup_dialog, self.models_dialog, self.diagnostics_dialog):
            if dialog is not None:
                dialog.deleteLater()
        self.setup_dialog = self.models_dialog = self.diagnostics_dialog = None
        if self.menu is not None:
            self.iface.pluginMenu().removeAction(self.menu.menuAction())
            self.menu.deleteLater()
            self.menu = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
            remove_translator(self.translator)
            self.translator = None

    def _remove_tools(self) -> None:
        for tool in (self.similarity, self.outline):
            if tool is not None:
                tool.remove()
        self.similarity = self.outline = None

    def load_sample(self) -> None:
        """Load the simulated scene that comes with the plugin, to try the algorithms on."""
        layer = QgsRasterLayer(resource("sample", "simulated_s1.tif"), tr("Simulated sample scene"))
        QgsProject.instance().addMapLayer(layer)
        self.iface.setActiveLayer(layer)
        canvas = self.iface.mapCanvas()
        place = QgsCoordinateTransform(layer.crs(), canvas.mapSettings().destinationCrs(), QgsProject.instance())
        canvas.setExtent(place.transformBoundingBox(layer.extent()))
        canvas.refresh()

    def show_models(self) -> None:
        """Show the dialog of installed models, with a fresh list."""
        if self.models_dialog is None:
            from .gui.models_dialog import ModelsDialog

            self.models_dialog = ModelsDialog(self.iface.mainWindow())
        else:
            self.models_dialog.fill()
        self.models_dialog.show()
        self.models_dialog.raise_()

    def show_help(self) -> None:
        """Open the plugin's documentation in the browser."""
        QDesktopServices.openUrl(QUrl(help_page("index")))

    def choose_interpreter(self) -> None:
        """Ask for the interpreter of an environment with the backend's packages, and store it in the settings."""
        now = locate.stored_interpreter() or str(locate.managed_folder().parent)
        path, _ = QFileDialog.getOpenFileName(
            self.iface.mainWindow(), tr("Python interpreter of the backend's environment"), now
        )
        if not path:
            return
        wrong = locate.why_unusable(path)
        if wrong:
            QMessageBox.warning(self.iface.mainWindow(), tr("SAR Land Cover (DINO)"), f"{path}: {wrong}")
            return
        locate.store_interpreter(path)
        self.warm_pool.rest()
        self.show_diagnostics()

    def set_up_backend(self) -> None:
        """Show the dialog that installs the backend; a running installation keeps its dialog."""
        if self.setup_dialog is None:
            from .gui.setup_dialog import SetupDialog

            self.setup_dialog = SetupDialog(self.iface.mainWindow())
            # Windows doesn't delete the files of a running program, so the older environment couldn't be removed.
            self.setup_dialog.changing.connect(self.warm_pool.rest)
        self.setup_dialog.show()
        self.setup_dialog.raise_()

    def show_diagnostics(self) -> None:
        """Show versions, device and paths, or why there is no backend."""
        from .gui.diagnostics_dialog import DiagnosticsDialog

        if self.diagnostics_dialog is not None:
            self.diagnostics_dialog.deleteLater()
        self.diagnostics_dialog = DiagnosticsDialog(self.iface.mainWindow())
        self.diagnostics_dialog.show()
