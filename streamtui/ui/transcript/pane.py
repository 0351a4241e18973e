"""Transcript: the conversation pane as the user reads it: walking, selecting, copying, finding, links."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events, message
from textual.selection import Selection
from textual.widget import Widget

from streamtui.core.message import Message, Role
from streamtui.ui.bindings import bindings_for
from streamtui.ui.transcript.find import Finder, Hit
from streamtui.ui.transcript.notes import Label
from streamtui.ui.transcript.paint import cells
from streamtui.ui.transcript.selection import Bounds, place, text_between
from streamtui.ui.transcript.targets import Target, code_of, lettered, targets_in, url_of
from streamtui.ui.transcript.view import GUTTER, TranscriptView

if TYPE_CHECKING:
    from streamtui.core.search_query import Query

SIDEWAYS = 8
"""Cells that cut code is moved by at a time."""


class Transcript(TranscriptView):
    """The conversation pane. What it can't do itself it asks of the screen by messages."""

    ALLOW_SELECT = True
    FOCUS_ON_CLICK = False  # or the letters typed next would be commands
    BINDINGS = bindings_for(
        "conversation",
        by_screen=("edit_prompt", "fork", "previous_sibling", "next_sibling", "find"),
    )

    @dataclass
    class Copy(message.Message):
        """The user wants `text` in the clipboard."""

        text: str

    @dataclass
    class Open(message.Message):
        """The user wants the page at `url`."""

        url: str

    @dataclass
    class Chosen(message.Message):
        """The user typed the letter of a code block or link."""

        target: Target

    @dataclass
    class Hovered(message.Message):
        """The mouse is over a link to `url`, or over none any more."""

        url: str

    @dataclass
    class Typed(message.Message):
        """The user typed something that means nothing here."""

        text: str

    class Left(message.Message):
        """The user is done with the conversation and goes back to the prompt."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.finder = Finder(self.flow)
        self.lines.finder = self.finder
        self._typed = ""
        self._focused_before: Widget | None = None
        """What had the focus before letters were shown."""
        self._hover = ""
        self._pressed = (-1, -1)

    def load(self, messages: Iterable[Message], variants: Mapping[str, tuple[int, int]] | None = None) -> None:
        """Shows `messages` in place of what was there; a search goes on in them."""
        self._drop_letters()
        super().load(messages, variants)
        self.finder.again()
        if self in self.screen.selections:
            self.screen.clear_selection()

    # Walking

    def walk(self, by: int) -> None:
        """Moves the cursor to the message below or above, and shows it from its top."""
        if not self.flow.entries:
            return
        at = self.lines.cursor
        if at is None:
            index, line = self.flow.index_at(int(self.scroll_y))
            at = index + 1 if by < 0 and line > 0 else index if by < 0 else index - (line == 0)
            at = len(self.flow.entries) if self.following and by < 0 else at
        self.lines.cursor = max(0, min(len(self.flow.entries) - 1, at + by))
        self.show_line(self.flow.top(self.lines.cursor))

    def show_line(self, line: int, *, above: int = 0) -> None:
        """Scrolls so that `line` of the flow stands at the top, with some lines above it."""
        self._measured_jump(max(0, line - above))

    def _measured_jump(self, line: int) -> None:
        self.following = False
        self._seen = max(self._seen, self.flow.total)
        self.jump(line)
        self.settle()
        self.following = self.scroll_y >= self.max_scroll_y
        self.refresh()

    @property
    def chosen_entry(self) -> int | None:
        """The entry the cursor is on; else the newest reply, else the last entry; None where there is none."""
        entries = self.flow.entries
        if self.lines.cursor is not None and self.lines.cursor < len(entries):
            return self.lines.cursor
        replies = [i for i in range(len(entries) - 1, -1, -1) if entries[i].message.role is Role.ASSISTANT]
        return replies[0] if replies else len(entries) - 1 if entries else None

    def action_line_up(self) -> None:
        """Scrolls up a line."""
        self.scroll_relative(y=-1, animate=False)

    def action_line_down(self) -> None:
        """Scrolls down a line."""
        self.scroll_relative(y=1, animate=False)

    def action_half_page_up(self) -> None:
        """Scrolls up half a page."""
        self.page(-0.5)

    def action_half_page_down(self) -> None:
        """Scrolls down half a page."""
        self.page(0.5)

    def action_top(self) -> None:
        """Goes to the first message."""
        self.lines.cursor = None
        self._measured_jump(0)

    def action_end(self) -> None:
        """Goes to the end and follows."""
        self.lines.cursor = None
        self.follow()

    # Copying and folding

    def action_copy_message(self) -> None:
        """Copies the message as it was written."""
        if (index := self.chosen_entry) is not None:
            self.post_message(self.Copy(self.flow.entries[index].text))

    def action_copy_code(self) -> None:
        """Copies the last code block of the message."""
        index = self.chosen_entry
        blocks = [] if index is None else [block for _, _, block in self.flow.entries[index].blocks()]
        if codes := [block for block in blocks if block.kind == "code"]:
            self.post_message(self.Copy(code_of(codes[-1])))
        else:
            self.notify("There is no code in this message.", markup=False, timeout=2)

    def action_fold(self) -> None:
        """Folds or unfolds the reasoning of the message."""
        if (index := self.chosen_entry) is not None:
            self.toggle(index)

    def toggle(self, index: int) -> None:
        """Folds or unfolds the reasoning of entry `index`."""
        self.flow.entries[index].toggle()
        self.flow.exact(index)
        self.settle()

    def action_wrap(self) -> None:
        """Wraps wide code, or cuts it and lets it be moved sideways."""
        self.lines.shift = 0
        self.flow.wrap_code(not self.flow.wraps_code)
        self.lines.clear()
        self.settle()
        how = "wrapped" if self.flow.wraps_code else "cut; h and l move it sideways"
        self.notify(f"Wide code is {how}.", markup=False, timeout=2)

    def action_scroll_left(self) -> None:
        """Moves cut code to the left."""
        self._move_sideways(-SIDEWAYS)

    def action_scroll_right(self) -> None:
        """Moves cut code to the right."""
        self._move_sideways(SIDEWAYS)

    def _move_sideways(self, by: int) -> None:
        if not self.flow.wraps_code:
            top = int(self.scroll_y)
            places = [self.flow.at(line) for line in range(top, top + self.size.height)]
            widths = [
                cells(place.spot.text) for place in places if place is not None and place.spot and place.spot.is_code
            ]
            most = max(widths, default=0) - self.flow.width + SIDEWAYS
            self.lines.shift = max(0, min(self.lines.shift + by, most))
            self.lines.clear()
            self.refresh()

    # Finding

    def find(self, query: str) -> None:
        """Marks every place where `query` stands and goes to the nearest one; "" ends the search."""
        self.finder.search(query)
        self.refresh()
        if query:
            self.step(1)

    def step(self, by: int) -> None:
        """Goes to the next hit, or with -1 to the one before."""
        index, _ = self.flow.index_at(int(self.scroll_y))
        hit = self.finder.step(by, index)
        if hit is not None:
            self.show_line(self._line_of(hit), above=self.size.height // 3)

    def show_message(self, message_id: str, words: "Query | None" = None) -> None:
        """Scrolls to a message, with the cursor on it; where it holds `words`, which are marked everywhere, to them."""
        if words:
            self.finder.search("", words)
        index = next((i for i, entry in enumerate(self.flow.entries) if entry.message.id == message_id), None)
        if index is None:
            return
        self.lines.cursor = index
        hit = self.finder.step_to(index) if words else None
        line, above = (self.flow.top(index), 0) if hit is None else (self._line_of(hit), self.size.height // 3)
        self.show_line(line, above=above)

    def _line_of(self, hit: Hit) -> int:
        index, section, number = place(hit.address)
        self.flow.exact(index)
        return self.flow.top(index) + self.flow.entries[index].line_of(section, number, hit.start)

    def action_next_match(self) -> None:
        """Goes to the next hit."""
        self.step(1)

    def action_previous_match(self) -> None:
        """Goes to the hit before."""
        self.step(-1)

    # Letters on code blocks and links

    def action_hints(self) -> None:
        """Puts a letter on every code block and link in view."""
        before = self._focused_before if self.lines.letters else self.screen.focused
        self._drop_letters()
        top = int(self.scroll_y)
        self.lines.letters = lettered(targets_in(self.flow, range(top, top + self.size.height)))
        if not self.lines.letters:
            self.notify("There is no code and no link in view.", markup=False, timeout=2)
            return
        self._typed, self._focused_before = "", before
        self.refresh()
        self.screen.set_focus(self)

    def _drop_letters(self) -> None:
        """Stop waiting for a letter: the next ones go where they went before."""
        if not self.lines.letters:
            return
        self.lines.letters = {}
        self.refresh()
        before, self._focused_before = self._focused_before, None
        if before is not None and before.is_attached:
            self.screen.set_focus(before)
        else:
            self.action_leave()

    async def _on_key(self, event: events.Key) -> None:
        """While letters are shown, takes the one that is typed; else what is no key here is written in the prompt."""
        if not self.lines.letters:
            if event.is_printable and event.key not in self.screen.active_bindings:
                event.stop()
                self.post_message(self.Typed(event.character or ""))
            return
        event.stop()
        event.prevent_default()
        self._typed += event.key
        target = self.lines.letters.get(self._typed)
        if target is None and any(letters.startswith(self._typed) for letters in self.lines.letters):
            return
        self._drop_letters()
        if target is not None:
            self.post_message(self.Chosen(target))

    def clear_marks(self) -> bool:
        """Takes letters and the cursor away; False where there was nothing."""
        marked = bool(self.lines.letters) or self.lines.cursor is not None
        self._drop_letters()
        self.lines.cursor = None
        if marked:
            self.refresh()
        return marked

    def action_leave(self) -> None:
        """Goes back to the prompt."""
        self.lines.cursor = None
        self.refresh()
        self.post_message(self.Left())

    # Selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Returns the selected text as it was written."""
        text = text_between(self.flow, self.lines.selection or self._bounds(selection))
        return (text, "\n") if text else None

    def selection_updated(self, selection: Selection | None) -> None:
        """Paints what is selected."""
        self.lines.selection = None if selection is None else self._bounds(selection)
        self.refresh()

    def _bounds(self, selection: Selection) -> Bounds:
        """Return where `selection` starts and ends; one that was dragged out of the pane ends at its edge."""
        start, end = ((offset.y, offset.x) if offset is not None else None for offset in selection)
        top = int(self.scroll_y)
        if start is None and end is not None:
            start = self.lines.start_of(top)
        elif end is None and start is not None:
            end = self.lines.end_of(top + self.size.height - 1)
        return start, end

    # The mouse

    def _url_at(self, x: int, y: int) -> str:
        found = self.flow.at(int(self.scroll_y) + y)
        if found is None or found.spot is None:
            return ""
        column = GUTTER
        spot = found.spot
        for text, names in [*spot.block.prefix(spot.line), *spot.block.line(spot.line)[1]]:
            column += cells(text)
            if x < column:
                return url_of(names) if x >= GUTTER else ""
        return ""

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drags the thumb, or tells which link the mouse is over."""
        super().on_mouse_move(event)
        if (url := self._url_at(event.x, event.y)) != self._hover:
            self._hover = url
            self.post_message(self.Hovered(url))

    def on_leave(self) -> None:
        """Notes that no link is under the mouse any more."""
        if self._hover:
            self._hover = ""
            self.post_message(self.Hovered(""))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Note where the button was pressed, or start dragging the thumb; what is typed next goes to the prompt."""
        if self.has_focus:
            self.clear_marks()
            self.action_leave()
        self._pressed = (event.x, event.y)
        super().on_mouse_down(event)

    async def _on_click(self, event: events.Click) -> None:
        """Unfolds what is folded, follows links, selects a block by two clicks."""
        event.stop()
        event.prevent_default()  # Widget's own handler would select everything at a double click.
        if (event.x, event.y) != self._pressed:
            return  # the end of a drag: Textual calls it a click because it began in the same widget
        if url := self._url_at(event.x, event.y):
            self.post_message(self.Open(url))
            return
        found = self.flow.at(int(self.scroll_y) + event.y)
        if found is None or found.spot is None:
            return
        if isinstance(found.spot.block, Label) and found.spot.block.folds:
            self.toggle(found.entry)
        elif event.chain == 2:
            self.screen.selections = {self: self.lines.whole_block(found)}
