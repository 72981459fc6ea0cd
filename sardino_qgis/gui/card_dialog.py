"""Show a model's card in a separate window."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout

from ..common.i18n import tr
from ..models.card_page import card_page, unknown_page
from ..models.installed import find_model


def card_browser() -> QTextBrowser:
    """Return a browser for cards. It follows no links, since cards are untrusted."""
    browser = QTextBrowser()
    browser.setOpenLinks(False)
    return browser


class CardDialog(QDialog):
    """Show a model card in a modeless dialog that is deleted when closed."""

    def __init__(self, page: str, parent: Any = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Model card"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(660, 640)
        layout = QVBoxLayout(self)
        self.browser = card_browser()
        self.browser.setHtml(page)
        layout.addWidget(self.browser)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout.addWidget(buttons)

    @staticmethod
    def show_for(value: str, parent: Any) -> None:
        """Show the card of the model that `value` of the parameter MODEL means; close one that is open."""
        for shown in parent.findChildren(CardDialog):
            shown.close()
        model = find_model(value)
        CardDialog(card_page(model) if model is not None else unknown_page(value), parent).show()
