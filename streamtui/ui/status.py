"""What the status bar and the prompt's border show of a conversation and of the focus."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from streamtui.commands import key_hints
from streamtui.ui.transcript import Transcript
from streamtui.ui.widgets.status_bar import StatusBar
from streamtui.ui.widgets.text_fit import BORDER_CELLS, fit_hints

if TYPE_CHECKING:
    from streamtui.conversation import Conversation

PROMPT_HINTS = ("prompt.submit", "prompt.newline", "app.help", "app.palette")
PANE_HINTS = (
    "conversation.copy_message", "conversation.copy_code", "conversation.edit_prompt", "conversation.hints",
    "conversation.find",
)  # fmt: skip


def show_conversation(status: StatusBar, conversation: "Conversation") -> None:
    """Show the state of `conversation` in the status bar."""
    status.endpoint = conversation.provider.endpoint.name
    status.model = conversation.model
    status.progress = conversation.progress
    status.context = conversation.context()
    status.needs_key = conversation.provider.endpoint.needs_key
    status.window = conversation.window
    if not conversation.progress.running:
        status.cost, status.may_cost = conversation.cost(), conversation.may_cost


def mode_of(transcript: Transcript) -> str:
    """Return what keys do while the pane has the focus; "" while it does not."""
    if not transcript.has_focus:
        return ""
    return "Type a letter · esc cancel" if transcript.lines.letters else "Messages · esc prompt"


def hints_for(transcript: Transcript, keymap: Mapping[str, str], width: int) -> str:
    """Return the keys that work where the focus is, as many as fit `width` cells of a border."""
    in_pane = transcript.has_focus
    keys = key_hints(keymap, *(PANE_HINTS if in_pane else PROMPT_HINTS))
    return fit_hints([*keys, "esc prompt"] if in_pane else keys, width - BORDER_CELLS)
