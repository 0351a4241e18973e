"""What both layouts of LLM's database have in common: tokens, attachments, calls of tools."""

import json
from mimetypes import guess_extension
from typing import Any

from streamtui.core import coerce
from streamtui.core.fences import fenced
from streamtui.core.message import Attachment, Usage
from streamtui.importers.assets import media_type

ENDPOINT = "llm"
ATTACHMENT = "id type path url content"
"""The columns of an attachment."""


def usage(row: dict[str, Any]) -> Usage | None:
    """Returns the tokens of a turn or response; None where they were not counted."""
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
    """Returns the JSON object in a text; an empty one for anything else."""
    try:
        return coerce.mapping(json.loads(source)) if isinstance(source, str) else {}
    except (ValueError, RecursionError):
        return {}


def attached(row: dict[str, Any]) -> tuple[Attachment | None, str]:
    """Returns an attachment, or where it was: files and pages that the database only names are not fetched."""
    place = coerce.line(row["path"]) or coerce.line(row["url"])
    data = row["content"]
    if not isinstance(data, bytes) or not data:
        return None, f"📎 {place}" if place else ""
    name = place.rpartition("/")[2]
    kind = coerce.line(row["type"]) or media_type(name, data)
    return Attachment(name or f"attachment{guess_extension(kind) or ''}", kind, data), ""


def tool_call(name: object, arguments: object) -> str:
    """Returns a call of a tool as Markdown."""
    shown = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return f"**{coerce.line(name) or 'tool'}**\n\n{fenced(coerce.text(shown), 'json')}"


def tool_result(name: object, output: object) -> str:
    """Returns what a tool answered as Markdown."""
    return f"**{coerce.line(name) or 'tool'}** answered\n\n{fenced(coerce.text(output))}"
