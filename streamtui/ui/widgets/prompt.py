"""The prompt: a text area with history, attachments and paste detection."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from textual import events, message
from textual.timer import Timer
from textual.widgets import TextArea

from streamtui.core.message import Attachment
from streamtui.core.sanitize import clean
from streamtui.ui.bindings import bindings_for
from streamtui.ui.widgets.line_cache import CachedLines

LARGE_PASTE = 8_000
"""Characters above which a paste becomes an attachment: with a line of 100 KB, TextArea takes 0.5 s per key."""

BURST = 0.035
"""Seconds between two keys below which they are taken as pasted, not typed: a terminal without bracketed paste sends
pastes as keys. On a busy machine, keys of a single write arrive more than 0.015 s apart."""
HOLD = 0.04
"""Seconds that enter at the end of a burst waits for more keys."""


class _Draft(NamedTuple):
    """The contents of the prompt."""

    text: str
    attachments: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.attachments)


class Prompt(CachedLines, TextArea):
    """A text area in which enter sends the prompt."""

    BINDINGS = bindings_for("prompt", by_screen=("search_history", "edit_externally"))

    @dataclass
    class Submitted(message.Message):
        """The user sent the prompt."""

        text: str
        attachments: tuple[Attachment, ...] = ()

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, highlight_cursor_line=False, placeholder="Write a prompt")
        self._attachments: list[Attachment] = []
        self._history: list[_Draft] = []
        self._stashed: list[_Draft] = []
        self._at = 0
        """Index in the history; its length while the draft is shown."""
        self._draft = _Draft("")
        self._last_key = 0.0
        """Time of the last printable key or enter."""
        self._held_enter: Timer | None = None
        """Runs until it is clear whether enter was pasted or sends the prompt."""
        self._is_pasting_lines = False

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files attached to the prompt."""
        return tuple(self._attachments)

    async def _on_key(self, event: events.Key) -> None:
        """Run the prompt's actions in the order of the keys.

        Textual runs a binding when the key arrives, before letters typed ahead of it have been inserted, so that
        enter would send half of the prompt.
        """
        action = "" if event.is_printable else self._action_of(event.key)
        in_burst = self._is_in_burst(event) if event.is_printable or action == "submit" else False
        if self._held_enter is not None:
            self._release(newline=in_burst)
        if not action:
            return
        event.stop()
        event.prevent_default()
        if action == "submit" and in_burst:
            # After all keys that have arrived: those in the app's queue, then those in the prompt's.
            later = partial(self.app.call_later, self.call_later, self._release)
            self._held_enter = self.set_timer(HOLD, later)
        else:
            await self.run_action(action)

    def _action_of(self, key: str) -> str:
        bound = self.screen.active_bindings.get(key)
        return bound.binding.action if bound is not None and bound.node is self else ""

    def _is_in_burst(self, event: events.Key) -> bool:
        """Return whether the key came too soon after the last one to be typed."""
        in_burst = event.time - self._last_key < BURST
        self._last_key = event.time
        self._is_pasting_lines = self._is_pasting_lines and in_burst
        return in_burst

    def _release(self, newline: bool = False) -> None:
        """Handle the held enter: insert a line break in a paste of several lines, otherwise send the prompt."""
        if self._held_enter is None:
            return
        self._held_enter.stop()
        self._held_enter = None
        if newline or self._is_pasting_lines:
            self._is_pasting_lines = True
            self.action_newline()
        else:
            self.action_submit()

    def action_submit(self) -> None:
        """Send the prompt unless it is empty."""
        draft = _Draft(self.text.strip("\n"), self.attachments)
        if not draft:
            return
        if self._at < len(self._history):
            self._remember(self._draft)
        self._remember(draft)
        self.reset()
        self.post_message(self.Submitted(*draft))

    def action_delete_left(self) -> None:
        """Delete the character to the left; at the very beginning, remove the last attachment."""
        if self._attachments and self.selection.is_empty and self.cursor_at_start_of_text:
            self._attachments.pop()
            self._show_attachments()
        else:
            super().action_delete_left()

    def action_newline(self) -> None:
        """Insert a line break."""
        self._replace_via_keyboard("\n", *self.selection)

    def reset(self, text: str = "", attachments: tuple[Attachment, ...] = ()) -> None:
        """Replace the contents and move the cursor to the end."""
        self.load_text(text)
        self.move_cursor(self.document.end)
        self._attachments = list(attachments)
        self._show_attachments()

    def _remember(self, draft: _Draft) -> None:
        if draft and self._history[-1:] != [draft]:
            self._history.append(draft)
        self._at = len(self._history)

    def add_to_history(self, text: str, attachments: tuple[Attachment, ...] = ()) -> None:
        """Add a prompt to the history without showing it."""
        draft = _Draft(text, attachments)
        self._stashed.append(draft)
        self._remember(draft)

    def set_history(self, texts: list[str]) -> None:
        """Set the history to `texts`, oldest first, followed by the stashed prompts."""
        self._history = [*(_Draft(text) for text in texts), *self._stashed]
        self._at = len(self._history)

    def stash(self) -> bool:
        """Move the draft into the history. Return False if it is empty."""
        if not _Draft(self.text, self.attachments):
            return False
        self.add_to_history(self.text, self.attachments)
        self.reset()
        return True

    def action_previous(self) -> None:
        """Move up one line, or from the first line to the previous prompt."""
        if not self.cursor_at_first_line:
            self.action_cursor_up()
        else:
            self._step(-1)

    def action_next(self) -> None:
        """Move down one line, or from the last line to the next prompt."""
        if not self.cursor_at_last_line:
            self.action_cursor_down()
        else:
            self._step(1)

    def _step(self, by: int) -> None:
        at = self._at + by
        if not 0 <= at <= len(self._history):
            return
        if self._at == len(self._history):
            self._draft = _Draft(self.text, self.attachments)
        self._at = at
        self.reset(*(self._history[at] if at < len(self._history) else self._draft))

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert the sanitized paste, or attach it if it is large."""
        event.stop()
        event.prevent_default()
        self._insert_paste(event.text)

    def action_paste(self) -> None:
        """Paste the app's clipboard."""
        self._insert_paste(self.app.clipboard)

    def _insert_paste(self, pasted: str) -> None:
        text = clean(pasted.replace("\r\n", "\n").replace("\r", "\n"))
        if len(text) > LARGE_PASTE:
            name = f"pasted-{len(self._attachments) + 1}.txt"
            self._attachments.append(Attachment(name, "text/plain", text.encode()))
            self._show_attachments()
        elif result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def _show_attachments(self) -> None:
        names = ", ".join(f"{file.name} ({len(file.data) / 1024:.0f} KB)" for file in self._attachments)
        self.border_title = f"{names} · backspace removes" if names else ""
