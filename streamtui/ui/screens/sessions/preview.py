"""Preview: a part of a saved session, painted by the pane of the conversation."""

from dataclasses import replace

from streamtui.core.message import Message
from streamtui.core.search_query import Query
from streamtui.ui.transcript import Transcript

MESSAGES = 30
"""Messages shown at most, so that the preview of the longest session takes no longer than that of a short one."""
CHARACTERS = 4_000
"""Of a message, for the same reason: 256 KB would keep a key waiting for 0.3 s."""


class Preview(Transcript):
    """A pane that shows enough of a session to know it again."""

    def show(self, path: list[Message], message_id: str, query: Query) -> None:
        """Shows what is around a message with words in it, or where there is none the end of `path`."""
        self.load(part_of(path, message_id, query))
        if message_id:
            self.show_message(message_id, query)

    def show_nothing(self) -> None:
        """Shows an empty pane."""
        self.load([])


def part_of(path: list[Message], message_id: str, query: Query) -> list[Message]:
    """Returns the messages around `message_id`, or the last ones, none of them too long."""
    at = next((i for i, message in enumerate(path) if message.id == message_id), len(path) - 1)
    end = min(len(path), at + MESSAGES // 2)
    return [_shortened(message, query) for message in path[max(0, end - MESSAGES) : end]]


def _shortened(message: Message, query: Query) -> Message:
    if len(message.text) + len(message.reasoning) <= CHARACTERS:
        return message
    first = next(iter(query.spans(message.text)), (0, 0))[0]
    start = max(0, min(first - CHARACTERS // 2, len(message.text) - CHARACTERS))
    text = message.text[start : start + CHARACTERS]
    before, behind = ("…" if start else ""), ("…" if start + CHARACTERS < len(message.text) else "")
    return replace(message, text=f"{before}{text}{behind}", reasoning=message.reasoning[:CHARACTERS])
