"""The words every export uses: who said it and when, how it ended, how large it is."""

from datetime import datetime

from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role

UNTITLED = "Untitled"

_ENDINGS = {
    None: "interrupted",
    FinishReason.STOPPED: "stopped",
    FinishReason.LENGTH: "cut off: the model reached its limit of tokens",
    FinishReason.CONTENT_FILTER: "cut off: the server withheld the rest",
    FinishReason.TOOL_CALLS: "the model asked for a tool",
}


def speaker(message: Message) -> str:
    """Returns who said it."""
    if message.role is Role.ASSISTANT:
        return message.model or "Assistant"
    return "You" if message.role is Role.USER else "System"


def format_time(seconds: float, *, exact: bool = False) -> str:
    """Returns a time (seconds since the epoch) by the local clock, `exact` as ISO 8601; "" for none."""
    try:
        when = datetime.fromtimestamp(seconds).astimezone() if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        when = None
    if when is None:
        return ""
    return when.isoformat(timespec="seconds") if exact else when.strftime("%Y-%m-%d %H:%M")


def ending(message: Message) -> str:
    """Returns how a reply ended, where it did not simply end; else ""."""
    if message.error:
        return message.error
    return _ENDINGS.get(message.finish_reason, "") if message.role is Role.ASSISTANT else ""


def reasoning_heading(message: Message) -> str:
    """Returns the heading of its reasoning."""
    seconds = None if message.timing is None else message.timing.thinking
    return "Thought" if seconds is None else f"Thought for {max(0.0, seconds):.1f} s"


def recap_note(recap: Recap) -> str:
    """Returns what became of the messages above the one with `recap`, for the model."""
    instead = f"; a summary{f' by {recap.model}' if recap.model else ''} takes their place" if recap.text else ""
    return f"The messages above are not sent any more{instead}."


def attachment_label(attachment: Attachment) -> str:
    """Returns name, kind and size of an attachment."""
    return f"{attachment.name or 'file'} ({attachment.media_type or 'unknown kind'}, {size(len(attachment.data))})"


def size(count: int) -> str:
    """Returns a number of bytes as people write it."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    power = min(3, (len(str(count)) - 1) // 3)
    return f"{count / 1000**power:.1f} {('KB', 'MB', 'GB')[power - 1]}"
