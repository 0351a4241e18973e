"""Tells the page that shows the app, under `streamtui web`, which session to come back to after a reload."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamtui.ui.app import StreamTUI

EVERY = 0.25
"""Seconds between looks at which session is shown."""


class WebPage:
    """The page of `app`; does nothing where a terminal shows it."""

    def __init__(self, app: "StreamTUI") -> None:
        self._app = app
        self._told = ""

    def watch(self) -> None:
        """Begin to tell."""
        if self._app.is_web:
            self._app.set_interval(EVERY, self._tell)

    def _tell(self) -> None:
        from textual.drivers.web_driver import WebDriver

        session, driver = self._app.chat.session, self._app._driver
        if session is None or not isinstance(driver, WebDriver):
            return
        shown = session.id if session.messages else ""
        if shown != self._told:
            self._told = shown
            driver.write_meta({"type": "session", "id": shown})
