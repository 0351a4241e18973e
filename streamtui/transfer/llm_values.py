"""What both layouts of LLM's database have in common: tokens, attachments, calls of tools."""

import json
from mimetypes import guess_extension
from typing import Any

from streamtui.message import Attachment, Usage
from streamtui.transfer import values
from streamtui.transfer.assets import media_type
from streamtui.transfer.fences import fenced

ENDPOINT = "llm"
ATTACHMENT = "id type path url content"
"""The columns of an attachment."""


def usage(row: dict[str, Any]) -> Usage | None:
    """Returns the tokens of a turn or response; None where they were not counted."""
    if row["input_tokens"] is None and row["output_tokens"] is None:
        return None
    details = parsed(row["token_details"])
    outputs = values.mapping(details.get("completion_tokens_details")) or details
    inputs = values.mapping(details.get("prompt_tokens_details")) or details
    return Usage(
        values.count(row["input_tokens"]),
        values.count(row["output_tokens"]),
        values.count(outputs.get("reasoning_tokens")),
        values.count(inputs.get("cached_tokens")),
    )


def parsed(source: object) -> dict[str, Any]:
    """Returns the JSON object in a text; an empty one for anything else."""
    try:
        return values.mapping(json.loads(source)) if isinstance(source, str) else {}
    except (ValueError, RecursionError):
        return {}


def attached(row: dict[str, Any]) -> tuple[Attachment | None, str]:
    """Returns an attachment, or where it was: files and pages that the database only names are not fetched."""
    place = values.line(row["path"]) or values.line(row["url"])
    data = row["content"]
    if not isinstance(data, bytes) or not data:
        return None, f"📎 {place}" if place else ""
    name = place.rpartition("/")[2]
    kind = values.line(row["type"]) or media_type(name, data)
    return Attachment(name or f"attachment{guess_extension(kind) or ''}", kind, data), ""


def tool_call(name: object, arguments: object) -> str:
    """Returns a call of a tool as Markdown."""
    shown = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return f"**{values.line(name) or 'tool'}**\n\n{fenced(values.text(shown), 'json')}"


def tool_result(name: object, output: object) -> str:
    """Returns what a tool answered as Markdown."""
    return f"**{values.line(name) or 'tool'}** answered\n\n{fenced(values.text(output))}"
