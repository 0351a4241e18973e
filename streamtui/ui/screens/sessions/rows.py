"""Rows of the list: sessions grouped by day, search hits grouped by session."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from streamtui.core.session import SessionSummary
from streamtui.storage import SearchHit

MAX_TITLES = 6
"""Maximum number of title matches shown above the messages; the others are behind a "show more" row."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a group of rows."""

    text: str
    session: SessionSummary | None = None
    """The session of the search hits below."""


@dataclass(frozen=True, slots=True)
class ShowMore:
    """A row that shows the hidden title matches."""

    hidden: int


Row = Heading | SessionSummary | SearchHit | ShowMore


def session_of(row: Row | None) -> SessionSummary | None:
    """Return the session of a row, or None if it has none."""
    if isinstance(row, SearchHit):
        return row.session
    return row if isinstance(row, SessionSummary) else None


def group_by_day(sessions: Iterable[SessionSummary], today: date, last: str = "") -> list[Row]:
    """Return the sessions below headings for pinned ones and for each day; `last` is the heading before them."""
    rows: list[Row] = []
    for summary in sessions:
        heading = "Pinned" if summary.pinned else day_label(date.fromtimestamp(summary.updated), today)
        if heading != last:
            rows.append(Heading(heading))
            last = heading
        rows.append(summary)
    return rows


def title_matches(sessions: list[SessionSummary], *, show_all: bool) -> list[Row]:
    """Return the sessions whose titles match below a heading."""
    shown = sessions if show_all or len(sessions) <= MAX_TITLES + 1 else sessions[:MAX_TITLES]
    rows: list[Row] = [Heading("In titles"), *shown] if sessions else []
    return [*rows, ShowMore(len(sessions) - len(shown))] if len(shown) < len(sessions) else rows


def group_by_session(hits: Iterable[SearchHit], last: str = "") -> list[Row]:
    """Return the hits below headings for each session; `last` is the id of the session before them."""
    rows: list[Row] = []
    for hit in hits:
        if hit.session_id != last:
            rows.append(Heading(hit.title, hit.session))
            last = hit.session_id
        rows.append(hit)
    return rows


def day_label(day: date, today: date) -> str:
    """Return ``Today``, ``Yesterday``, ``Mon 16 Nov``, or ``Mon 16 Nov 2025`` in another year."""
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%a} {day.day} {day:%b}" + (f" {day.year}" if day.year != today.year else "")


def short_date(moment: float, today: date) -> str:
    """Return a time today, a day of this year, or a month, in at most 8 characters."""
    when = datetime.fromtimestamp(moment)
    if when.date() >= today:
        return f"{when:%H:%M}"
    return f"{when.day} {when:%b}" if when.year == today.year else f"{when:%b} {when.year}"


def counted(number: int, noun: str, *, more: bool = False) -> str:
    """Return the number with its noun, such as ``1 session`` or ``200+ titles`` if there are `more`."""
    return f"{number:,}{'+' * more} {noun}{'' if number == 1 else 's'}"
