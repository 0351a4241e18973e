"""Export a session as a self-contained HTML page without scripts."""

import base64
from collections.abc import Iterator
from hashlib import sha256
from html import escape

from streamtui.core.message import Attachment, Message, Recap, Usage
from streamtui.core.pricing import Cost, spent, uncounted
from streamtui.core.session import Session
from streamtui.exporters import labels
from streamtui.exporters.html_markdown import html_of
from streamtui.exporters.html_style import style
from streamtui.exporters.theme_colors import DEFAULT, PRINTED, Colors, theme_colors
from streamtui.exporters.traversal import TreeEntry, traverse
from streamtui.tokens import Count

_EMBEDDED = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"}
"""Image types embedded in the page. SVG is excluded because it can contain scripts."""


def to_html(session: Session, *, tree: bool = False, colors: Colors | None = None) -> str:
    """Return the current branch, or with `tree` all branches, as a page in `colors`.

    Raises TransferError if a theme file can't be read.
    """
    css = style(theme_colors(DEFAULT) if colors is None else colors, theme_colors(PRINTED))
    entries = list(traverse(session, tree=tree))
    title = escape(session.title or labels.UNTITLED)
    body = "\n".join([*_system(session), *(_article(entry) for entry in entries)])
    return f"""\
<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(css)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<header>
<h1 dir="auto">{title}</h1>
<p class="facts">{escape(_facts(session, [entry.message for entry in entries]))}</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _policy(css: str) -> str:
    """Return a content security policy that allows only this style sheet and embedded images."""
    digest = base64.b64encode(sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _facts(session: Session, messages: list[Message]) -> str:
    usage, complete = spent(messages), not uncounted(messages)
    count = f"{len(messages)} message{'' if len(messages) == 1 else 's'}"
    tokens = f"{'' if complete else '≥ '}{_paid_tokens(usage)} tokens" if usage else ""
    cost = str(Cost(usage.cost, complete, usage.cost_estimated)) if usage and usage.cost is not None else ""
    facts = [
        session.endpoint,
        session.model,
        labels.format_time(session.updated or session.created),
        count,
        tokens,
        cost,
    ]
    return " · ".join(filter(None, facts))


def _paid_tokens(usage: Usage) -> Count:
    return Count(usage.prompt_tokens + usage.completion_tokens, not usage.estimated)


def _system(session: Session) -> Iterator[str]:
    if session.system:
        yield _details("System prompt", session.system)


def _details(summary: str, markdown: str) -> str:
    text = html_of(markdown)
    return f'<details><summary>{escape(summary)}</summary><div class="text" dir="auto">{text}</div></details>'


def _article(entry: TreeEntry) -> str:
    recap = entry.message.recap
    above = [f'<div class="recap">{_recap(recap)}</div>'] if recap else []
    return "\n".join([*above, f'<article class="{entry.message.role.value}">', *_parts(entry), "</article>"])


def _recap(recap: Recap) -> str:
    label = labels.recap_note(recap)
    return _details(label, recap.text) if recap.text else f"<p>{escape(label)}</p>"


def _parts(entry: TreeEntry) -> Iterator[str]:
    message = entry.message
    place = f"{entry.variant[0]} of {entry.variant[1]}" if entry.variant else ""
    facts = "".join(f"<span>{escape(fact)}</span>" for fact in (labels.format_time(message.created), place) if fact)
    yield f"<header><h2>{escape(labels.speaker(message))}</h2>{facts}</header>"
    if entry.after is not None:
        label = f"{labels.speaker(entry.after)}, {labels.format_time(entry.after.created)}"
        yield f'<p class="branch">Branch after {escape(label)}</p>'
    if message.reasoning:
        yield _details(labels.reasoning_heading(message), message.reasoning)
    yield from map(_attachment, message.attachments)
    if message.text:
        yield f'<div class="text" dir="auto">{html_of(message.text)}</div>'
    if ending := labels.ending(message):
        yield f'<p class="{"failed" if message.error else "ending"}">{escape(ending)}</p>'


def _attachment(attachment: Attachment) -> str:
    name = escape(labels.attachment_label(attachment))
    if attachment.media_type not in _EMBEDDED:
        return f'<p class="file">📎 {name}</p>'
    source = f"data:{attachment.media_type};base64,{base64.b64encode(attachment.data).decode('ascii')}"
    return f'<figure><img src="{source}" alt="{escape(attachment.name)}"><figcaption>{name}</figcaption></figure>'
