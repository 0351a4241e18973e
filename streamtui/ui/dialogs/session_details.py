"""SessionDetails: a session in numbers: what every reply took, how fast it came, what it cost."""

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
"""Replies that fit without filling the screen."""
_COLUMNS = ("#", "model", "prompt", "cached", "reply", "thought", "first token", "total", "tok/s", "cost")

_SELDOM = ("cached", "thought")
"""Columns left out where they say nothing, as there is little room."""


class SessionDetails(Dialog[None]):
    """Shows numbers of the session, then a line for every reply on all its branches."""

    BINDINGS = [("escape,q,enter", "dismiss", "leave")]
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
        replies = sum(message.role is Role.ASSISTANT for message in conversation.session.messages.values())
        super().__init__(classes="tall" if replies > FEW else "")
        self._conversation = conversation

    def compose(self) -> ComposeResult:
        """The facts above the table."""
        with Vertical(id="dialog"):
            with VerticalScroll(id="facts"):
                yield Static(Content("\n".join(f"{name:<12}{fact}" for name, fact in self._facts() if fact)))
            yield DataTable(zebra_stripes=True, cursor_type="row")

    def on_mount(self) -> None:
        """Fills the table, the newest reply in view."""
        self.set_title("Session details", "esc leave")
        table: DataTable[Text] = self.query_one(DataTable)
        messages = enumerate(self._conversation.session.messages.values(), 1)
        rows = [list(self._row(number, message)) for number, message in messages if message.role is Role.ASSISTANT]
        shown = [at for at, name in enumerate(_COLUMNS) if name not in _SELDOM or any(row[at].plain for row in rows)]
        for name in (_COLUMNS[at] for at in shown):
            table.add_column(Text(name, justify="left" if name == "model" else "right"))
        for row in rows:
            table.add_row(*(row[at] for at in shown))
        table.move_cursor(row=table.row_count - 1)
        table.focus()

    def _facts(self) -> Iterator[tuple[str, str]]:
        conversation, session = self._conversation, self._conversation.session
        count, window = conversation.context(), conversation.window
        yield "title", session.title or "untitled"
        yield "id", session.id
        yield "begun", time.strftime("%Y-%m-%d %H:%M", time.localtime(session.created))
        branches = sum(1 for _, (which, _) in session.variants().items() if which > 1)
        yield "messages", f"{len(session.messages)}" + (f", {branches} of them on other branches" if branches else "")
        yield "answered by", f"{conversation.model or 'no model yet'} at {conversation.provider.endpoint.name}"
        yield "context", f"{count} of {window:,} tokens" if window else f"{count} tokens, of an unknown window"
        yield from self._paid()
        yield "parameters", ", ".join(describe_parameters(conversation.parameters))

    def _paid(self) -> Iterator[tuple[str, str]]:
        messages = self._conversation.session.messages.values()
        usage, cost = spent(messages) or Usage(), self._conversation.cost()
        prompts, replies = (_count(tokens, usage).short for tokens in (usage.prompt_tokens, usage.completion_tokens))
        said = "cost unknown" if cost is None else str(cost)
        yield "paid for", f"{prompts} tokens of prompts, {replies} of replies: {said}"
        continued = [m.usage for m in messages if m.usage is not None and m.usage.requests > 1]
        yield "continued", _again(continued) if continued else ""
        missing = uncounted(messages)
        yield "not counted", f"{missing} repl{'y' if missing == 1 else 'ies'}, by nobody" if missing else ""

    def _row(self, number: int, message: Message) -> Iterator[Text]:
        usage, timing = message.usage, message.timing
        yield _right(str(number))
        yield Text(message.model + (f", {usage.requests} requests" if usage and usage.requests > 1 else ""))
        for tokens in (usage.prompt_tokens, usage.cached_tokens) if usage else (0, 0):
            yield _right(_count(tokens, usage).short if tokens else "")
        yield _right(str(_count(usage.completion_tokens, usage)) if usage else "")
        yield _right(_count(usage.reasoning_tokens, usage).short if usage and usage.reasoning_tokens else "")
        yield _right(f"{timing.first:.2f} s" if timing is not None and timing.first is not None else "")
        yield _right(f"{timing.total:.1f} s" if timing is not None else "")
        yield _right(_speed(message))
        endpoint, catalog = self._conversation.provider.endpoint, self._conversation.catalog
        cost, estimated = cost_of_reply(message, endpoint, catalog), is_estimate(message, endpoint, catalog)
        yield _right("unknown" if cost is None else str(Cost(cost, estimated=estimated)))


def _count(tokens: int, usage: Usage | None) -> Count:
    return Count(tokens, usage is None or not usage.estimated)


def _again(usages: list[Usage]) -> str:
    """What it took to continue replies."""
    more = sum(usage.requests - 1 for usage in usages)
    repeated = Count(sum(usage.repeated_tokens for usage in usages), not any(usage.estimated for usage in usages))
    replies = f"{len(usages)} repl{'y' if len(usages) == 1 else 'ies'}"
    requests = f"{more} more request{'' if more == 1 else 's'}"
    return f"{replies}, by {requests}: {repeated.short} tokens of the prompts were sent, and paid for, again"


def _speed(message: Message) -> str:
    if (usage := message.usage) is None or message.timing is None:
        return ""
    rate = message.timing.tokens_per_second(usage.completion_tokens)
    return "" if rate is None else f"{'~' if usage.estimated else ''}{rate:.0f}"


def _right(text: str) -> Text:
    return Text(text, justify="right")
