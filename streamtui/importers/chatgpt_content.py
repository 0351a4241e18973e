"""What a message of ChatGPT's export says: texts, pictures, code that was run, pages that were read."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamtui.core import coerce
from streamtui.core.fences import fenced
from streamtui.core.message import Attachment
from streamtui.importers.assets import Assets

_WORKINGS = ("thoughts", "tether_browsing_display", "tether_quote", "sonic_webpage")
_IDLE = ("reasoning_recap", "model_editable_context")
"""What nobody misses: “Thought for 5 seconds”, what ChatGPT remembers of the user."""
_FENCED = ("code", "execution_output", "system_error")
# Marks for the web page to draw as links and names: private characters around a kind and its values.
_MARK = re.compile("\ue200([a-z_]*+)\ue202?([^\ue200\ue201]*)\ue201")
_LEFT_OVER = re.compile("[\ue200-\ue206]")


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says."""

    kind: str
    """ChatGPT's own word for it."""
    text: str
    attachments: tuple[Attachment, ...]

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.attachments)

    @property
    def is_working(self) -> bool:
        """Whether it is what a model does before it answers."""
        return self.kind in _WORKINGS

    def working(self, source: dict[str, Any]) -> str:
        """Returns it as a part of the reasoning: who was asked or answered, and what, as Markdown."""
        recipient = coerce.line(source.get("recipient"))
        name = coerce.line(coerce.mapping(source.get("author")).get("name")) or recipient
        if not self.text.strip() or name in ("", "all"):
            return self.text.strip()
        is_call = recipient not in ("", "all") and self.kind not in _FENCED
        return f"**{name}**\n\n{fenced(self.text) if is_call else self.text}"


def content_of(source: dict[str, Any], assets: Assets) -> Content:
    """Returns what the message `source` says."""
    content = coerce.mapping(source.get("content"))
    metadata = coerce.mapping(source.get("metadata"))
    kind = coerce.line(content.get("content_type"))
    files = _Files(assets)
    if kind in _IDLE:
        return Content(kind, "", ())
    # First those with the names that the user gave them.
    names = [files.add_listed(coerce.mapping(item)) for item in coerce.items(metadata.get("attachments"))]
    texts = [*_parts(content, files), *_plain(content), *_thoughts(content)]
    text = _without_marks("\n".join(filter(None, texts)), metadata)
    if kind in _FENCED and text.strip():
        language = coerce.line(content.get("language"))
        text = fenced(text, language if language != "unknown" and kind == "code" else "")
    text = "\n\n".join(filter(None, [text, *names]))
    return Content(kind, text, tuple(files.found.values()))


def instructions(source: dict[str, Any]) -> str:
    """Returns what the user told ChatGPT about themselves and how to answer, where the message is that; else ""."""
    content = coerce.mapping(source.get("content"))
    data = coerce.mapping(coerce.mapping(source.get("metadata")).get("user_context_message_data"))
    if content.get("content_type") == "user_editable_context":
        told = [content.get("user_profile"), content.get("user_instructions")]
    else:
        told = [data.get("about_user_message"), data.get("about_model_message")]
    return "\n\n".join(filter(None, (coerce.text(text).strip() for text in told)))


class _Files:
    """The files of one message, each of them once."""

    def __init__(self, assets: Assets) -> None:
        self.found: dict[str, Attachment] = {}
        self._assets = assets

    def add(self, pointer: str, name: str = "") -> bool:
        """Adds a file; False where the export does not hold it."""
        key = pointer.rpartition("/")[2]
        if key not in self.found and (attachment := self._assets.find(pointer, name)):
            self.found[key] = attachment
        return key in self.found

    def add_listed(self, source: dict[str, Any]) -> str:
        """Adds a file from the list of those that the user gave; returns its name where it is not there."""
        name = coerce.line(source.get("name"))
        return "" if self.add(coerce.line(source.get("id")), name) or not name else f"📎 {name}"


def _parts(content: dict[str, Any], files: _Files) -> Iterator[str]:
    for part in coerce.items(content.get("parts")):
        found = coerce.mapping(part)
        if coerce.line(found.get("content_type")).startswith("image"):
            yield "" if files.add(coerce.line(found.get("asset_pointer"))) else "🖼 picture (not in the export)"
        else:
            yield coerce.text(part) or coerce.text(found.get("text"))


def _plain(content: dict[str, Any]) -> Iterator[str]:
    title, url = coerce.line(content.get("title")), coerce.line(content.get("url"))
    if title or url:
        yield f"[{title or url}]({url})" if url.startswith(("http://", "https://")) else title
    for name in ("text", "result", "summary", "content"):
        yield coerce.text(content.get(name))


def _thoughts(content: dict[str, Any]) -> Iterator[str]:
    thoughts = content.get("thoughts")
    yield coerce.text(thoughts)
    for thought in map(coerce.mapping, coerce.items(thoughts)):
        summary = coerce.line(thought.get("summary"))
        parts = [f"**{summary}**" if summary else "", coerce.text(thought.get("content")).strip()]
        yield "\n\n".join([*filter(None, parts), ""])


def _without_marks(text: str, metadata: dict[str, Any]) -> str:
    """Puts in the links that the marks stand for, where the message lists them, and takes the other marks out."""
    if "\ue200" in text:
        for reference in map(coerce.mapping, coerce.items(metadata.get("content_references"))):
            mark, link = coerce.text(reference.get("matched_text")), coerce.text(reference.get("alt"))
            if "\ue200" in mark:
                text = text.replace(mark, link)
        text = _MARK.sub(_named, text)
    return _LEFT_OVER.sub("", text)


def _named(mark: re.Match[str]) -> str:
    """A mark of a person or a thing holds the name: ``["city","Tartu"]``."""
    if mark[1] != "entity":
        return ""
    try:
        found = json.loads(mark[2])
    except (ValueError, RecursionError):
        return coerce.line(mark[2])
    return coerce.line(found[1]) if isinstance(found, list) and len(found) > 1 else ""
