"""PromptQueue: the prompts that wait for the reply under way, shown above the prompt."""

from typing import NamedTuple

from textual.content import Content
from textual.widgets import Static

from streamtui.message import Attachment


class Waiting(NamedTuple):
    """A prompt that waits for its turn."""

    text: str
    attachments: tuple[Attachment, ...] = ()


class PromptQueue(Static):
    """A line for each prompt that waits; nothing where none does."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._waiting: list[Waiting] = []

    @property
    def texts(self) -> list[str]:
        """What the prompts say, the next one first."""
        return [waiting.text for waiting in self._waiting]

    def add(self, text: str, attachments: tuple[Attachment, ...]) -> None:
        """Puts a prompt at the end."""
        self._waiting.append(Waiting(text, attachments))
        self._show()

    def take(self) -> Waiting:
        """Takes the first prompt out. Raises IndexError where there is none."""
        first = self._waiting.pop(0)
        self._show()
        return first

    def take_all(self) -> Waiting:
        """Takes all prompts out, as one."""
        files = tuple(file for waiting in self._waiting for file in waiting.attachments)
        whole = Waiting("\n\n".join(self.texts), files)
        self._waiting.clear()
        self._show()
        return whole

    def _show(self) -> None:
        self.display = bool(self._waiting)
        self.update(Content("\n".join(f"next: {text.splitlines()[0]}" for text in self.texts if text)))
