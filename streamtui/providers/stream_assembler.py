"""Assemble the deltas of a reply from its events."""

import json
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal

from streamtui.core.message import Delta, FinishReason
from streamtui.providers.base import ProviderError
from streamtui.providers.inline_reasoning import InlineReasoning, Split

_FENCE = "~~~~"
"""No JSON, and hardly a text of another kind, has a line that begins so."""
_MAX_PARSED = 65_536
"""Characters of arguments that are looked at for whether they are complete; that takes 0.5 ms."""


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call: its name in the first, its arguments in the others or in one."""

    name: str = ""
    arguments: str = ""
    id: str = ""
    index: int | None = None
    """Which call of the reply it is, where the server says so."""
    free: bool = False
    """Whether the tool takes any text, not JSON."""
    complete: bool = False
    """Whether `arguments` are all of them: a repeat, where some came before."""

    @property
    def place(self) -> int | str | None:
        """What tells the call from others that are written at the same time."""
        return self.id or None if self.index is None else self.index


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """What an event holds, where a delta alone does not say it."""

    delta: Delta = field(default_factory=Delta)
    calls: tuple[ToolCallDelta, ...] = ()
    whole: bool = False
    """Whether it is the whole reply: a repeat, where something came before."""
    opens: Literal["", "text", "reasoning"] = ""
    """What begins a new paragraph with the next piece that has any."""
    failure: ProviderError | None = None
    """Why nothing follows, where the reply failed."""


class _Call:
    """A tool call as text: its name and a fenced block with its arguments."""

    def __init__(self, piece: ToolCallDelta) -> None:
        self.name = piece.name
        self.id = piece.id
        self.is_begun = False
        """Whether some of it has been shown."""
        self.is_ended = False
        """Whether something else has been shown after it."""
        self._free = piece.free
        self._done = False
        self._arguments: list[str] = []
        self._size = 0
        self._shown = 0
        """How many pieces of the arguments have been shown."""
        self._parsed = 0
        """How many there were when they were no whole object yet."""

    def add(self, piece: ToolCallDelta) -> None:
        """Add what `piece` says that did not come before."""
        self.name = self.name or piece.name
        self.id = self.id or piece.id
        if piece.arguments and not (piece.complete and self._size):
            self._arguments.append(piece.arguments)
            self._size += len(piece.arguments)
        self._done = self._done or piece.complete

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing: the server says so, or the arguments are a whole object."""
        count = len(self._arguments)
        if self._done or self._free or self._parsed == count or self._size > _MAX_PARSED:
            return self._done
        self._parsed = count
        if not self._arguments[-1].rstrip().endswith("}"):
            return False
        try:
            json.loads("".join(self._arguments))
        except (ValueError, RecursionError):
            return False
        self._done = True
        return True

    def takes(self, piece: ToolCallDelta) -> bool:
        """Whether `piece`, which has the same place, belongs to it. Some servers number all calls 0."""
        if piece.complete:
            return piece.name in ("", self.name)
        if self.is_ended or not piece.name:
            return not self.is_ended
        if piece.id and self.id:
            return piece.id == self.id
        return self.name in ("", piece.name) and not self.is_complete

    def show(self, gap: str) -> str:
        """Return what can be shown and was not yet; `gap` goes before the first of it."""
        new = self._arguments[self._shown :]
        head = ""
        if not self.is_begun and (self.name or new):
            self.is_begun = True
            head = f"{gap}Tool call `{self.name.replace('`', '')}`"
        if new and not self._shown:
            head += f":\n\n{_FENCE}{'' if self._free else 'json'}\n"
        self._shown += len(new)
        return head + "".join(new)

    def end(self) -> str:
        """Return what ends its block, if it has one."""
        self.is_ended = True
        return f"\n{_FENCE}\n" if self._size else ""


class StreamAssembler:
    """Turns the pieces of one reply into deltas: nothing twice, paragraphs kept apart, tool calls as text.

    A tool call is shown while it is written, as its name and a fenced block with its arguments. What comes before it
    is complete, such as parts of other calls, is shown after it. None is run.
    """

    def __init__(self, *, inline_reasoning: bool = True) -> None:
        """`inline_reasoning`: whether tags in the text mark reasoning."""
        self._inline = InlineReasoning() if inline_reasoning else None
        self._came: set[str] = set()
        """What of text, reasoning and calls has come."""
        self._apart: set[str] = set()
        """What of text and reasoning begins a new paragraph next."""
        self._calls: dict[int | str | None, _Call] = {}
        """The newest call at each place."""
        self._waiting: deque[_Call | str] = deque()
        """The call that is being shown, then what comes after it."""
        self._gap: str | None = None
        """What goes between the text so far and a paragraph that follows; None where there is no text."""

    def take(self, piece: Delta | StreamEvent) -> Delta:
        """Return what there is to show of `piece`, which may be nothing."""
        if isinstance(piece, StreamEvent):
            return self._joined(piece)
        if piece.reasoning or piece.finish_reason or self._waiting or self._apart or self._gap != "":
            return self._joined(StreamEvent(piece))
        # Most pieces are more of the answer: they take a third of the time.
        split = self._split(piece.text, ends=False)
        return piece if split == (piece.text, "", False) else self._with_split(piece, split)

    def rest(self) -> Delta:
        """Return what was held back, where the reply ends without a finish reason."""
        return self._joined(StreamEvent(), ends=True)

    def _joined(self, piece: StreamEvent, *, ends: bool = False) -> Delta:
        delta = piece.delta
        ends = ends or delta.finish_reason is not None
        if piece.opens:
            self._apart.add(piece.opens)
        text, reasoning, calls = delta.text, delta.reasoning, piece.calls
        if piece.whole:  # it repeats what came
            text = "" if "text" in self._came else text
            reasoning = "" if "reasoning" in self._came else reasoning
            calls = () if "calls" in self._came else calls
        if reasoning or calls:
            self._settle()
        split = self._split(text, ends=ends or bool(calls))
        self._came.update(name for name, part in (("text", text), ("calls", calls)) if part)
        said = self._with_split(replace(delta, reasoning=reasoning), split)
        called = "".join(map(self._called, calls)) + (self._shown(ends=True) if ends else "")
        return replace(said, text=said.text + called, finish_reason=self._reason(delta.finish_reason))

    def _with_split(self, delta: Delta, split: Split) -> Delta:
        if split.text_was_reasoning:
            self._gap = None
        return replace(
            delta,
            reasoning=self._thought(delta.reasoning + split.reasoning),
            text=self._said(split.text),
            text_was_reasoning=split.text_was_reasoning,
        )

    def _settle(self) -> None:
        if self._inline is not None:
            self._inline.settle()

    def _split(self, text: str, *, ends: bool) -> Split:
        return Split(text) if self._inline is None else self._inline.feed(text, ends=ends)

    def _reason(self, reason: FinishReason | None) -> FinishReason | None:
        """Some servers call it a stop when the model asks for tools."""
        return FinishReason.TOOL_CALLS if reason is FinishReason.STOP and "calls" in self._came else reason

    def _begins_paragraph(self, kind: str) -> bool:
        apart = kind in self._apart
        self._apart.discard(kind)
        return apart

    def _thought(self, text: str) -> str:
        if not text:
            return ""
        gap = "\n\n" if self._begins_paragraph("reasoning") and "reasoning" in self._came else ""
        self._came.add("reasoning")
        return gap + text

    def _said(self, text: str) -> str:
        if not text:
            return ""
        after_text = isinstance(self._waiting[-1], str) if self._waiting else self._gap == ""
        gap = "\n\n" if self._begins_paragraph("text") and after_text else ""
        self._waiting.append(gap + text)
        return self._shown()

    def _called(self, piece: ToolCallDelta) -> str:
        call = self._calls.get(piece.place)
        if call is None or not call.takes(piece):
            if call is not None and not piece.name:
                if not piece.arguments.strip():
                    return ""
                piece = replace(piece, name=call.name)
            call = self._calls[piece.place] = _Call(piece)
            self._waiting.append(call)
        call.add(piece)
        return self._shown()

    def _shown(self, *, ends: bool = False) -> str:
        """Return what can be shown of what waits: all of it where the reply ends."""
        shown: list[str] = []
        while self._waiting:
            first = self._waiting[0]
            if isinstance(first, str):
                shown += [self._gap or "", first]
                self._gap = ""
            else:
                shown.append(first.show("" if self._gap is None else self._gap or "\n\n"))
                if not (ends or (len(self._waiting) > 1 and first.is_complete)):
                    break
                shown.append(end := first.end())
                self._gap = "\n" if end else "\n\n" if first.is_begun else self._gap
            self._waiting.popleft()
        return "".join(shown)
