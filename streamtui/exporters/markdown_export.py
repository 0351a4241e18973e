"""Export a session as Markdown with YAML front matter."""

import json
import re
from collections.abc import Iterator

from streamtui.core.pricing import spent, uncounted
from streamtui.core.session import Session
from streamtui.exporters import labels
from streamtui.exporters.traversal import TreeEntry, traverse

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})", re.MULTILINE)


def to_markdown(session: Session, *, tree: bool = False) -> str:
    """Return the current branch, or with `tree` all branches, as Markdown."""
    entries = list(traverse(session, tree=tree))
    parts = [_front_matter(session, entries), f"# {_plain(session.title or labels.UNTITLED)}"]
    if session.system:
        parts += ["## System prompt", closed(session.system)]
    for entry in entries:
        parts += _entry(entry)
    return "\n\n".join(parts) + "\n"


def _front_matter(session: Session, entries: list[TreeEntry]) -> str:
    """Return the front matter. Strings are written as JSON, which is valid YAML."""
    facts = {
        "title": _quoted(session.title or labels.UNTITLED),
        "id": _quoted(session.id),
        "created": labels.format_time(session.created, exact=True),
        "updated": labels.format_time(session.updated, exact=True),
        "model": _quoted(session.model),
        "endpoint": _quoted(session.endpoint),
        "messages": str(len(entries)),
    }
    messages = [entry.message for entry in entries]
    usage, missing = spent(messages), uncounted(messages)
    if usage is not None:
        estimated = ", estimated: true" if usage.estimated else ""
        facts["tokens"] = f"{{prompt: {usage.prompt_tokens}, completion: {usage.completion_tokens}{estimated}}}"
        facts["replies_not_counted"] = str(missing) if missing else ""
        facts["cost"] = "" if usage.cost is None else f"{usage.cost:.6f}"  # US dollars
    lines = [f"{name}: {value}" for name, value in facts.items() if value not in ("", '""')]
    return "\n".join(["---", *lines, "---"])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _plain(text: str) -> str:
    """Escape HTML in a title or name."""
    return text.replace("<", "\\<")


def _entry(entry: TreeEntry) -> Iterator[str]:
    message = entry.message
    if message.recap is not None:
        yield _quote(f"**{_plain(labels.recap_note(message.recap))}**\n\n{closed(message.recap.text)}")
    yield f"## {_plain(labels.speaker(message))}"
    facts = [labels.format_time(message.created)]
    if entry.variant is not None:
        facts.append(f"{entry.variant[0]} of {entry.variant[1]}")
    if entry.after is not None:
        facts.append(f"after {_plain(labels.speaker(entry.after))}, {labels.format_time(entry.after.created)}")
    if details := " · ".join(filter(None, facts)):
        yield f"*{details}*"
    if message.reasoning:
        yield _quote(f"**{labels.reasoning_heading(message)}**\n\n{closed(message.reasoning)}")
    for attachment in message.attachments:
        yield f"📎 {_plain(labels.attachment_label(attachment))}"
    if message.text:
        yield closed(message.text)
    if ending := labels.ending(message):
        yield _quote(f"**{'Error: ' if message.error else ''}{_plain(ending)}**")


def _quote(text: str) -> str:
    """Return `text` as a block quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def closed(text: str) -> str:
    """Close a code fence that `text` leaves open, as it would include what follows."""
    text = text.strip("\n")
    if not _FENCE.search(text):
        return text
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").disable(["inline", "text_join"]).parse(text)
    # A fence inside a list or quote ends with it.
    last = tokens[-1] if tokens else None
    if last is None or last.type != "fence" or last.map is None:
        return text
    lines = text.split("\n")[last.map[0] : last.map[1]]
    ended = len(lines) > 1 and re.fullmatch(rf" {{0,3}}{last.markup[0]}{{{len(last.markup)},}}\s*", lines[-1])
    return text if ended else f"{text}\n{last.markup}"
