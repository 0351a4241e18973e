"""Lines in the pane that are no Markdown: who said it, that there was reasoning, how a reply ended."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, Self

from streamtui.commands import key_of
from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role
from streamtui.core.sanitize import clean_line
from streamtui.core.styled_text import Line, Run
from streamtui.exporters.labels import size
from streamtui.tokens import estimate

_ENDINGS = {
    None: "Interrupted: streamtui ended during the reply",
    FinishReason.STOPPED: "Stopped",
    FinishReason.LENGTH: "Stopped at the token limit",
    FinishReason.CONTENT_FILTER: "Stopped by the server's content filter",
    FinishReason.TOOL_CALLS: "The model asked for tools, which are not enabled",
}


class LineBlock(Protocol):
    """What the pane asks of a block; `streamtui.markdown.blocks.Block` says more of each."""

    kind: str
    base: str
    fresh: int

    @property
    def margin(self) -> int:
        """Blank lines above it."""

    @property
    def height(self) -> int:
        """Lines with the margin, once laid out."""

    def layout(self, width: int) -> None:
        """Wraps for `width` cells."""

    def line(self, index: int) -> tuple[int, list[Run]]:
        """The offset of a line in `plain()`, and its runs."""

    def prefix(self, index: int) -> list[Run]:
        """The runs before a line."""

    def plain(self) -> str:
        """The text."""


class Label:
    """A single line that is cut, never wrapped."""

    kind = "label"
    margin = 0
    height = 1
    base = ""

    def __init__(self, *runs: Run, folds: bool = False) -> None:
        """`folds`: a click on it folds or unfolds what is below."""
        self._runs = list(runs)
        self.folds = folds
        self.fresh = -1

    def layout(self, width: int) -> None:
        """Makes one line, at any width; it is new the first time only."""
        self.fresh = min(1, self.fresh + 1)

    def line(self, index: int) -> tuple[int, list[Run]]:
        """The label."""
        return 0, self._runs

    def prefix(self, index: int) -> list[Run]:
        """Nothing."""
        return []

    def plain(self) -> str:
        """The words of the label."""
        return "".join(text for text, _ in self._runs)


class Note:
    """A sentence of the program, wrapped."""

    kind = "note"
    fresh = 0

    def __init__(self, text: str, style: str, *, margin: int) -> None:
        self.base = style
        self.margin = margin
        self._text = text
        self._lines: list[Line] = []

    @property
    def height(self) -> int:
        """Lines with the margin, once laid out."""
        return self.margin + len(self._lines)

    def layout(self, width: int) -> None:
        """Wraps for `width` cells."""
        from streamtui.markdown.wrap import wrap  # late: its patterns take 4 ms to compile

        self._lines = wrap([(self._text, "")], width)

    def line(self, index: int) -> tuple[int, list[Run]]:
        """The offset of a line in `plain()`, and its runs."""
        return self._lines[index]

    def prefix(self, index: int) -> list[Run]:
        """Nothing."""
        return []

    def plain(self) -> str:
        """The sentence."""
        return self._text


class Hints(NamedTuple):
    """The keys to retry or continue a reply that did not complete."""

    retry: str
    continue_reply: str

    @classmethod
    def of(cls, keymap: Mapping[str, str]) -> Self:
        """Returns them with those of `keymap`, by the ids of actions, in place of the usual ones."""
        return cls(key_of("turn.retry", keymap), key_of("turn.continue", keymap))

    def for_reply(self, message: Message) -> str:
        """Return the key hints for a reply that did not complete."""
        retry = f"{self.retry} retry"
        return f"{retry} · {self.continue_reply} continue" if message.is_cut else retry


def endings(message: Message, hints: Hints | None, *, margin: int) -> list[Note]:
    """Returns how a reply ended, where it was not simply done, and which keys help."""
    if message.error and message.finish_reason is FinishReason.STOPPED:
        said = Note(f"■ Stopped before the retry. {message.error}", "ending", margin=margin)
    elif message.error:
        said = Note(f"✖ {message.error}", "error", margin=margin)
    elif message.role is Role.ASSISTANT and message.finish_reason in _ENDINGS:
        said = Note(f"■ {_ENDINGS[message.finish_reason]}", "ending", margin=margin)
    elif message.role is Role.ASSISTANT and not message.text:
        said = Note("■ The model returned an empty reply.", "ending", margin=margin)
    else:
        return []
    return [said, Note(hints.for_reply(message), "faint", margin=0)] if hints else [said]


def left_out(recap: Recap, number: int, *, unfolded: bool) -> list[Label]:
    """Returns what stands between `number` messages that are not sent any more and those that are."""
    above = f"{number:,} messages above are" if number != 1 else "The message above is"
    labels = [Label(("┄┄┄ ", "rule"), (f"{above} no longer sent", "ending"), (" ┄┄┄", "rule"))]
    if recap.text:
        by = f" by {recap.model}" if recap.model else ""
        facts = f"Summary{by} sent instead · ~{estimate(recap.text):,} tokens"
        labels.append(Label(("▾ " if unfolded else "▸ ", "fold"), (facts, "fold"), folds=True))
    return labels


def attached(file: Attachment) -> Label:
    """Return the line that shows an attachment: its name and size."""
    return Label(("▪ ", "bullet"), (f"{clean_line(file.name) or 'file'}  {size(len(file.data))}", "faint"))
