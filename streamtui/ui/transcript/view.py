"""TranscriptView: one widget that paints only the lines in view, on one frame clock, and follows the end."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Self

from textual import events
from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from streamtui.core.message import Delta, Message
from streamtui.error_log import LOG
from streamtui.ui.transcript.entry import Entry
from streamtui.ui.transcript.flow import Flow, Place
from streamtui.ui.transcript.lines import LinePainter
from streamtui.ui.widgets.line_cache import CachedRows

FRAME = 1 / 30
"""Seconds between frames at least, whatever the source of change."""
GUTTER = 2
"""Cells left of the text: a bar and a space."""
BAR = 1
"""Cells for the scrollbar, at the right."""


class TranscriptView(ScrollView, can_focus=True):
    """The messages of a conversation, one below another.

    Leans on Textual in places that its documentation does not promise, each with a test in
    tests/ui/test_textual_contract.py: the compositor paints by `render_lines` and hit-tests by `render_line`;
    setting `virtual_size` and `scroll_y` past their watchers lays out nothing; a selection takes its offsets
    from ``offset`` in a segment's meta.
    """

    DEFAULT_CSS = """
    TranscriptView { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 0; }
    """

    following: var[bool] = var(True)
    """Whether the end stays in view as it grows."""

    def __init__(self, *, id: str | None = None) -> None:
        self._rows = CachedRows()
        super().__init__(id=id)
        self.flow = Flow()
        self.lines = LinePainter(self, self.flow)
        self._pending: list[Delta] = []
        self.is_behind = False
        """Whether showing the growing message has failed; `load` then shows it whole."""
        self._frame_due = False
        self._last_frame = 0.0
        self._seen = 0
        self._dragging = False

    # Content

    def load(self, messages: Iterable[Message], variants: Mapping[str, tuple[int, int]] | None = None) -> None:
        """Shows `messages` in place of what was there, and goes to the end. `variants`: which of how many siblings."""
        self._pending.clear()
        self.is_behind = False
        self.lines.reset()
        self.flow.load(messages, variants or {})
        self.following = True
        self.settle()

    def add(self, message: Message, *, growing: bool = False, variant: tuple[int, int] | None = None) -> Entry:
        """Adds `message` at the end. A growing one takes the pieces of `append` until `finish`."""
        self._flush()
        entry = self.flow.add(message, growing=growing, variant=variant)
        self.settle()
        return entry

    def resume(self) -> None:
        """Lets the last message grow again."""
        self._flush()
        self.flow.resume()
        self.settle()

    def append(self, delta: Delta) -> None:
        """Adds a piece to the growing message; it is shown with the next frame."""
        if self.is_behind:
            return
        if delta.text_was_reasoning and self._growing is not None:
            self._flush()
            self.flow.take_text_as_reasoning()
            self.settle()
        self._pending.append(delta)
        self._request_frame()

    def _request_frame(self) -> None:
        if not self._frame_due:
            self._frame_due = True
            # loop.call_later, not set_timer: a Textual timer is a task of its own, made anew for every frame.
            delay = max(0.0, self._last_frame + FRAME - monotonic())
            asyncio.get_running_loop().call_later(delay, self.call_next, self._frame)

    def finish(self) -> None:
        """Ends the growing message: the rest is shown, and how it ended."""
        self._flush()
        if (entry := self._growing) is None or self.is_behind:
            return
        with self._noting_failure():
            entry.end()
            self.flow.exact(len(self.flow.entries) - 1, again=True)
            self._parse()
            self.settle()

    def follow(self) -> None:
        """Goes to the end and stays there as it grows."""
        self.following = True
        self.settle()

    @property
    def lines_below(self) -> tuple[int, bool]:
        """How many lines are below the view, and whether they came since the user left the end."""
        bottom = int(self.scroll_y) + self.size.height
        new = self.flow.total - max(self._seen, bottom)
        return (new, True) if new > 0 else (max(0, self.flow.total - bottom), False)

    @property
    def _growing(self) -> Entry | None:
        entries = self.flow.entries
        return entries[-1] if entries and entries[-1].growing else None

    def _frame(self) -> None:
        self._frame_due = False
        self._last_frame = monotonic()
        self._flush()

    def _flush(self) -> None:
        deltas, self._pending = self._pending, []
        with self._noting_failure():
            if deltas and self._growing is not None:
                self.flow.grow(Delta("".join(d.text for d in deltas), "".join(d.reasoning for d in deltas)))
            self._parse()

    def _parse(self) -> None:
        """Shows more of what is not parsed yet; what stands at the top of the view stays there, unless it follows."""
        if not self.flow.is_parsing:
            return
        index, within = self.flow.index_at(int(self.scroll_y))
        below = self.flow.height(index) - within
        is_ahead = within >= self.flow.entries[index].height  # in the room that is kept for what is not parsed
        changed: int | None = self.flow.parse()
        if is_ahead:
            within = max(0, self.flow.height(index) - below)
        shift = self.flow.top(index) + within - int(self.scroll_y)
        if shift and not self.following:
            changed = None
            self._seen += shift
            self._resize_virtual()
            self.jump(self.scroll_y + shift)
        self.settle(changed_from=changed)

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        """Takes what goes wrong with showing a reply for a reason to stop showing it, not to stop the reply."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - logged, and the reply is shown again when it has ended
            LOG.error("The reply can't be shown while it arrives", exc_info=error)
            self.is_behind = True

    # Geometry

    def settle(self, *, changed_from: int | None = None) -> None:
        """Brings heights, virtual size and scroll position together, and repaints what changed, or everything."""
        if not self.size or not self.flow.width:
            return
        self.flow.keeps_room = not self.following
        if self.flow.is_parsing:
            self._request_frame()
        if self.following:
            self.flow.measure_end(2 * self.size.height)
        else:
            self._measure_around(int(self.scroll_y))
        bottom = max(self.virtual_size.height, self.flow.total)  # a table that got wider leaves rows to be cleared
        self._resize_virtual()
        before = self.scroll_y
        if self.following:
            self.jump(self.max_scroll_y)
        if self.scroll_y != before or changed_from is None:
            self.refresh()
        else:
            self._refresh_between(changed_from - int(self.scroll_y), bottom - int(self.scroll_y))

    def _refresh_between(self, y: int, bottom: int) -> None:
        width, height = self.size
        bottom = min(height, bottom)
        if max(0, y) < bottom:
            self.refresh(Region(0, max(0, y), width, bottom - max(0, y)))
        elif not self.following:
            self.refresh(Region(0, height - 1, width, 1))

    def _measure_around(self, line: int) -> None:
        """Makes heights exact around the view; what stands at its top stays there."""
        self.flow.keeps_room = not self.following
        if shift := self.flow.measure_around(line, self.size.height):
            self._seen += shift
            self._resize_virtual()
            self.jump(line + shift)

    def _resize_virtual(self) -> None:
        size = Size(self.size.width, self.flow.total)
        if size != self.virtual_size:
            # Past the watcher: it would lay the whole screen out again for every new line.
            self.set_reactive(Widget.virtual_size, size)
        self._place_thumb()

    def jump(self, line: float) -> None:
        """Scrolls past the watcher, which is for the user's own scrolling."""
        self.set_scroll(None, max(0, min(line, self.max_scroll_y)))
        self.set_reactive(Widget.scroll_target_y, self.scroll_y)
        self._place_thumb()

    def page(self, pages: float) -> None:
        """Scrolls by pages less two lines: one to read on from, one for the badge at the bottom."""
        self.scroll_relative(y=pages * max(1, self.size.height - 2), animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Repaints, and leaves or takes up following as the user scrolls."""
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)
        was, self.following = self.following, new_value >= self.max_scroll_y
        if was and not self.following:
            self._seen = self.flow.total
        self._seen = max(self._seen, int(new_value) + self.size.height)
        self._measure_around(int(new_value))
        self._resize_virtual()

    def on_resize(self, event: events.Resize) -> None:
        """Lays out again; the line at the top stays there, or the end if it was followed."""
        event.stop()
        width = max(4, self.size.width - GUTTER - BAR - 1)
        if width == self.flow.width:
            self.settle()
            return
        place = self._place_at_top()
        self.lines.clear()
        self.flow.resize(width)
        if place is not None:
            self._return_to(*place)
        self.settle()

    def _place_at_top(self) -> tuple[Place, int] | None:
        """What stands at the top, and which character of its block; None where the end is followed."""
        place = None if self.following else self.flow.at(int(self.scroll_y))
        if place is None:
            return None
        return place, place.spot.block.line(place.spot.line)[0] if place.spot is not None else 0

    def _return_to(self, place: Place, character: int) -> None:
        self.flow.exact(place.entry)
        entry, spot = self.flow.entries[place.entry], place.spot
        line = entry.line_of(spot.section, spot.number, character) if spot else min(place.line, entry.height - 1)
        self._resize_virtual()
        self.jump(self.flow.top(place.entry) + line)
        self._seen = max(0, self.flow.total - self.size.height)

    # The scrollbar is painted with the lines: Textual's own takes 0.85 ms a frame, three times the text.

    def _place_thumb(self) -> None:
        height, total = self.size.height, self.flow.total
        thumb = range(0)
        if total > height > 0:
            length = max(1, height * height // total)
            top = round((height - length) * self.scroll_y / (total - height))
            thumb = range(top, top + length)
        if thumb != self.lines.thumb:
            self.lines.thumb = thumb
            self.refresh(Region(self.size.width - BAR, 0, BAR, height))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Starts dragging the thumb."""
        if event.x >= self.size.width - BAR and self.lines.thumb:
            event.stop()
            self.capture_mouse()
            self._dragging = True
            self._drag_to(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drags the thumb."""
        if self._dragging:
            self._drag_to(event.y)

    def on_mouse_up(self) -> None:
        """Lets the thumb go."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _drag_to(self, y: float) -> None:
        length = len(self.lines.thumb)
        share = (y - length / 2) / max(1, self.size.height - length)
        self.scroll_to(y=share * self.max_scroll_y, animate=False)

    # Painting

    def notify_style_update(self) -> None:
        """Makes the styles again, for the lines in view only."""
        super().notify_style_update()
        self.lines.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paints the lines of `crop`; of those painted before, only what has changed."""
        if self.flow.is_parsing:
            self._request_frame()
        self.lines.width, height = self.size
        top = int(self.scroll_y)
        stale = self._rows.stale_rows(height)
        rows = self._rows.update(stale.start, [self._painted(top + y, y) for y in stale])
        if not self.following and rows:
            rows[-1] = self.lines.badge(height - 1, *self.lines_below)
        if (crop.x, crop.width) != (0, self.size.width):
            rows = [row.crop(crop.x, crop.right) for row in rows]
        return rows[crop.y : crop.bottom]

    def _painted(self, line: int, y: int) -> Strip:
        try:
            return self.lines.paint(line, y)
        except Exception as error:  # noqa: BLE001 - logged; raised here it would end the app
            LOG.error("A line can't be painted", exc_info=error)
            return Strip.blank(self.size.width)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Paints again what has changed."""
        self._rows.invalidate(regions)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_line(self, y: int) -> Strip:
        """Returns line `y` with the place of every character, for the compositor's hit tests."""
        self.lines.width = self.size.width
        return self.lines.located(int(self.scroll_y) + y)
