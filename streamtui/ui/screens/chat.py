"""The chat: the conversation above, the prompt below, the status bar under it."""

from collections.abc import Mapping
from inspect import iscoroutine
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.app import ComposeResult
from textual.message import Message as Event
from textual.screen import Screen

from streamtui.config import Config
from streamtui.core.message import Message, Role
from streamtui.core.sanitize import clean
from streamtui.core.session import Session
from streamtui.ui.bindings import bindings_for
from streamtui.ui.commands.app import AppCommands
from streamtui.ui.commands.base import Controller, handlers_of
from streamtui.ui.commands.branches import BranchCommands
from streamtui.ui.commands.context import ContextCommands
from streamtui.ui.commands.endpoints import EndpointCommands
from streamtui.ui.commands.models import ModelCommands
from streamtui.ui.commands.pane import PaneCommands
from streamtui.ui.commands.parameters import ParameterCommands
from streamtui.ui.commands.prompt import PromptCommands
from streamtui.ui.commands.sessions import SessionCommands
from streamtui.ui.commands.turn import TurnCommands
from streamtui.ui.commands.view import ViewCommands
from streamtui.ui.connections import Connections
from streamtui.ui.greeting import greeting
from streamtui.ui.status import hints_for, mode_of, show_conversation
from streamtui.ui.transcript import Transcript
from streamtui.ui.transcript.notes import Hints
from streamtui.ui.widgets.prompt import Prompt
from streamtui.ui.widgets.prompt_queue import PromptQueue
from streamtui.ui.widgets.status_bar import StatusBar
from streamtui.ui.worker_cleanup import WorkerCleanup

if TYPE_CHECKING:
    # Imported where they are used, after the first paint: they take 30 ms CPU, a sixth of Textual's own start.
    from streamtui.conversation import Conversation
    from streamtui.conversation.manager import ConversationManager
    from streamtui.providers.base import Provider
    from streamtui.storage import Store
    from streamtui.ui.drafts import DraftKeeper
    from streamtui.ui.other_windows import OtherWindows

STATUS_EVERY = 0.5
"""Seconds between updates of the status bar while a reply arrives."""
LOW = 16
"""Lines of the terminal below which borders are left out."""
KEEPS_RUNNING = False
"""Whether a reply goes on when another session is opened."""


class ChatScreen(WorkerCleanup, Screen[None]):
    """Shows one conversation and runs the commands of its controllers."""

    BINDINGS = bindings_for("chat", priority=True)
    AUTO_FOCUS = "#prompt"

    conversation: "Conversation"
    """The conversation shown; there once `has_begun`."""
    conversations: "ConversationManager"
    drafts: "DraftKeeper"
    other_windows: "OtherWindows"

    def __init__(self, config: Config, connections: Connections) -> None:
        super().__init__()
        self.config = config
        self.connections = connections
        self.has_begun = False
        """Whether a conversation is loaded."""
        self.is_ready = False
        """Whether prompts may be sent; until then they are queued."""
        self._unsaved: dict[str, Session] = {}
        self.turn = TurnCommands(self)
        self.context = ContextCommands(self)
        self.models = ModelCommands(self)
        self.endpoints = EndpointCommands(self)
        self.parameters = ParameterCommands(self)
        self.branches = BranchCommands(self)
        self.sessions = SessionCommands(self)
        self.prompts = PromptCommands(self)
        self.views = ViewCommands(self)
        self.app_commands = AppCommands(self)
        self.pane = PaneCommands(self, "#queued", self._show_search, self._use_edited, self._show_url)
        controllers = [value for value in vars(self).values() if isinstance(value, Controller | PaneCommands)]
        self.handlers = {name: handler for controller in controllers for name, handler in handlers_of(controller)}

    def compose(self) -> ComposeResult:
        """Lay out the widgets."""
        yield Transcript(id="transcript")
        yield PromptQueue(id="queued")
        yield Prompt(id="prompt")
        yield StatusBar(id="status")

    @property
    def transcript(self) -> Transcript:
        """The conversation pane."""
        return self.query_one("#transcript", Transcript)

    @property
    def prompt(self) -> Prompt:
        """The prompt box."""
        return self.query_one("#prompt", Prompt)

    @property
    def queue(self) -> PromptQueue:
        """The prompts waiting to be sent."""
        return self.query_one("#queued", PromptQueue)

    @property
    def status(self) -> StatusBar:
        """The status bar."""
        return self.query_one("#status", StatusBar)

    @property
    def keymap(self) -> Mapping[str, str]:
        """The keys that the user has set, by command id."""
        return self.config.keymap

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable commands, except quit, until a conversation is loaded."""
        if action == "command" and not self.has_begun and parameters != ("app.quit",):
            return False
        return super().check_action(action, parameters)

    async def action_command(self, id: str) -> None:
        """Run the command `id`, or say why it is not available."""
        handler = self.handlers[id]
        if reason := handler.reason(self):
            self.notify(reason, markup=False)
            return
        result = handler.run()
        if iscoroutine(result):
            await result

    # The conversation

    def begin(
        self, session: Session, provider: "Provider", store: "Store", conversations: "ConversationManager"
    ) -> None:
        """Show the first session, once the screen is painted."""
        from streamtui.ui import drafts, other_windows

        self.conversations = conversations
        self.conversation = conversations.open(session, provider)
        self.drafts = drafts.DraftKeeper(self.prompt, self.queue, store)
        self.other_windows = other_windows.OtherWindows(self)
        self.has_begun = True
        self.transcript.flow.hints = Hints.of(self.keymap)
        self._show_session()
        self.set_interval(other_windows.POLL_EVERY, self._poll_other_windows)
        self.set_interval(drafts.EVERY, self.save_draft)
        self.set_interval(STATUS_EVERY, self._tick)

    def be_ready(self) -> None:
        """Send what was written while the app started."""
        self.is_ready = True
        self.models.settle_if_needed()
        self.turn.send_queued()

    def open(self, session: Session, provider: "Provider | None" = None) -> None:
        """Show `session` in place of the one shown."""
        self.branches.leave_editing()
        before = self.conversation
        if KEEPS_RUNNING:
            self.workers.cancel_group(self, "reply")
        else:
            self.turn.stop()
        if self.is_ready:
            self.turn.return_queued()  # else it waits for the session that is being opened
        if self.drafts.switch(before.session, session) and self.is_ready:
            self.restore_draft()
        if before.store.save_error and before.session.messages:
            self._unsaved[before.session.id] = before.session
        self.conversation = self.conversations.open(session, provider or self.endpoints.provider_for(session))
        self._show_session()
        self.models.load_encoding()

    def _show_session(self) -> None:
        reply = self.conversations.reply_of(self.conversation)
        self.conversation.flush_reply()
        path = self.conversation.session.path()
        self.transcript.lines.greeting = greeting(self.conversation.provider.endpoint)
        self.transcript.load(path, self.conversation.session.variants())
        self.other_windows.path_shown(of_another_session=True)
        self.pane.show_matches()
        self.prompt.set_history([message.text for message in path if message.role is Role.USER])
        self.show_status()
        self.models.settle_if_needed()
        self.models.load_catalog()
        if reply is not None and not reply.is_stopping:
            self.turn.watch(reply)

    def show_path(self) -> None:
        """Show the current branch again from its messages."""
        session = self.conversation.session
        self.transcript.load(session.path(), session.variants())
        self.other_windows.path_shown(of_another_session=False)
        self.pane.show_matches()

    @property
    def is_replying(self) -> bool:
        """Whether a reply is arriving, or about to be requested."""
        return any(worker.group == "reply" and not worker.is_finished for worker in self.workers)

    @property
    def session(self) -> Session | None:
        """The session shown; None before the first paint."""
        return self.conversation.session if self.has_begun else None

    @property
    def unsaved(self) -> list[Session]:
        """The sessions that may not be saved completely, should the store fail."""
        shown = [self.conversation.session] if self.has_begun and self.conversation.session.messages else []
        return list({**self._unsaved, **{session.id: session for session in shown}}.values())

    # Drafts and other windows

    @work(exclusive=True, group="draft")
    async def restore_draft(self) -> None:
        """Bring back the unsent prompt of the session."""
        if not await self.drafts.restore():
            self.notify("Your unsent draft is in the history: press Up.", markup=False)

    def save_draft(self) -> None:
        """Save the unsent prompt."""
        if self.has_begun:
            self.drafts.save(self.conversation.session)

    @work(group="others")
    async def _poll_other_windows(self) -> None:
        await self.other_windows.poll()

    def _tick(self) -> None:
        if self.is_replying:
            self.show_status()

    def show_status(self) -> None:
        """Update the status bar."""
        show_conversation(self.status, self.conversation)

    def _show_search(self, text: str) -> None:
        self.status.search_status = text

    def _show_url(self, url: str) -> None:
        self.status.link = url

    def _use_edited(self, text: str) -> None:
        self.prompt.insert(text)
        self.notify("Your edited code is in the prompt.", markup=False)

    @on(events.Resize)
    @on(events.DescendantFocus)
    def show_mode(self) -> None:
        """Show the keys of where the focus is: in the conversation, letters are commands."""
        self.prompt.border_subtitle = hints_for(self.transcript, self.keymap, self.size.width)
        self.status.mode = mode_of(self.transcript)

    def on_resize(self, event: events.Resize) -> None:
        """Leave out borders where lines are few."""
        self.app.set_class(event.size.height < LOW, "low")

    # Messages of widgets

    @on(Prompt.Submitted)
    def send(self, event: Prompt.Submitted) -> None:
        """Send the prompt; while a reply arrives it is queued."""
        event.stop()
        prompt = Message(Role.USER, clean(event.text), attachments=event.attachments)
        if self.is_replying or not self.is_ready:
            self.queue.add(prompt)
        else:
            self.turn.send(prompt)

    @on(Transcript.Copy)
    @on(Transcript.Hovered)
    @on(Transcript.Open)
    @on(Transcript.Chosen)
    def forward_to_pane_commands(self, event: Event) -> None:
        """Do what the conversation pane asks for."""
        self.pane.handle(event)

    def on_find_bar_query_changed(self, event: Event) -> None:
        """Do what the search bar asks for; no `on`, so that its module is not imported before it is needed."""
        self.pane.handle(event)

    on_find_bar_stepped = on_find_bar_query_changed

    @on(Transcript.Typed)
    def write(self, event: Transcript.Typed) -> None:
        """Continue typing in the prompt."""
        self.prompt.focus()
        self.prompt.insert(event.text)

    @on(Transcript.Left)
    def focus_prompt(self) -> None:
        """Return to the prompt."""
        self.prompt.focus()
