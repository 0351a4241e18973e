"""Rows: the lines of the list: sessions under their days, hits under their sessions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from streamtui.core.session import SessionSummary
from streamtui.storage import SearchHit

TITLES = 6
"""So many sessions with the words in their title are shown above the messages; the rest is unfolded."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the rows below have in common."""

    text: str
    session: SessionSummary | None = None
    """The session that the hits below belong to."""


@dataclass(frozen=True, slots=True)
class Unfold:
    """A row that stands for more of its kind."""

    hidden: int


Row = Heading | SessionSummary | SearchHit | Unfold


def session_of(row: Row | None) -> SessionSummary | None:
    """Returns the session that a row is about; None where it is about none."""
    if isinstance(row, SearchHit):
        return row.session
    return row if isinstance(row, SessionSummary) else None


def by_day(sessions: Iterable[SessionSummary], today: date, last: str = "") -> list[Row]:
    """Returns the sessions with headings where another day begins than `last`; pinned ones have one of their own."""
    rows: list[Row] = []
    for summary in sessions:
        heading = "Pinned" if summary.pinned else day_label(date.fromtimestamp(summary.updated), today)
        if heading != last:
            rows.append(Heading(heading))
            last = heading
        rows.append(summary)
    return rows


def titled(sessions: list[SessionSummary], *, unfolded: bool) -> list[Row]:
    """Returns the sessions whose title holds the words."""
    shown = sessions if unfolded or len(sessions) <= TITLES + 1 else sessions[:TITLES]
    rows: list[Row] = [Heading("In titles"), *shown] if sessions else []
    return [*rows, Unfold(len(sessions) - len(shown))] if len(shown) < len(sessions) else rows


def by_session(hits: Iterable[SearchHit], last: str = "") -> list[Row]:
    """Returns the hits with headings where they belong to another session than `last`."""
    rows: list[Row] = []
    for hit in hits:
        if hit.session_id != last:
            rows.append(Heading(hit.title, hit.session))
            last = hit.session_id
        rows.append(hit)
    return rows


def day_label(day: date, today: date) -> str:
    """Returns what people call `day`: Today, Yesterday, Mon 16 Nov, or with its year where that is another."""
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%a} {day.day} {day:%b}" + (f" {day.year}" if day.year != today.year else "")


def short_date(moment: float, today: date) -> str:
    """Returns when something was, in 8 characters at most: the time for today, else the day, or the month."""
    when = datetime.fromtimestamp(moment)
    if when.date() >= today:
        return f"{when:%H:%M}"
    return f"{when.day} {when:%b}" if when.year == today.year else f"{when:%b} {when.year}"
