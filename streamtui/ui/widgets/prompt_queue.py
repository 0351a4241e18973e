"""The queue of prompts that wait for the current reply."""

from textual.content import Content
from textual.widgets import Static

from streamtui.core.message import Attachment, Message


class PromptQueue(Static):
    """Queued prompts, one per line; hidden when empty."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._prompts: list[Message] = []

    @property
    def texts(self) -> list[str]:
        """The texts of the prompts, the next one first."""
        return [prompt.text for prompt in self._prompts]

    def add(self, prompt: Message, *, first: bool = False) -> None:
        """Add a prompt at the end, or with `first` at the front."""
        self._prompts.insert(0 if first else len(self._prompts), prompt)
        self._show()

    def take(self) -> Message:
        """Remove and return the first prompt. Raise IndexError if the queue is empty."""
        prompt = self._prompts.pop(0)
        self._show()
        return prompt

    @property
    def combined(self) -> tuple[str, tuple[Attachment, ...]]:
        """All prompts as one: text and attachments."""
        return "\n\n".join(self.texts), tuple(file for prompt in self._prompts for file in prompt.attachments)

    def take_all(self) -> tuple[str, tuple[Attachment, ...]]:
        """Remove all prompts and return them as one."""
        combined = self.combined
        self._prompts.clear()
        self._show()
        return combined

    def _show(self) -> None:
        self.display = bool(self._prompts)
        self.update(Content("\n".join(f"next: {text.splitlines()[0]}" for text in self.texts if text)))
