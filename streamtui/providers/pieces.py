"""Pieces: what single events hold, put together where only several of them make sense."""

from dataclasses import dataclass, field, replace
from typing import Literal

from streamtui.message import Delta
from streamtui.providers.base import ProviderError

_FENCE = "~~~~"
"""No JSON, and hardly a text of another kind, has a line that begins so."""


@dataclass(frozen=True, slots=True)
class CallPiece:
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
    def key(self) -> int | str | None:
        """What tells the call from the others."""
        return self.id or self.index


@dataclass(frozen=True, slots=True)
class Piece:
    """What an event holds, where a delta alone does not say it."""

    delta: Delta = field(default_factory=Delta)
    calls: tuple[CallPiece, ...] = ()
    whole: bool = False
    """Whether it is the whole reply: a repeat, where something came before."""
    opens: Literal["", "text", "reasoning"] = ""
    """What begins a new paragraph with the next piece that has any."""
    failure: ProviderError | None = None
    """Why nothing follows, where the reply failed."""


class Joiner:
    """Turns the pieces of one reply into deltas: nothing twice, paragraphs kept apart, tool calls as text.

    A tool call is shown while it is written, as its name and a fenced block with its arguments. None is run.
    """

    def __init__(self) -> None:
        self._came: set[str] = set()
        """What of text, reasoning and calls has come."""
        self._apart: set[str] = set()
        """What of text and reasoning begins a new paragraph next."""
        self._call: CallPiece | None = None
        """The first piece of the call that is being written."""
        self._fenced = False
        """Whether its arguments have begun."""
        self._calls: set[int | str | None] = set()

    def take(self, piece: Delta | Piece) -> Delta:
        """Returns what there is to show of `piece`, which may be nothing."""
        if isinstance(piece, Piece):
            return self._joined(piece)
        if piece.reasoning or self._call is not None or self._apart:
            return self._joined(Piece(piece))
        if piece.text:
            self._came.add("text")
        return piece

    def _joined(self, piece: Piece) -> Delta:
        if piece.opens:
            self._apart.add(piece.opens)
        delta = piece.delta
        reasoning = self._paragraph("reasoning", delta.reasoning, piece.whole)
        text = self._paragraph("text", delta.text, piece.whole)
        if not (piece.whole and "calls" in self._came):
            text += "".join(map(self._called, piece.calls))
        if delta.finish_reason is not None:
            text += self._closed()
        return replace(delta, text=text, reasoning=reasoning)

    def _paragraph(self, kind: str, text: str, whole: bool) -> str:
        came = kind in self._came
        if not text or (whole and came):
            return ""
        apart = kind in self._apart or (kind == "text" and self._call is not None)
        self._apart.discard(kind)
        self._came.add(kind)
        if not (came and apart):
            return text
        return (self._gap() if kind == "text" else "\n\n") + text

    def _called(self, piece: CallPiece) -> str:
        shown = ""
        if not self._continues(piece):
            if piece.complete and piece.key in self._calls:
                return ""
            shown = self._opened(piece)
        if piece.arguments and not (piece.complete and self._fenced):
            shown += ("" if self._fenced else self._fence()) + piece.arguments
        return shown

    def _continues(self, piece: CallPiece) -> bool:
        """Whether `piece` belongs to the call being written. Some servers give neither ids nor numbers."""
        call = self._call
        if call is None:
            return False
        if piece.id and call.id:
            return piece.id == call.id
        return piece.index == call.index and not (piece.name and self._fenced and not piece.complete)

    def _opened(self, piece: CallPiece) -> str:
        gap = self._gap() if "text" in self._came else ""
        self._call = piece
        self._calls.add(piece.key)
        self._came |= {"text", "calls"}
        return f"{gap}Tool call `{piece.name.replace('`', '')}`"

    def _fence(self) -> str:
        self._fenced = True
        return f":\n\n{_FENCE}{'' if self._call is not None and self._call.free else 'json'}\n"

    def _gap(self) -> str:
        """Returns what ends the text so far and makes the next begin a paragraph."""
        closed = self._closed()
        return f"{closed}\n" if closed else "\n\n"

    def _closed(self) -> str:
        """Returns the end of the call being written, if there is one and it has begun a block."""
        fenced = self._fenced
        self._call, self._fenced = None, False
        return f"\n{_FENCE}\n" if fenced else ""
