"""Convert the content of messages in ChatGPT's export to Markdown and attachments."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamtui.core import coerce
from streamtui.core.message import Attachment
from streamtui.importers.assets import Assets
from streamtui.importers.tree_builder import fenced

_STEPS = ("thoughts", "tether_browsing_display", "tether_quote", "sonic_webpage")
_IGNORED = ("reasoning_recap", "model_editable_context")
"""Content left out: “Thought for 5 seconds” and what ChatGPT remembers about the user."""
_FENCED = ("code", "execution_output", "system_error")
# Markers that the web page renders as links and names: a type and values between private-use characters.
_MARKER = re.compile("\ue200([a-z_]*+)\ue202?([^\ue200\ue201]*)\ue201")
_LEFT_OVER = re.compile("[\ue200-\ue206]")


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a message."""

    kind: str
    """ChatGPT's content type."""
    text: str
    attachments: tuple[Attachment, ...]

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.attachments)

    @property
    def is_step(self) -> bool:
        """Return whether this is an intermediate step rather than a reply."""
        return self.kind in _STEPS

    def as_step(self, source: dict[str, Any]) -> str:
        """Return the content as Markdown for the reasoning, headed by the name of the tool."""
        recipient = coerce.line(source.get("recipient"))
        name = coerce.line(coerce.mapping(source.get("author")).get("name")) or recipient
        if not self.text.strip() or name in ("", "all"):
            return self.text.strip()
        is_call = recipient not in ("", "all") and self.kind not in _FENCED
        return f"**{name}**\n\n{fenced(self.text) if is_call else self.text}"


def content_of(source: dict[str, Any], assets: Assets) -> Content:
    """Return the content of the message `source`."""
    content = coerce.mapping(source.get("content"))
    metadata = coerce.mapping(source.get("metadata"))
    kind = coerce.line(content.get("content_type"))
    files = _Files(assets)
    if kind in _IGNORED:
        return Content(kind, "", ())
    # Listed attachments come first because they have the original file names.
    names = [files.add_listed(coerce.mapping(item)) for item in coerce.items(metadata.get("attachments"))]
    texts = [*_parts(content, files), *_plain(content), *_thoughts(content)]
    text = _replace_markers("\n".join(filter(None, texts)), metadata)
    if kind in _FENCED and text.strip():
        language = coerce.line(content.get("language"))
        text = fenced(text, language if language != "unknown" and kind == "code" else "")
    text = "\n\n".join(filter(None, [text, *names]))
    return Content(kind, text, tuple(files.found.values()))


def custom_instructions(source: dict[str, Any]) -> str:
    """Return the custom instructions in the message; "" if it has none."""
    content = coerce.mapping(source.get("content"))
    data = coerce.mapping(coerce.mapping(source.get("metadata")).get("user_context_message_data"))
    if content.get("content_type") == "user_editable_context":
        texts = [content.get("user_profile"), content.get("user_instructions")]
    else:
        texts = [data.get("about_user_message"), data.get("about_model_message")]
    return "\n\n".join(filter(None, (coerce.text(text).strip() for text in texts)))


class _Files:
    """The attachments of one message, without duplicates."""

    def __init__(self, assets: Assets) -> None:
        self.found: dict[str, Attachment] = {}
        self._assets = assets

    def add(self, pointer: str, name: str = "") -> bool:
        """Add a file; return False if it is not in the export."""
        key = pointer.rpartition("/")[2]
        if key not in self.found and (attachment := self._assets.find(pointer, name)):
            self.found[key] = attachment
        return key in self.found

    def add_listed(self, source: dict[str, Any]) -> str:
        """Add a listed file; return a placeholder if it is not in the export, else ""."""
        name = coerce.line(source.get("name"))
        return "" if self.add(coerce.line(source.get("id")), name) or not name else f"📎 {name}"


def _parts(content: dict[str, Any], files: _Files) -> Iterator[str]:
    for part in coerce.items(content.get("parts")):
        found = coerce.mapping(part)
        if coerce.line(found.get("content_type")).startswith("image"):
            yield "" if files.add(coerce.line(found.get("asset_pointer"))) else "🖼 image (not in the export)"
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


def _replace_markers(text: str, metadata: dict[str, Any]) -> str:
    """Replace markers with the links listed in the metadata and remove all others."""
    if "\ue200" in text:
        for reference in map(coerce.mapping, coerce.items(metadata.get("content_references"))):
            mark, link = coerce.text(reference.get("matched_text")), coerce.text(reference.get("alt"))
            if "\ue200" in mark:
                text = text.replace(mark, link)
        text = _MARKER.sub(_entity_name, text)
    return _LEFT_OVER.sub("", text)


def _entity_name(marker: re.Match[str]) -> str:
    """Return the name in an entity marker: ``["city","Tartu"]``."""
    if marker[1] != "entity":
        return ""
    try:
        found = json.loads(marker[2])
    except (ValueError, RecursionError):
        return coerce.line(marker[2])
    return coerce.line(found[1]) if isinstance(found, list) and len(found) > 1 else ""
