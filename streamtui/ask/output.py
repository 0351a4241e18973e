"""Output formats for a streaming reply."""

import json
import time
from dataclasses import asdict
from typing import Any, Protocol

from streamtui.ask.stream_timing import StreamTiming, summary
from streamtui.core.message import Delta, Message
from streamtui.core.sanitize import escape_json
from streamtui.core.session import Session


class Writer(Protocol):
    """The part of a text stream that outputs need."""

    def write(self, text: str, /) -> object:
        """Write `text`."""

    def flush(self) -> None:
        """Flush the buffer."""

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""


class Output:
    """Base class of outputs; does nothing."""

    def on_event(self, data: str) -> None:
        """Handle a server-sent event with the raw `data`."""

    def on_delta(self, delta: Delta) -> None:
        """Handle a delta of the reply."""

    def on_end(self, session: Session, reply: Message) -> None:
        """Handle the complete reply, however it ended."""


class TextOutput(Output):
    """Plain text, flushed after every delta."""

    def __init__(self, out: Writer) -> None:
        self._out = out
        self._last = "\n"
        self._started = False

    def on_delta(self, delta: Delta) -> None:
        """Write the text."""
        if delta.text_was_reasoning and self._started:
            self._out.write("\n" if self._last == "\n" else "\n\n")
        if delta.text:
            self._started = True
            self._out.write(delta.text)
            self._out.flush()
            self._last = delta.text[-1]

    def on_end(self, session: Session, reply: Message) -> None:
        """End the last line, so that the shell prompt starts on a new one."""
        if self._last != "\n":
            self._out.write("\n")
        self._out.flush()


class JsonOutput(Output):
    """A JSON object with the complete reply."""

    def __init__(self, out: Writer) -> None:
        self._out = out

    def on_end(self, session: Session, reply: Message) -> None:
        """Write the object."""
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
    """The server's events, one per line; on a terminal with control characters escaped."""

    def __init__(self, out: Writer) -> None:
        self._out = out

    def on_event(self, data: str) -> None:
        """Write the event: JSON on one line, anything else (``[DONE]``) as a JSON string."""
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            data = json.dumps(data, ensure_ascii=False)
        # In valid JSON, line breaks only occur between tokens.
        line = data.replace("\r", " ").replace("\n", " ")
        print(escape_json(line) if self._out.isatty() else line, file=self._out, flush=True)


class SilentOutput(Output):
    """Measurement of the timing, without output."""

    def __init__(self) -> None:
        self.timing = StreamTiming(time.monotonic())

    def on_delta(self, delta: Delta) -> None:
        """Record the time of the delta."""
        self.timing.record(delta)

    def on_end(self, session: Session, reply: Message) -> None:
        """Record the end."""
        self.timing.finish(reply)


class TimedOutput(SilentOutput):
    """Each delta with the seconds since the request, and a summary at the end."""

    def __init__(self, out: Writer) -> None:
        super().__init__()
        self._out = out

    def on_delta(self, delta: Delta) -> None:
        """Write the time and the content of the delta."""
        now = self.timing.record(delta)
        for kind, text in (("text", delta.text), ("reasoning", delta.reasoning)):
            if text:
                print(f"{now:9.4f} s  {kind:<9}  {json.dumps(text, ensure_ascii=False)}", file=self._out, flush=True)

    def on_end(self, session: Session, reply: Message) -> None:
        """Write the summary."""
        super().on_end(session, reply)
        print("", *summary(self.timing), sep="\n", file=self._out, flush=True)


class ReasoningOutput(Output):
    """Another output, with the reasoning written to a second stream."""

    def __init__(self, output: Output, reasoning_out: Writer) -> None:
        self._output = output
        self._reasoning_out = reasoning_out
        self._is_reasoning = False

    def on_event(self, data: str) -> None:
        """Pass the event on."""
        self._output.on_event(data)

    def on_delta(self, delta: Delta) -> None:
        """Write the reasoning and pass the delta on."""
        if delta.reasoning:
            self._is_reasoning = True
            self._reasoning_out.write(delta.reasoning)
            self._reasoning_out.flush()
        if delta.text and self._is_reasoning:
            self._is_reasoning = False
            print(file=self._reasoning_out, flush=True)
        self._output.on_delta(delta)

    def on_end(self, session: Session, reply: Message) -> None:
        """Pass the reply on."""
        self._output.on_end(session, reply)
