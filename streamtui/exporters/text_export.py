"""Export a session as plain text."""

from collections.abc import Iterator
from textwrap import indent

from streamtui.core.session import Session
from streamtui.exporters import labels
from streamtui.exporters.traversal import TreeEntry, traverse

WIDTH = 72
"""Width of the lines between messages."""


def to_text(session: Session, *, tree: bool = False) -> str:
    """Return the current branch, or with `tree` all branches."""
    title = session.title or labels.UNTITLED
    facts = [session.endpoint, session.model, labels.format_time(session.updated or session.created)]
    parts = [title, " · ".join(filter(None, facts))]
    if session.system:
        parts += ["", _line("System prompt"), session.system.strip("\n")]
    for entry in traverse(session, tree=tree):
        parts += ["", *_entry(entry)]
    return "\n".join(parts) + "\n"


def _entry(entry: TreeEntry) -> Iterator[str]:
    message = entry.message
    facts = [labels.speaker(message), labels.format_time(message.created)]
    if entry.variant is not None:
        facts.append(f"{entry.variant[0]} of {entry.variant[1]}")
    if entry.after is not None:
        facts.append(f"after {labels.speaker(entry.after)}, {labels.format_time(entry.after.created)}")
    if message.recap is not None:
        yield f"[{labels.recap_note(message.recap)}]\n{indent(message.recap.text.strip(), '    ')}\n"
    yield _line(" · ".join(filter(None, facts)))
    if message.reasoning:
        yield f"[{labels.reasoning_heading(message)}]\n{indent(message.reasoning.strip(), '    ')}\n"
    for attachment in message.attachments:
        yield f"[{labels.attachment_label(attachment)}]"
    if message.text:
        yield message.text.strip("\n")
    if ending := labels.ending(message):
        yield f"[{ending}]"


def _line(text: str) -> str:
    return f"── {text} {'─' * max(3, WIDTH - len(text) - 4)}"
