"""Export sessions as complete JSON."""

import base64
import json
from dataclasses import asdict
from typing import Any

from streamtui.core import coerce
from streamtui.core.message import Attachment, Message
from streamtui.core.session import Session

FORMAT = "streamtui-session"
VERSION = 1
"""Version of the format. Readers refuse newer versions; additions do not need a new one."""


def to_json(session: Session, *, compact: bool = False) -> str:
    """Return the session as JSON text; `compact` puts it on one line."""
    text = json.dumps(as_object(session), ensure_ascii=False, allow_nan=False, indent=None if compact else 2)
    return text if compact else f"{text}\n"


def as_object(session: Session) -> dict[str, Any]:
    """Return the session as a JSON object, which `session_from` reads."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": session.id,
        "title": session.title,
        "endpoint": session.endpoint,
        "model": session.model,
        "system": session.system,
        "created": coerce.timestamp(session.created),
        "updated": coerce.timestamp(session.updated),
        "pinned": session.pinned,
        "archived": session.archived,
        "parameters": coerce.json_value(session.parameters.as_dict()),
        "leaf_id": session.leaf_id,
        "messages": [_message_object(message) for message in session.messages.values()],
    }


def _message_object(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "parent_id": message.parent_id,
        "role": message.role.value,
        "created": coerce.timestamp(message.created),
        "text": message.text,
        "reasoning": message.reasoning,
        "endpoint": message.endpoint,
        "model": message.model,
        "finish_reason": message.finish_reason and message.finish_reason.value,
        "error": message.error,
        "usage": message.usage and coerce.json_value(asdict(message.usage)),
        "timing": message.timing and coerce.json_value(asdict(message.timing)),
        "recap": message.recap and coerce.json_value(asdict(message.recap)),
        "attachments": [_attachment_object(attachment) for attachment in message.attachments],
    }


def _attachment_object(attachment: Attachment) -> dict[str, str]:
    data = base64.b64encode(attachment.data).decode("ascii")
    return {"name": attachment.name, "media_type": attachment.media_type, "data": data}
