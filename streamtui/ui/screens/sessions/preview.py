"""The preview of the highlighted session: its title, some facts and a part of its messages."""

import asyncio
from dataclasses import replace
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from streamtui.core.message import Message
from streamtui.core.search_query import Query
from streamtui.core.session import SessionSummary
from streamtui.storage import SearchHit, Store, StoreError
from streamtui.ui.screens.sessions.rows import Row, counted, session_of
from streamtui.ui.transcript import Transcript

MAX_MESSAGES = 30
"""Maximum number of messages shown, so that a long session is previewed as fast as a short one."""
MAX_CHARACTERS = 4_000
"""Maximum number of characters shown of a message, for the same reason: 256 KB would block keys for 0.3 s."""


class Preview(Transcript):
    """A transcript of a part of a session."""

    def show(self, path: list[Message], message_id: str, query: Query) -> None:
        """Show the messages around a search hit, or the end of `path` if `message_id` is empty."""
        self.load(part_of(path, message_id, query))
        if path and message_id:
            self.show_message(message_id, query)


class PreviewPane(Vertical):
    """A preview below the facts about its session."""

    DEFAULT_CSS = """
    PreviewPane {
        border-left: vkey $foreground 20%;

        #about { height: 2; padding: 0 1; color: $foreground 60%; background: $surface; }
        #about { text-wrap: nowrap; text-overflow: ellipsis; }
        Preview { height: 1fr; background: $background; color: $foreground; }
    }
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._session: SessionSummary | None = None

    def compose(self) -> ComposeResult:
        """Create the facts and the transcript."""
        yield Static(id="about", markup=False)
        yield Preview(id="preview")

    async def show(self, row: Row | None, query: Query) -> None:
        """Show the session or search hit of `row`."""
        self._session = session_of(row)
        self.show_status("")
        path: list[Message] = []
        message_id = row.message_id if isinstance(row, SearchHit) else ""
        if self._session is not None and self.display:
            try:
                path = await asyncio.wrap_future(self._store.preview(self._session.id, message_id))
            except StoreError as error:
                self.show_status(str(error))
        self.query_one(Preview).show(path, message_id, query)

    def show_status(self, text: str) -> None:
        """Show `text` in place of the facts; "" shows the facts."""
        about = Content(text) if text else describe_session(self._session)
        self.query_one("#about", Static).update(about, layout=False)


def describe_session(session: SessionSummary | None) -> Content:
    """Return the title, and on a second line model, endpoint, number of messages and date."""
    if session is None:
        return Content("")
    created = datetime.fromtimestamp(session.created)
    facts = (session.model, session.endpoint, counted(session.messages, "message"), f"{created.day} {created:%b %Y}")
    title = (session.title or "untitled", "bold $foreground")
    return Content.assemble(title, "\n", " · ".join(filter(None, facts)))


def part_of(path: list[Message], message_id: str, query: Query) -> list[Message]:
    """Return the messages around `message_id`, or the last ones, each shortened."""
    at = next((i for i, message in enumerate(path) if message.id == message_id), len(path) - 1)
    end = min(len(path), at + MAX_MESSAGES // 2)
    return [_shortened(message, query) for message in path[max(0, end - MAX_MESSAGES) : end]]


def _shortened(message: Message, query: Query) -> Message:
    if len(message.text) + len(message.reasoning) <= MAX_CHARACTERS:
        return message
    first = next(iter(query.spans(message.text)), (0, 0))[0]
    start = max(0, min(first - MAX_CHARACTERS // 2, len(message.text) - MAX_CHARACTERS))
    text = message.text[start : start + MAX_CHARACTERS]
    before, after = ("…" if start else ""), ("…" if start + MAX_CHARACTERS < len(message.text) else "")
    return replace(message, text=f"{before}{text}{after}", reasoning=message.reasoning[:MAX_CHARACTERS])
