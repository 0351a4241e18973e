"""The dialog for a prompt that makes the conversation exceed the model's context window."""

from typing import TYPE_CHECKING

from streamtui.ui.dialogs.dialog import ChoiceDialog

if TYPE_CHECKING:
    from streamtui.conversation.request_context import Overflow

LEAVE_OUT, SUMMARIZE, SEND = "leave out", "summarize", "send"


class ContextOverflowDialog(ChoiceDialog):
    """Return LEAVE_OUT, SUMMARIZE or SEND; "" cancels the request."""

    def __init__(self, overflow: "Overflow", model: str, *, can_summarize: bool) -> None:
        message = f"With space for the reply this needs {overflow.needed} tokens; {model} accepts {overflow.window:,}."
        number = overflow.left_out
        oldest = f"the {number} oldest messages" if number > 1 else "the oldest message"
        choices = {}
        if overflow.fits:
            choices[LEAVE_OUT] = f"Omit {oldest} from requests (kept in the session, marked)"
            if can_summarize:
                choices[SUMMARIZE] = f"Summarize {oldest} with the model and send the summary instead"
        else:
            message += "\nThe prompt is too long even without earlier messages."
        choices[SEND] = "Send everything (the server may reject or silently truncate it)"
        super().__init__("Context window exceeded", message, choices, "esc cancel")
