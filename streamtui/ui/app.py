"""The app: themes, keys, signals and the first screen."""

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
from streamtui.ui.connections import Connections
from streamtui.ui.screens.chat import ChatScreen
from streamtui.ui.suspend import SuspendingApp

if TYPE_CHECKING:
    # Imported where they are used, after the first paint.
    from streamtui.conversation import Conversation
    from streamtui.conversation.manager import ConversationManager
    from streamtui.providers.base import Provider
    from streamtui.storage import Store


EMPTY_TRASH_EVERY = 60.0
"""Seconds between checks for old sessions in the trash."""
IDLE = 1.0
"""Seconds without a key after which a pause of 0.15 s goes unnoticed."""
PARENT_EVERY = 1.0
"""Seconds between checks whether the web server is still running."""


def _connect(endpoint: Endpoint) -> "Provider":
    from streamtui.providers import connect

    return connect(endpoint)


def _palette() -> type[CommandProvider]:
    from streamtui.ui.palette import Palette

    return Palette


def _quits(event: events.Event) -> bool:
    return isinstance(event, events.Key) and event.key == "ctrl+q"


class StreamTUI(SuspendingApp[None]):
    """A full-screen chat client."""

    TITLE = "streamtui"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    COMMANDS = {_palette}
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f12"
    BINDINGS = [Binding("ctrl+q", "quit", "Quit", show=False, priority=True)]

    store: "Store"
    """The saved sessions; there once the first screen is painted."""
    conversations: "ConversationManager"
    """The replies that are arriving; there once the first screen is painted."""

    def __init__(
        self,
        config: Config,
        database: Path,
        *,
        session_id: str = "",
        resume: int = 0,
        connect: Callable[[Endpoint], "Provider"] = _connect,
    ) -> None:
        """Save sessions in `database`. `session_id` opens one, `resume` the latest (1), the one before
        that (2), and so on; otherwise a new one starts."""
        super().__init__()
        self.config = config
        self.connections = Connections(config, connect)
        self._database = database
        self._session_id = session_id
        self._resume = resume
        self._warnings = list(config.warnings)
        self._blurred = False
        self._last_key = 0.0
        self._early: list[events.Key | events.Paste] | None = []
        """Keys typed before the chat is ready, in order; None once it is."""
        self.crash = ""
        """Why the app had to close, in a sentence for the user; "" if it did not."""
        self._notices = error_log.Notices(self._report_internal_error)
        self.chat = ChatScreen(config, self.connections)
        self._use_default_theme()

    # Start and end

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's driver, except for terminals: theirs hangs when the terminal closes."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from streamtui.ui.driver import TerminalDriver

        return TerminalDriver

    def get_default_screen(self) -> ChatScreen:
        """Return the chat: pushing it over an empty screen would paint twice."""
        return self.chat

    def on_mount(self) -> None:
        """Start; slow work waits until the chat is painted."""
        terminal.recognize_alt_enter()
        LOG.addHandler(self._notices)
        error_log.watch(asyncio.get_running_loop())
        self.set_keymap({**self.config.keymap})
        self.call_after_refresh(self._after_first_paint)
        if self.is_web:
            self._page_server = os.getppid()
            self.set_interval(PARENT_EVERY, self._end_with_parent)

    def on_app_blur(self, event: events.AppBlur) -> None:
        """Ignore the first blur of a web page: Textual's web driver (8.2.8) sends it unasked, possibly after the
        focus event of the page, and keys would then be lost.
        """
        if self.is_web and not self._blurred:
            event.prevent_default()
        self._blurred = True

    def _end_with_parent(self) -> None:
        """Quit when the web server is gone: Textual's web driver (8.2.8) does not notice."""
        if os.getppid() != self._page_server:
            self.terminate()

    def _warmed_up(self, warning: str) -> None:
        if warning:
            self.notify(warning, severity="warning", markup=False, timeout=10)
        if self.chat.is_attached:
            self.chat.show_status()  # prices and windows are known now

    def _wait_until_idle(self) -> bool:
        """Wait until no reply is arriving and no key was pressed for a second; False once the app has ended."""
        while self.is_running:
            pressed, replying = time.monotonic() - self._last_key < IDLE, self.chat.conversation.progress.running
            if not (pressed or replying):
                return True
            time.sleep(0.1)
        return False

    def _empty_trash(self) -> None:
        """Delete old sessions in the trash, unless a reply is arriving."""
        if not self.chat.is_replying:
            self.store.empty_trash()

    def _use_default_theme(self) -> None:
        files = themes.theme_files()
        name = self.config.theme if self.config.theme in files else themes.DEFAULT
        try:
            self.register_theme(themes.load(files[name]))
            # Bypass the watcher: it would style everything twice before the first paint.
            self.set_reactive(StreamTUI.theme, name)
            self.stylesheet.set_variables(self.get_css_variables())
        except (themes.ThemeError, KeyError) as error:
            self._warnings.append(str(error))

    def _after_first_paint(self) -> None:
        from streamtui.conversation.manager import ConversationManager
        from streamtui.storage import Store
        from streamtui.ui.warm_up import warm_up
        from streamtui.ui.web_page import WebPage

        self._catch_signals()
        self.store = Store(self._database, self._report_store_error)
        endpoint = self.config.endpoint
        provider = self.connections.to(endpoint)
        session = Session(
            endpoint=endpoint.name,
            model=endpoint.model,
            system=self.config.system,
            parameters=self.config.new_parameters,
        )
        self.conversations = ConversationManager(self._create_conversation)
        self.chat.begin(session, provider, self.store, self.conversations)
        self._replay_early_keys()
        self.set_interval(EMPTY_TRASH_EVERY, self._empty_trash)
        WebPage(self).watch()
        warm_up(
            provider,
            endpoint.model,
            notify=lambda warning: self.call_from_thread_soon(self._warmed_up, warning),
            wait=self._wait_until_idle,
        )
        self.open_first()

    def _create_conversation(self, session: Session, provider: "Provider") -> "Conversation":
        from streamtui.conversation import Conversation

        config = self.config
        return Conversation(session, provider, self.store, moderate=config.moderate, max_reply=config.max_reply)

    def _replay_early_keys(self) -> None:
        early, self._early = self._early or [], None
        for event in early:
            self.post_message(event)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End the app; the unsent prompt is saved."""
        if self.chat.is_attached:
            self.chat.save_draft()
        super().exit(result, return_code, message)

    def close(self) -> bool:
        """Save what is left, once the app has ended; False if that failed."""
        return self.store.close() if hasattr(self, "store") else True

    @work(group="panel")
    async def open_first(self) -> None:
        """Open the requested session; help to set up an endpoint if none is usable."""
        await self._read_themes()
        self._show_warnings()
        if self._session_id or self._resume:
            await self._open_requested()
        self.chat.restore_draft()
        await self._set_up_endpoint()
        if self.is_running:  # it may have been closed meanwhile
            self.chat.be_ready()

    async def _read_themes(self) -> None:
        # First: the app may have ended after the wait below, and then can't subscribe.
        self.theme_changed_signal.subscribe(self, lambda theme: self.store.remember("theme", theme.name))
        name = self.config.theme or await self._recall("theme")
        found, errors = themes.load_all()
        for theme in found:
            self.register_theme(theme)
        self._warnings += errors
        if name in self.available_themes:
            self.theme = name
        elif self.config.theme:
            where = self.config.source_of("theme")
            self._warnings.append(f"{where}: {themes.unknown_theme(name)}")

    def _show_warnings(self) -> None:
        """Show the first warning about the user's files, and how many more there are."""
        if not self._warnings:
            return
        first, *more = self._warnings
        rest = f" And {len(more)} more: run streamtui config check." if more else ""
        self.notify(f"{first}{rest}", severity="warning", markup=False, timeout=15)

    async def _recall(self, key: str) -> str:
        """Return the value remembered under `key`; "" if there is none, or after reporting a store error."""
        from streamtui.storage import StoreError

        try:
            remembered: str | None = await asyncio.wrap_future(self.store.recall(key))
        except StoreError as error:
            self.notify(str(error), severity="warning", markup=False, timeout=10)
            return ""
        return remembered or ""

    async def _open_requested(self) -> None:
        from streamtui.storage import StoreError

        try:
            store, number = self.store, self._resume
            latest: str | None = None if self._session_id else await asyncio.wrap_future(store.latest(number))
        except StoreError as error:
            self.notify(str(error), severity="error", markup=False, timeout=10)
            return
        if session_id := self._session_id or latest:
            await self.chat.sessions.open_saved(session_id)
            self._apply_options()
        else:
            few = "No" if self._resume == 1 else "Not enough"
            self.notify(f"{few} saved sessions: starting a new one.", markup=False)

    def _apply_options(self) -> None:
        """Apply command-line options to a session that continues."""
        session, config = self.chat.conversation.session, self.config
        session.parameters = config.parameters.over(session.parameters)
        by_flag = config.source_of("endpoint").origin is Origin.FLAG
        if by_flag and self.chat.conversation.provider is not self.connections.to(config.endpoint):
            self.chat.endpoints.switch_to(config.endpoint)
        self.chat.endpoints.use_session_key()
        if config.model:
            self.chat.models.switch_to(config.model)

    async def _set_up_endpoint(self) -> None:
        """Ask for an endpoint until one is usable or the user goes on without."""
        from streamtui.ui.dialogs.endpoint_picker import EndpointPicker
        from streamtui.ui.dialogs.welcome import OTHER, Welcome

        while (wanted := self.chat.conversation.provider.endpoint).needs_key:
            choice = await self.push_screen_wait(Welcome(wanted, self.connections.endpoints))
            if choice == OTHER:
                name = await self.push_screen_wait(EndpointPicker(self.connections.endpoints, wanted.name))
                choice = self.connections.endpoint(name) or OTHER
            if choice is None:
                return
            if isinstance(choice, Endpoint) and (usable := await self.chat.endpoints.with_key(choice)):
                self.chat.endpoints.switch_to(usable)

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
        """End the app because of a signal or a closed terminal."""
        self._interrupt("streamtui was terminated before the reply was complete.")
        self.exit()

    def _interrupt(self, reason: str) -> None:
        """Note why all replies are about to be stopped."""
        if hasattr(self, "conversations"):
            self.conversations.interrupt(reason)

    # Unexpected errors

    def _handle_exception(self, error: Exception) -> None:
        """Log `error`. The app survives a failed worker; otherwise it closes, as Textual has stopped a widget.

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
        self._interrupt("An internal error closed streamtui before the reply was complete.")
        self._return_code = 1
        self._close_messages_no_wait()

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action; if it fails, log and report the error, and go on."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:  # noqa: BLE001 - a broken command must not end the app
            LOG.error("The command failed", exc_info=error)
            return True

    def _report_internal_error(self, sentence: str) -> None:
        self.call_from_thread_soon(self._notify_internal_error, sentence)

    def _notify_internal_error(self, sentence: str) -> None:
        self.notify(sentence, title="Internal error", severity="error", markup=False, timeout=15)

    async def on_unmount(self) -> None:
        """Stop and save all replies, then close the connections."""
        LOG.removeHandler(self._notices)
        if hasattr(self, "conversations"):
            await self.conversations.aclose()
            await self.connections.aclose()

    # Keys and clipboard

    async def on_event(self, event: events.Event) -> None:
        """Normalize keys before anything handles them."""
        if isinstance(event, events.Key):
            terminal.normalize_key(event)
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
        """Copy `text` and confirm."""
        self._copy(text)

    @work(exclusive=True, group="copy")
    async def _copy(self, text: str) -> None:
        size = f"{len(text):,} character{'' if len(text) == 1 else 's'}"
        if await terminal.copy_in_tmux(text):
            self.notify(f"Copied {size}", markup=False, timeout=2)
        else:
            super().copy_to_clipboard(text)
            self.notify(f"Copied {size}", markup=False, timeout=2)

    # Store errors

    def _report_store_error(self, error: str) -> None:
        self.call_from_thread_soon(self._show_store_error, error)

    def call_from_thread_soon(self, callback: Callable[[str], None], text: str) -> None:
        """Run `callback` on the app's loop, if the app is still running. The calling thread does not wait for it."""

        def call() -> None:
            if self.is_running:  # else its widgets may be gone
                callback(text)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)

    def _show_store_error(self, error: str) -> None:
        self.chat.status.warning = "not saved" if error else ""
        if error:
            self.notify(f"{error} The chat continues in memory.", severity="error", markup=False, timeout=15)
        else:
            self.notify("Saving works again. Nothing was lost.", markup=False)
