"""PromptQueue: the prompts that wait for the reply under way, shown above the prompt."""

from textual.content import Content
from textual.widgets import Static

from streamtui.core.message import Attachment, Message


class PromptQueue(Static):
    """A line for each prompt that waits; nothing where none does."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._waiting: list[Message] = []

    @property
    def texts(self) -> list[str]:
        """What the prompts say, the next one first."""
        return [prompt.text for prompt in self._waiting]

    def add(self, prompt: Message, *, first: bool = False) -> None:
        """Puts a prompt at the end, or before all others."""
        self._waiting.insert(0 if first else len(self._waiting), prompt)
        self._show()

    def take(self) -> Message:
        """Takes the first prompt out. Raises IndexError where there is none."""
        prompt = self._waiting.pop(0)
        self._show()
        return prompt

    @property
    def combined(self) -> tuple[str, tuple[Attachment, ...]]:
        """All prompts, as one: text and files."""
        return "\n\n".join(self.texts), tuple(file for prompt in self._waiting for file in prompt.attachments)

    def take_all(self) -> tuple[str, tuple[Attachment, ...]]:
        """Takes all prompts out, as one."""
        combined = self.combined
        self._waiting.clear()
        self._show()
        return combined

    def _show(self) -> None:
        self.display = bool(self._waiting)
        self.update(Content("\n".join(f"next: {text.splitlines()[0]}" for text in self.texts if text)))
