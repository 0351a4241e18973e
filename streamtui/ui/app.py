"""StreamTUI: the app: themes, keys, signals and the first screen."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import RenderableType
from textual import events, work
from textual.actions import ActionParseResult
from textual.binding import Binding
from textual.command import Provider as CommandProvider
from textual.dom import DOMNode
from textual.driver import Driver
from textual.worker import WorkerFailed

from streamtui import error_log
from streamtui.commands import remapped
from streamtui.config import Config, Endpoint, Origin
from streamtui.core.session import Session
from streamtui.error_log import LOG
from streamtui.ui import terminal, themes
from streamtui.ui.chat_screen import ChatScreen
from streamtui.ui.connections import Connections
from streamtui.ui.suspend import SuspendingApp

if TYPE_CHECKING:
    # Imported where they are used, after the first paint.
    from streamtui.providers.base import Provider
    from streamtui.storage import Store


TIDY_EVERY = 60.0
"""Seconds between looks into the trash."""
IDLE = 1.0
"""Seconds without a key after which a pause of 0.15 s does no harm."""
PARENT_EVERY = 1.0
"""Seconds between looks at whether the server of the page still lives."""


def _connect(endpoint: Endpoint) -> "Provider":
    from streamtui.providers import connect

    return connect(endpoint)


def _palette() -> type[CommandProvider]:
    from streamtui.ui.palette import Palette

    return Palette


def _quits(event: events.Event) -> bool:
    return isinstance(event, events.Key) and event.key == "ctrl+q"


class StreamTUI(SuspendingApp[None]):
    """A full-screen chat."""

    TITLE = "streamtui"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    COMMANDS = {_palette}
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f12"
    BINDINGS = [Binding("ctrl+q", "quit", "Quit", show=False, priority=True)]

    store: "Store"
    """The saved sessions; there once the first screen is painted."""

    def __init__(
        self,
        config: Config,
        database: Path,
        *,
        session_id: str = "",
        resume: int = 0,
        connect: Callable[[Endpoint], "Provider"] = _connect,
    ) -> None:
        """Sessions are kept in `database`. `session_id` opens one, `resume` the latest (1), the one before
        (2), and so on; else a new one starts."""
        super().__init__()
        self.config = config
        self.connections = Connections(config, connect)
        self._database = database
        self._session_id = session_id
        self._resume = resume
        self._troubles = list(config.warnings)
        self._blurred = False
        self._last_key = 0.0
        self._early: list[events.Key | events.Paste] | None = []
        """What is typed before the chat can take it, in order; None once it can."""
        self.crash = ""
        """Why the app had to close, in a sentence for the user; empty: it did not."""
        self._notices = error_log.Notices(self._tell_of_failure)
        self.chat = ChatScreen()
        self.chat.connections, self.chat.keymap = self.connections, config.keymap
        self.chat.config = config
        self._use_default_theme()

    # Start and end

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver, except in a terminal, where that one does not survive the terminal's end."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from streamtui.ui.driver import TerminalDriver

        return TerminalDriver

    def get_default_screen(self) -> ChatScreen:
        """The chat is the first screen: one pushed over Textual's empty one would be a second paint."""
        return self.chat

    def on_mount(self) -> None:
        """Leaves all that is heavy or slow until the chat is painted."""
        terminal.teach_alt_enter()
        LOG.addHandler(self._notices)
        error_log.watch(asyncio.get_running_loop())
        self.set_keymap({**self.config.keymap})
        self.call_after_refresh(self._after_first_paint)
        if self.is_web:
            self._page_server = os.getppid()
            self.set_interval(PARENT_EVERY, self._end_with_parent)

    def on_app_blur(self, event: events.AppBlur) -> None:
        """Keeps the first blur of a page out: Textual's web driver sends it by itself, and it can overtake the
        focus that the page has sent (8.2.8); keys would then go nowhere.
        """
        if self.is_web and not self._blurred:
            event.prevent_default()
        self._blurred = True

    def _end_with_parent(self) -> None:
        """Ends with the server of the page: Textual's web driver does not notice that it was killed (8.2.8)."""
        if os.getppid() != self._page_server:
            self.terminate()

    def _warmed_up(self, trouble: str) -> None:
        if trouble:
            self.notify(trouble, severity="warning", markup=False, timeout=10)
        if self.chat.is_attached:
            self.chat.show_status()  # prices and windows are known now

    def _wait_until_idle(self) -> bool:
        """Waits until no reply is under way and no key was pressed for a second; False once the app has ended."""
        while self.is_running:
            pressed, replying = time.monotonic() - self._last_key < IDLE, self.chat.conversation.progress.running
            if not (pressed or replying):
                return True
            time.sleep(0.1)
        return False

    def _tidy(self) -> None:
        """Deletes what has been in the trash for long, where nothing else goes on."""
        if not self.chat.is_replying:
            self.store.empty_trash()

    def _use_default_theme(self) -> None:
        files = themes.theme_files()
        name = self.config.theme if self.config.theme in files else themes.DEFAULT
        try:
            self.register_theme(themes.load(files[name]))
            # Past the watcher: it would style everything twice before the first paint.
            self.set_reactive(StreamTUI.theme, name)
            self.stylesheet.set_variables(self.get_css_variables())
        except (themes.ThemeError, KeyError) as error:
            self._troubles.append(str(error))

    def _after_first_paint(self) -> None:
        from streamtui.storage import Store
        from streamtui.ui.warm_up import warm_up
        from streamtui.ui.web_page import WebPage

        self._catch_signals()
        self.store = Store(self._database, self._tell_from_thread)
        endpoint = self.config.endpoint
        provider = self.connections.to(endpoint)
        session = Session(
            endpoint=endpoint.name,
            model=endpoint.model,
            system=self.config.system,
            parameters=self.config.new_parameters,
        )
        self.chat.begin(session, provider, self.store)
        self._replay_early_keys()
        self.set_interval(TIDY_EVERY, self._tidy)
        WebPage(self).watch()
        warm_up(
            provider,
            endpoint.model,
            tell=lambda trouble: self.call_from_thread_soon(self._warmed_up, trouble),
            wait=self._wait_until_idle,
        )
        self.open_first()

    def _replay_early_keys(self) -> None:
        early, self._early = self._early or [], None
        for event in early:
            self.post_message(event)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Ends the app; what is written and not sent is kept."""
        if self.chat.is_attached:
            self.chat.save_draft()
        super().exit(result, return_code, message)

    def close(self) -> bool:
        """Saves what is not saved yet, once the app has ended; False where it could not be saved."""
        return self.store.close() if hasattr(self, "store") else True

    @work(group="panel")
    async def open_first(self) -> None:
        """Opens the session asked for; says who can answer if nobody can."""
        await self._read_themes()
        self._tell_troubles()
        if self._session_id or self._resume:
            await self._open_asked_for()
        self.chat.restore_draft()
        await self._offer_somebody()
        if self.is_running:  # it may have been closed meanwhile
            self.chat.be_ready()

    async def _read_themes(self) -> None:
        # First of all: an app that has ended while this waited can't be told of themes any more.
        self.theme_changed_signal.subscribe(self, lambda theme: self.store.remember("theme", theme.name))
        name = self.config.theme or await self._recall("theme")
        found, troubles = themes.load_all()
        for theme in found:
            self.register_theme(theme)
        self._troubles += troubles
        if name in self.available_themes:
            self.theme = name
        elif self.config.theme:
            where = self.config.source_of("theme")
            self._troubles.append(f"{where}: {themes.unknown_theme(name)}")

    def _tell_troubles(self) -> None:
        """Says what in the files of the user could not be used: the first of it, where it is much."""
        if not self._troubles:
            return
        first, *more = self._troubles
        rest = f" And {len(more)} more: streamtui config check names them all." if more else ""
        self.notify(f"{first}{rest}", severity="warning", markup=False, timeout=15)

    async def _recall(self, key: str) -> str:
        """What is remembered under `key`; "" for nothing, or where the store can't be read, which is told."""
        from streamtui.storage import StoreError

        try:
            remembered: str | None = await asyncio.wrap_future(self.store.recall(key))
        except StoreError as error:
            self.notify(str(error), severity="warning", markup=False, timeout=10)
            return ""
        return remembered or ""

    async def _open_asked_for(self) -> None:
        from streamtui.storage import StoreError

        try:
            store, number = self.store, self._resume
            latest: str | None = None if self._session_id else await asyncio.wrap_future(store.latest(number))
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False, timeout=10)
            return
        if session_id := self._session_id or latest:
            await self.chat.open_saved(session_id)
            self._lay_flags_over()
        else:
            few = "Nothing is" if self._resume == 1 else "Not so many sessions are"
            self.notify(f"{few} saved yet; this is a new session.", markup=False)

    def _lay_flags_over(self) -> None:
        """Lets what flags ask for hold in a session that goes on, too."""
        session, config = self.chat.conversation.session, self.config
        session.parameters = config.parameters.over(session.parameters)
        by_flag = config.source_of("endpoint").origin is Origin.FLAG
        if by_flag and self.chat.conversation.provider is not self.connections.to(config.endpoint):
            self.chat.switch_endpoint(config.endpoint)
        self.chat.use_session_key()
        if config.model:
            self.chat.switch_to(config.model)

    async def _offer_somebody(self) -> None:
        """Asks who should answer, until somebody can or the user does without."""
        from streamtui.ui.dialogs.endpoint_picker import EndpointPicker
        from streamtui.ui.dialogs.welcome import OTHER, Welcome

        while (wanted := self.chat.conversation.provider.endpoint).needs_key:
            choice = await self.push_screen_wait(Welcome(wanted, self.connections.endpoints))
            if choice == OTHER:
                name = await self.push_screen_wait(EndpointPicker(self.connections.endpoints, wanted.name))
                choice = self.connections.endpoint(name) or OTHER
            if choice is None:
                return
            if isinstance(choice, Endpoint) and (usable := await self.chat.with_key(choice)):
                self.chat.switch_endpoint(usable)

    def _catch_signals(self) -> None:
        # Without this SIGTERM and SIGHUP leave the terminal raw (textual 8.2.8).
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            if number := getattr(signal, name, None):
                try:
                    loop.add_signal_handler(number, self.terminate)
                except (NotImplementedError, RuntimeError, ValueError):
                    return  # not the main thread, or a platform without signals: the default stays

    def terminate(self) -> None:
        """Ends the app because of something else than the user, such as a signal or a closed terminal."""
        self.chat.interrupt("streamtui was terminated before the reply was complete.")
        self.exit()

    # Unexpected errors

    def _handle_exception(self, error: Exception) -> None:
        """Logs `error`. The app goes on without a worker that failed; else it closes, as Textual has stopped a widget.

        Textual's own would write a traceback to the terminal, with the values of variables.
        """
        if isinstance(error, WorkerFailed):
            LOG.error("A background task failed", exc_info=error.error)
            return
        LOG.critical("An internal error closed streamtui", exc_info=error)
        if self._exception is None:  # raised by Textual's test pilot
            self._exception = error
            self._exception_event.set()
        self.crash = f"streamtui closed because of an internal error ({type(error).__name__}). {error_log.where()}"
        self.chat.interrupt("An internal error closed streamtui before the reply was complete.")
        self._return_code = 1
        self._close_messages_no_wait()

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Runs an action; one that fails is logged and told, and leaves the app as it is."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:  # noqa: BLE001 - a broken command must not take the others away
            LOG.error("The command failed", exc_info=error)
            return True

    def _tell_of_failure(self, sentence: str) -> None:
        self.call_from_thread_soon(self._notify_of_failure, sentence)

    def _notify_of_failure(self, sentence: str) -> None:
        self.notify(sentence, title="Internal error", severity="error", markup=False, timeout=15)

    async def on_unmount(self) -> None:
        """Close the connections."""
        LOG.removeHandler(self._notices)
        if hasattr(self, "store"):
            await self.connections.aclose()

    # Keys and clipboard

    async def on_event(self, event: events.Event) -> None:
        """Gives keys their usual names before anything looks at them."""
        if isinstance(event, events.Key):
            terminal.spelled_as_usual(event)
            self._last_key = time.monotonic()
        if self._early is not None and isinstance(event, events.Key | events.Paste) and not _quits(event):
            self._early.append(event)
            return
        await super().on_event(event)

    def action_show_keys(self) -> None:
        """Show the keys of every screen."""
        from streamtui.ui.dialogs.help import HelpScreen

        self.push_screen(HelpScreen(remapped(self.config.keymap)))

    def copy_to_clipboard(self, text: str) -> None:
        """Copies `text` and says which way it went."""
        self._copy(text)

    @work(exclusive=True, group="copy")
    async def _copy(self, text: str) -> None:
        size = f"{len(text):,} character{'' if len(text) == 1 else 's'}"
        if await terminal.copy_in_tmux(text):
            self.notify(f"Copied {size} by tmux.", markup=False, timeout=2)
        else:
            super().copy_to_clipboard(text)
            self.notify(f"Copied {size} by the terminal (OSC 52).", markup=False, timeout=2)

    # ErrorKind with the disk

    def _tell_from_thread(self, trouble: str) -> None:
        self.call_from_thread_soon(self._tell_trouble, trouble)

    def call_from_thread_soon(self, callback: Callable[[str], None], text: str) -> None:
        """Runs `callback` on the app's loop, if the app still runs then. The calling thread does not wait for it."""

        def call() -> None:
            if self.is_running:  # else its widgets may be gone
                callback(text)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _tell_trouble(self, trouble: str) -> None:
        self.chat.status.warning = "not saved" if trouble else ""
        if trouble:
            self.notify(f"{trouble} The chat continues in memory.", severity="error", markup=False, timeout=15)
        else:
            self.notify("Saving works again; nothing was lost.", markup=False)
