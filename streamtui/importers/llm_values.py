"""Values that the layouts of LLM's database have in common: usage, attachments and tool calls."""

import json
from mimetypes import guess_extension
from typing import Any

from streamtui.core import coerce
from streamtui.core.message import Attachment, Usage
from streamtui.importers.assets import media_type
from streamtui.importers.tree_builder import fenced

ENDPOINT = "llm"
ATTACHMENT = "id type path url content"
"""The columns of an attachment."""


def usage(row: dict[str, Any]) -> Usage | None:
    """Return the token usage of a turn or response; None if it was not recorded."""
    if row["input_tokens"] is None and row["output_tokens"] is None:
        return None
    details = parsed(row["token_details"])
    outputs = coerce.mapping(details.get("completion_tokens_details")) or details
    inputs = coerce.mapping(details.get("prompt_tokens_details")) or details
    return Usage(
        coerce.count(row["input_tokens"]),
        coerce.count(row["output_tokens"]),
        coerce.count(outputs.get("reasoning_tokens")),
        coerce.count(inputs.get("cached_tokens")),
    )


def parsed(source: object) -> dict[str, Any]:
    """Parse a JSON object; return an empty one for anything else."""
    try:
        return coerce.mapping(json.loads(source)) if isinstance(source, str) else {}
    except (ValueError, RecursionError):
        return {}


def attached(row: dict[str, Any]) -> tuple[Attachment | None, str]:
    """Return an attachment, or a placeholder with its path or URL, which is not fetched."""
    place = coerce.line(row["path"]) or coerce.line(row["url"])
    data = row["content"]
    if not isinstance(data, bytes) or not data:
        return None, f"📎 {place}" if place else ""
    name = place.rpartition("/")[2]
    kind = coerce.line(row["type"]) or media_type(name, data)
    return Attachment(name or f"attachment{guess_extension(kind) or ''}", kind, data), ""


def tool_call(name: object, arguments: object) -> str:
    """Return a tool call as Markdown."""
    shown = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return f"**{coerce.line(name) or 'tool'}**\n\n{fenced(coerce.text(shown), 'json')}"


def tool_result(name: object, output: object) -> str:
    """Return a tool result as Markdown."""
    return f"**{coerce.line(name) or 'tool'}** result\n\n{fenced(coerce.text(output))}"
