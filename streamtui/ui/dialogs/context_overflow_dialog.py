"""ContextOverflowDialog: what to do with a prompt that makes the conversation longer than the model can take."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from streamtui.ui.dialogs.dialog import ListDialog

if TYPE_CHECKING:
    from streamtui.conversation.request_context import Overflow

LEAVE_OUT, SUMMARIZE, SEND = "leave out", "summarise", "send"


class ContextOverflowDialog(ListDialog):
    """Ends with LEAVE_OUT, SUMMARIZE or SEND; "" for nothing is sent."""

    def __init__(self, overflow: "Overflow", model: str, *, can_summarize: bool) -> None:
        super().__init__()
        self._overflow = overflow
        self._model = model
        self._can_summarize = can_summarize

    def compose(self) -> ComposeResult:
        """What is too long, and the choices."""
        with Vertical(id="dialog"):
            yield Static(Content(self._sentence()), id="words")
            yield OptionList(*(Option(text, id=choice) for choice, text in self._choices().items()), markup=False)

    def on_mount(self) -> None:
        """Names the panel."""
        self.set_title("Longer than the model can take", "enter choose", "esc back")
        self.options.focus()

    def _sentence(self) -> str:
        needed, window = self._overflow.needed, self._overflow.window
        said = f"With room for the reply this would take {needed} tokens; {self._model} takes {window:,}.\n"
        return said if self._overflow.fits else f"{said}It is too long even without what was said before.\n"

    def _choices(self) -> dict[str, str]:
        number = self._overflow.left_out
        oldest = f"the {number} oldest messages" if number > 1 else "the oldest message"
        choices = {}
        if self._overflow.fits:
            choices[LEAVE_OUT] = f"Send it without {oldest}; they stay here, with a mark"
            if self._can_summarize:
                choices[SUMMARIZE] = f"Let the model sum up {oldest}, and send the summary in their place"
        return choices | {SEND: "Send all of it; the server may refuse it, or cut it without a word"}
