"""Output: where a reply goes as it arrives: plain text, JSON, the server's own events, or pieces with their times."""

import json
import time
from dataclasses import asdict
from typing import Any, Protocol

from streamtui.ask.stream_timing import StreamTiming, summary
from streamtui.core.message import Delta, Message
from streamtui.core.sanitize import escape_json
from streamtui.core.session import Session


class Writer(Protocol):
    """What is needed of a text stream to write to."""

    def write(self, text: str, /) -> object:
        """Writes `text`."""

    def flush(self) -> None:
        """Writes what is buffered."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""


class Output(Protocol):
    """Takes a reply as it comes."""

    def on_event(self, data: str) -> None:
        """Takes an event as the server sent it."""

    def on_delta(self, delta: Delta) -> None:
        """Takes a piece."""

    def on_end(self, session: Session, reply: Message) -> None:
        """Takes the whole reply, however it ended."""


class TextOutput(Output):
    """The text as it comes, each piece flushed."""

    def __init__(self, out: Writer) -> None:
        self._out = out
        self._last = "\n"
        self._begun = False

    def on_event(self, data: str) -> None:
        """Not shown."""

    def on_delta(self, delta: Delta) -> None:
        """Writes the text."""
        if delta.text_was_reasoning and self._begun:
            self._out.write("\n" if self._last == "\n" else "\n\n")
        if delta.text:
            self._begun = True
            self._out.write(delta.text)
            self._out.flush()
            self._last = delta.text[-1]

    def on_end(self, session: Session, reply: Message) -> None:
        """Ends the last line, so that a prompt does not follow in the middle of it."""
        if self._last != "\n":
            self._out.write("\n")
        self._out.flush()


class JsonOutput(Output):
    """One JSON object when the reply has ended, with all that is known of it."""

    def __init__(self, out: Writer) -> None:
        self._out = out

    def on_event(self, data: str) -> None:
        """Not shown."""

    def on_delta(self, delta: Delta) -> None:
        """Not shown: the whole comes at the end."""

    def on_end(self, session: Session, reply: Message) -> None:
        """Writes the object."""
        print(json.dumps(_as_dict(session, reply), ensure_ascii=False, indent=2), file=self._out, flush=True)


def _as_dict(session: Session, reply: Message) -> dict[str, Any]:
    return {
        "text": reply.text,
        "reasoning": reply.reasoning or None,
        "model": reply.model,
        "endpoint": reply.endpoint,
        "finish_reason": reply.finish_reason.value if reply.finish_reason else None,
        "error": reply.error or None,
        "usage": asdict(reply.usage) if reply.usage else None,
        "timing": asdict(reply.timing) if reply.timing else None,
        "session": session.id,
        "message": reply.id,
    }


class RawEventOutput(Output):
    """Every event on a line of its own, as the server sent it; on a terminal without raw control characters."""

    def __init__(self, out: Writer) -> None:
        self._out = out

    def on_event(self, data: str) -> None:
        """Writes the event: JSON on one line, anything else (``[DONE]``) as a JSON string."""
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            data = json.dumps(data, ensure_ascii=False)
        # Line ends inside an event's JSON stand between its tokens: as text they are escaped.
        line = data.replace("\r", " ").replace("\n", " ")
        print(escape_json(line) if self._out.isatty() else line, file=self._out, flush=True)

    def on_delta(self, delta: Delta) -> None:
        """Not shown: its event was."""

    def on_end(self, session: Session, reply: Message) -> None:
        """Nothing is left to write."""


class SilentOutput(Output):
    """Writes nothing, and keeps the times."""

    def __init__(self) -> None:
        self.timing = StreamTiming(time.monotonic())

    def on_event(self, data: str) -> None:
        """Not kept."""

    def on_delta(self, delta: Delta) -> None:
        """Notes when it came."""
        self.timing.note(delta)

    def on_end(self, session: Session, reply: Message) -> None:
        """Notes the end."""
        self.timing.end(reply)


class TimedOutput(Output):
    """Every piece with the seconds since the request, then what that makes."""

    def __init__(self, out: Writer) -> None:
        self._out = out
        self.timing = StreamTiming(time.monotonic())

    def on_event(self, data: str) -> None:
        """Not shown."""

    def on_delta(self, delta: Delta) -> None:
        """Writes when it came, and what it is."""
        now = self.timing.note(delta)
        for kind, text in (("text", delta.text), ("reasoning", delta.reasoning)):
            if text:
                print(f"{now:9.4f} s  {kind:<9}  {json.dumps(text, ensure_ascii=False)}", file=self._out, flush=True)

    def on_end(self, session: Session, reply: Message) -> None:
        """Writes the sum."""
        self.timing.end(reply)
        print("", *summary(self.timing), sep="\n", file=self._out, flush=True)


class ReasoningOutput(Output):
    """Another output, and beside it what the model thinks."""

    def __init__(self, output: Output, aside: Writer) -> None:
        self._output = output
        self._aside = aside
        self._thinks = False

    def on_event(self, data: str) -> None:
        """Hands it on."""
        self._output.on_event(data)

    def on_delta(self, delta: Delta) -> None:
        """Writes the reasoning, and hands the piece on."""
        if delta.reasoning:
            self._thinks = True
            self._aside.write(delta.reasoning)
            self._aside.flush()
        if delta.text and self._thinks:
            self._thinks = False
            print(file=self._aside, flush=True)
        self._output.on_delta(delta)

    def on_end(self, session: Session, reply: Message) -> None:
        """Hands it on."""
        self._output.on_end(session, reply)
