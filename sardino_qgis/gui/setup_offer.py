"""Offer to set up the backend in the message bar, where there is none."""

from __future__ import annotations

import html
from typing import Any, Callable

from qgis.core import Qgis, QgsSettings
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QPushButton

from ..common.i18n import tr
from ..environment import locate

OFFERED = "sardino/setupOffered"  # set once the bar was shown without a run


def missing() -> str:
    """Return one sentence about what is missing, or an empty string where the backend can be started."""
    try:
        locate.find_interpreter()
        locate.backend_root()
    except locate.BackendMissingError as trouble:
        if locate.attempts()[-1].problem and not locate.attempts()[-1].named:
            return tr("The backend, which computes the maps, is not set up yet.")
        return trouble.message
    return ""


class SetupOffer:
    """Show one message bar with a button; asked for again, it is not shown twice."""

    def __init__(self, iface: Any, set_up: Callable[[], None]) -> None:
        """Take the QgisInterface of the desktop, and what opens the set-up dialog."""
        self._iface, self._set_up = iface, set_up
        self._item: Any = None

    def after_installation(self) -> None:
        """Offer it when the plugin is first loaded in a profile; later only runs do."""
        text = missing()
        if text and not QgsSettings().value(OFFERED, False, type=bool):
            QgsSettings().setValue(OFFERED, True)
            self._show(text)

    def before_a_run(self) -> str:
        """Return why no algorithm can run, after offering the set-up; an empty string where they can."""
        text = missing()
        if not text:
            return ""
        self._show(text)
        return text + " " + tr("Press 'Set up now' in the bar above the map.")

    def _show(self, text: str) -> None:
        if self._item is not None and not sip.isdeleted(self._item):
            return
        bar = self._iface.messageBar()
        # The bar shows HTML, and paths are untrusted.
        self._item = bar.createMessage(tr("SAR Land Cover (DINO)"), html.escape(text, quote=False))
        button = QPushButton(tr("Set up now"))
        button.clicked.connect(lambda _checked: self._accept())
        self._item.layout().addWidget(button)
        bar.pushWidget(self._item, Qgis.MessageLevel.Warning, 0)

    def _accept(self) -> None:
        self.remove()
        self._set_up()

    def remove(self) -> None:
        """Take the message away."""
        item, self._item = self._item, None
        if item is not None and not sip.isdeleted(item):
            self._iface.messageBar().popWidget(item)
