"""Labels shared by the export formats."""

from datetime import datetime

from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role

UNTITLED = "Untitled"

_ENDINGS = {
    None: "Interrupted",
    FinishReason.STOPPED: "Stopped",
    FinishReason.LENGTH: "Stopped at the token limit",
    FinishReason.CONTENT_FILTER: "Stopped by the content filter",
    FinishReason.TOOL_CALLS: "The model requested a tool",
}


def speaker(message: Message) -> str:
    """Return the name of the author."""
    if message.role is Role.ASSISTANT:
        return message.model or "Assistant"
    return "You" if message.role is Role.USER else "System"


def format_time(seconds: float, *, exact: bool = False) -> str:
    """Format a Unix timestamp in local time, with `exact` as ISO 8601; "" for 0."""
    try:
        when = datetime.fromtimestamp(seconds).astimezone() if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        when = None
    if when is None:
        return ""
    return when.isoformat(timespec="seconds") if exact else when.strftime("%Y-%m-%d %H:%M")


def ending(message: Message) -> str:
    """Return why a reply is incomplete; "" if it is complete."""
    if message.error:
        return message.error
    return _ENDINGS.get(message.finish_reason, "") if message.role is Role.ASSISTANT else ""


def reasoning_heading(message: Message) -> str:
    """Return the heading of the reasoning."""
    seconds = None if message.timing is None else message.timing.thinking
    return "Thought" if seconds is None else f"Thought for {max(0.0, seconds):.1f} s"


def recap_note(recap: Recap) -> str:
    """Return a note that earlier messages are no longer sent."""
    summary = f" and replaced by a summary{f' by {recap.model}' if recap.model else ''}" if recap.text else ""
    return f"Earlier messages are no longer sent{summary}."


def attachment_label(attachment: Attachment) -> str:
    """Return the name, type and size of an attachment."""
    return f"{attachment.name or 'file'} ({attachment.media_type or 'unknown type'}, {size(len(attachment.data))})"


def size(count: int) -> str:
    """Format a number of bytes."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    power = min(3, (len(str(count)) - 1) // 3)
    return f"{count / 1000**power:.1f} {('KB', 'MB', 'GB')[power - 1]}"
