"""A session as plain text."""

from collections.abc import Iterator
from textwrap import indent

from streamtui.session import Session
from streamtui.transfer import words
from streamtui.transfer.outline import Placed, outline

WIDTH = 72
"""Characters of the lines between the messages."""


def text_of(session: Session, *, tree: bool = False) -> str:
    """Returns the path shown, or with `tree` all branches."""
    title = session.title or words.UNTITLED
    facts = [session.endpoint, session.model, words.moment(session.updated or session.created)]
    parts = [title, " · ".join(filter(None, facts))]
    if session.system:
        parts += ["", _line("System prompt"), session.system.strip("\n")]
    for entry in outline(session, tree=tree):
        parts += ["", *_entry(entry)]
    return "\n".join(parts) + "\n"


def _entry(entry: Placed) -> Iterator[str]:
    message = entry.message
    facts = [words.speaker(message), words.moment(message.created)]
    if entry.variant is not None:
        facts.append(f"{entry.variant[0]} of {entry.variant[1]}")
    if entry.after is not None:
        facts.append(f"after {words.speaker(entry.after)}, {words.moment(entry.after.created)}")
    if message.recap is not None:
        yield f"[{words.left_out(message.recap)}]\n{indent(message.recap.text.strip(), '    ')}\n"
    yield _line(" · ".join(filter(None, facts)))
    if message.reasoning:
        yield f"[{words.thinking(message)}]\n{indent(message.reasoning.strip(), '    ')}\n"
    for attachment in message.attachments:
        yield f"[{words.described(attachment)}]"
    if message.text:
        yield message.text.strip("\n")
    if ending := words.ending(message):
        yield f"[{ending}]"


def _line(text: str) -> str:
    return f"── {text} {'─' * max(3, WIDTH - len(text) - 4)}"
