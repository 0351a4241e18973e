"""The dialog with a session's statistics: tokens, speed and cost of every reply."""

import time
from collections.abc import Iterator

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Static

from streamtui.conversation import Conversation
from streamtui.core.message import Message, Role, Usage
from streamtui.core.pricing import Cost, cost_of_reply, is_estimate, spent, uncounted
from streamtui.tokens import Count
from streamtui.ui.dialogs.dialog import Dialog
from streamtui.ui.dialogs.parameter_fields import describe_parameters

FEW = 3
"""Number of replies that fit without filling the screen."""
_COLUMNS = ("#", "model", "prompt", "cached", "reply", "reasoning", "first token", "total", "tok/s", "cost")

_OPTIONAL = ("cached", "reasoning")
"""Columns hidden when empty."""


class SessionDetails(Dialog[None]):
    """Show facts about the session and a row for each reply on all its branches."""

    BINDINGS = [("escape,q,enter", "dismiss", "Close")]
    SCOPED_CSS = False  # see Dialog
    DEFAULT_CSS = """
    SessionDetails {
        #facts { height: auto; max-height: 12; margin: 0 0 1 0; scrollbar-size-vertical: 1; }
        DataTable { height: auto; background: $surface; scrollbar-size-vertical: 1; }
        &.tall DataTable { height: 1fr; }
    }
    .low SessionDetails #facts { max-height: 4; }
    """

    def __init__(self, conversation: Conversation) -> None:
        messages = enumerate(conversation.session.messages.values(), 1)
        self._replies = [(number, message) for number, message in messages if message.role is Role.ASSISTANT]
        super().__init__(classes="tall" if len(self._replies) > FEW else "")
        self._conversation = conversation

    def compose(self) -> ComposeResult:
        """Create the facts and the table."""
        with Vertical(id="dialog"):
            with VerticalScroll(id="facts"):
                yield Static(Content("\n".join(f"{name:<12}{fact}" for name, fact in self._facts() if fact)))
            yield DataTable(zebra_stripes=True, cursor_type="row")

    def on_mount(self) -> None:
        """Fill the table and scroll to the newest reply."""
        self.set_title("Session details", "esc close")
        table: DataTable[Text] = self.query_one(DataTable)
        rows = [list(self._row(number, message)) for number, message in self._replies]
        shown = [at for at, name in enumerate(_COLUMNS) if name not in _OPTIONAL or any(row[at] for row in rows)]
        for name in (_COLUMNS[at] for at in shown):
            table.add_column(Text(name, justify="left" if name == "model" else "right"))
        for row in rows:
            table.add_row(*(Text(row[at], justify="left" if _COLUMNS[at] == "model" else "right") for at in shown))
        table.move_cursor(row=table.row_count - 1)
        table.focus()

    def _facts(self) -> Iterator[tuple[str, str]]:
        conversation, session = self._conversation, self._conversation.session
        count, window = conversation.context(), conversation.window
        yield "title", session.title or "untitled"
        yield "id", session.id
        yield "created", time.strftime("%Y-%m-%d %H:%M", time.localtime(session.created))
        branches = sum(1 for number, _ in session.variants().values() if number > 1)
        yield "messages", f"{len(session.messages)}" + (f" ({branches} on other branches)" if branches else "")
        yield "model", f"{conversation.model or 'no model'} at {conversation.provider.endpoint.name}"
        yield "context", f"{count} of {window:,} tokens" if window else f"{count} tokens (unknown context window)"
        yield from self._usage()
        yield "parameters", ", ".join(describe_parameters(conversation.parameters))

    def _usage(self) -> Iterator[tuple[str, str]]:
        messages = self._conversation.session.messages.values()
        usage, cost = spent(messages) or Usage(), self._conversation.cost()
        prompts, replies = (_count(tokens, usage).short for tokens in (usage.prompt_tokens, usage.completion_tokens))
        paid = "cost unknown" if cost is None else str(cost)
        yield "usage", f"{prompts} prompt tokens, {replies} reply tokens, {paid}"
        continued = [m.usage for m in messages if m.usage is not None and m.usage.requests > 1]
        yield "continued", _describe_continued(continued) if continued else ""
        missing = uncounted(messages)
        yield "no usage", f"{_replies(missing)} without token counts" if missing else ""

    def _row(self, number: int, message: Message) -> Iterator[str]:
        usage, timing = message.usage or Usage(), message.timing
        yield str(number)
        yield message.model + (f", {usage.requests} requests" if usage.requests > 1 else "")
        yield _short(usage.prompt_tokens, usage)
        yield _short(usage.cached_tokens, usage)
        yield str(_count(usage.completion_tokens, usage)) if message.usage else ""
        yield _short(usage.reasoning_tokens, usage)
        yield f"{timing.first:.2f} s" if timing is not None and timing.first is not None else ""
        yield f"{timing.total:.1f} s" if timing is not None else ""
        rate = timing.tokens_per_second(usage.completion_tokens) if timing is not None and message.usage else None
        yield "" if rate is None else f"{'~' if usage.estimated else ''}{rate:.0f}"
        endpoint, catalogue = self._conversation.provider.endpoint, self._conversation.catalog
        cost, estimated = cost_of_reply(message, endpoint, catalogue), is_estimate(message, endpoint, catalogue)
        yield "unknown" if cost is None else str(Cost(cost, estimated=estimated))


def _count(tokens: int, usage: Usage) -> Count:
    return Count(tokens, not usage.estimated)


def _short(tokens: int, usage: Usage) -> str:
    return _count(tokens, usage).short if tokens else ""


def _describe_continued(usages: list[Usage]) -> str:
    """Return what continuing replies took."""
    more = sum(usage.requests - 1 for usage in usages)
    repeated = Count(sum(usage.repeated_tokens for usage in usages), not any(usage.estimated for usage in usages))
    requests = f"{more} more request{'' if more == 1 else 's'}"
    return f"{_replies(len(usages))}, {requests}, {repeated.short} prompt tokens sent again"


def _replies(number: int) -> str:
    return f"{number} repl{'y' if number == 1 else 'ies'}"
