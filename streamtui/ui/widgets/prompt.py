"""Prompt: the box the user writes in."""

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
"""Characters from which a paste becomes an attachment: one line of 100 KB costs TextArea 0.5 s a key."""

BURST = 0.035
"""Seconds between two keys up to which nobody typed them: a terminal without bracketed paste pastes as keys. On a
busy machine keys of one write arrive more than 0.015 s apart."""
HOLD = 0.04
"""Seconds that enter at the end of a burst waits for more of it."""


class _Draft(NamedTuple):
    """A prompt as it stood in the box."""

    text: str
    attachments: tuple[Attachment, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.attachments)


class Prompt(CachedLines, TextArea):
    """A multi-line box in which enter sends."""

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
        self._draft = _Draft("")
        self._typed = 0.0
        """When the newest letter or enter arrived."""
        self._held: Timer | None = None
        """Runs while it is not known whether enter ends a line of a paste or the prompt."""
        self._pastes_lines = False

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What goes with the prompt."""
        return tuple(self._attachments)

    async def _on_key(self, event: events.Key) -> None:
        """Does what a key of the prompt does when its turn comes.

        A binding would not wait for it: Textual runs those when the key arrives, before the letters typed ahead of
        it have been written, and enter would send half of what was typed.
        """
        action = "" if event.is_printable else self._action_of(event.key)
        in_burst = self._is_in_burst(event) if event.is_printable or action == "submit" else False
        if self._held is not None:
            self._release(newline=in_burst)
        if not action:
            return
        event.stop()
        event.prevent_default()
        if action == "submit" and in_burst:
            # Behind all keys that have arrived: in the app's queue first, then in the prompt's.
            later = partial(self.app.call_later, self.call_later, self._release)
            self._held = self.set_timer(HOLD, later)
        else:
            await self.run_action(action)

    def _action_of(self, key: str) -> str:
        bound = self.screen.active_bindings.get(key)
        return bound.binding.action if bound is not None and bound.node is self else ""

    def _is_in_burst(self, event: events.Key) -> bool:
        """Whether the key came so soon after the one before that nobody typed it."""
        in_burst = event.time - self._typed < BURST
        self._typed = event.time
        self._pastes_lines = self._pastes_lines and in_burst
        return in_burst

    def _release(self, newline: bool = False) -> None:
        """Takes the enter that was held for a line end, if more came or there were others before, or sends."""
        if self._held is None:
            return
        self._held.stop()
        self._held = None
        if newline or self._pastes_lines:
            self._pastes_lines = True
            self.action_newline()
        else:
            self.action_submit()

    def action_submit(self) -> None:
        """Sends what is written, unless there is nothing."""
        written = _Draft(self.text.strip("\n"), self.attachments)
        if not written:
            return
        if self._at < len(self._history):
            self._remember(self._draft)
        self._remember(written)
        self.reset()
        self.post_message(self.Submitted(*written))

    def action_delete_left(self) -> None:
        """Delete the character to the left; at the very beginning, remove the last attachment."""
        if self._attachments and self.selection.is_empty and self.cursor_at_start_of_text:
            self._attachments.pop()
            self._show_attachments()
        else:
            super().action_delete_left()

    def action_newline(self) -> None:
        """Starts a new line."""
        self._replace_via_keyboard("\n", *self.selection)

    def reset(self, text: str = "", attachments: tuple[Attachment, ...] = ()) -> None:
        """Puts `text` in place of what is written, the cursor behind it."""
        self.load_text(text)
        self.move_cursor(self.document.end)
        self._attachments = list(attachments)
        self._show_attachments()

    def _remember(self, written: "_Draft") -> None:
        if written and self._history[-1:] != [written]:
            self._history.append(written)
        self._at = len(self._history)

    def add_to_history(self, text: str, attachments: tuple[Attachment, ...] = ()) -> None:
        """Puts a prompt into the history, where the up key finds it."""
        self._stashed.append(_Draft(text, attachments))
        self._remember(self._stashed[-1])

    def set_history(self, texts: list[str]) -> None:
        """Takes `texts`, oldest first, as the earlier prompts; what was put away comes after them."""
        self._history = [*(_Draft(text) for text in texts), *self._stashed]
        self._at = len(self._history)

    def stash(self) -> bool:
        """Moves the draft into the history and clears the box; False when there was none."""
        written = _Draft(self.text, self.attachments)
        if not written:
            return False
        self._stashed.append(written)
        self._remember(written)
        self.reset()
        return True

    def action_previous(self) -> None:
        """Goes a line up, from the first line to the earlier prompt."""
        if not self.cursor_at_first_line:
            self.action_cursor_up()
        else:
            self._step(-1)

    def action_next(self) -> None:
        """Goes a line down, from the last line to the later prompt."""
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
        """Inserts what was pasted, cleaned; much of it becomes an attachment."""
        event.stop()
        event.prevent_default()
        self._take(event.text)

    def action_paste(self) -> None:
        """Inserts what was copied in the app."""
        self._take(self.app.clipboard)

    def _take(self, pasted: str) -> None:
        text = clean(pasted.replace("\r\n", "\n").replace("\r", "\n"))
        if len(text) > LARGE_PASTE:
            self._take_file(text)
        elif result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def _take_file(self, text: str) -> None:
        name = f"pasted-{len(self._attachments) + 1}.txt"
        self._attachments.append(Attachment(name, "text/plain", text.encode()))
        self._show_attachments()

    def _show_attachments(self) -> None:
        names = ", ".join(f"{file.name} ({len(file.data) / 1024:.0f} KB)" for file in self._attachments)
        self.border_title = f"with {names} · backspace removes" if names else ""
