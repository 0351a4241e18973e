"""Tell the page of `streamtui web` which session to open after a reload."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamtui.ui.app import StreamTUI

EVERY = 0.25
"""Seconds between checks of which session is shown."""


class WebPage:
    """The page that shows `app`; does nothing in a terminal."""

    def __init__(self, app: "StreamTUI") -> None:
        self._app = app
        self._reported = ""

    def watch(self) -> None:
        """Start to report the session."""
        if self._app.is_web:
            self._app.set_interval(EVERY, self._report)

    def _report(self) -> None:
        from textual.drivers.web_driver import WebDriver

        session, driver = self._app.chat.session, self._app._driver
        if session is None or not isinstance(driver, WebDriver):
            return
        shown = session.id if session.messages else ""
        if shown != self._reported:
            self._reported = shown
            driver.write_meta({"type": "session", "id": shown})
