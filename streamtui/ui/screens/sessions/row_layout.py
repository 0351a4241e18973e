"""Row lines: what a row of the list of sessions looks like, as styled runs of a given width."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from rich.cells import cell_len, set_cell_size

from streamtui.core.message import Role
from streamtui.core.search_query import Query, Span
from streamtui.core.session import SessionSummary
from streamtui.core.styled_text import Run
from streamtui.storage import SearchHit
from streamtui.ui.screens.sessions.rows import Heading, Row, Unfold, short_date
from streamtui.ui.transcript.overlay import overlay
from streamtui.ui.widgets.text_fit import fit_text

LEAD = 8
"""Characters before the first hit, where there is no room for more."""
SPEAKER = 10
"""Cells for who said what was found."""
MODEL = 18
"""Cells for the model of a session."""
WIDE = 76
"""Cells of the list from which models are named: titles, most of which take 30 to 60, come first."""


@dataclass(slots=True)
class Look:
    """What all rows depend on."""

    width: int = 80
    query: Query = field(default_factory=lambda: Query(""))
    current: str = ""
    """Id of the session that is open."""
    marked: frozenset[str] = frozenset()
    """Ids of the sessions that are marked."""


def runs_of(row: Row, look: Look) -> list[Run]:
    """Returns the line of `row`, filled or cut to the width."""
    if isinstance(row, Heading):
        return _heading(row, look)
    if isinstance(row, SearchHit):
        return _hit(row, look)
    if isinstance(row, Unfold):
        text = f"   ▸ {row.hidden} more with these words in their titles"
        return [(set_cell_size(text, look.width), "fold")]
    return _session(row, look)


def _heading(row: Heading, look: Look) -> list[Run]:
    if row.session is None:
        return [(set_cell_size(f" {row.text}", look.width), "heading")]
    day = short_date(row.session.updated, date.today())
    title = row.session.title or "untitled"
    spans = look.query.spans(title)
    return _spread([*_signs(row.session, look)], title, spans, "name", day, look.width)


def _session(row: SessionSummary, look: Look) -> list[Run]:
    under_its_day = not look.query and not row.pinned
    facts = f"{datetime.fromtimestamp(row.updated):%H:%M}" if under_its_day else short_date(row.updated, date.today())
    if look.width >= WIDE:
        facts = f"{fit_text(_short(row.model), MODEL)} {facts:>8}"
    title = row.title or "untitled"
    return _spread(_signs(row, look), title, look.query.spans(title), "", facts, look.width)


def _short(model: str) -> str:
    """The name of a model without whose it is, which many servers put before it."""
    return model.rpartition("/")[2] or model


def _signs(row: SessionSummary, look: Look) -> list[Run]:
    """Whether it is marked, open in the chat, pinned."""
    if row.id in look.marked:
        return [(" ✓ ", "task")]
    if row.id == look.current:
        return [(" ● ", "ready")]
    return [(" ★ ", "star")] if row.pinned else [("   ", "")]


def _hit(row: SearchHit, look: Look) -> list[Run]:
    who = "You" if row.role is Role.USER else _short(row.model) or str(row.role)
    style = "user" if row.role is Role.USER else "assistant"
    before: list[Run] = [("     ", "")]
    if look.width >= 50:
        before.append((f"{fit_text(who, SPEAKER)} ", style))
    room = look.width - sum(cell_len(text) for text, _ in before)
    text, spans = _in_view(row.snippet, row.spans, room)
    return [*before, *_cut(overlay([(text, "")], spans, "match"), room)]


def _in_view(text: str, spans: Sequence[Span], room: int) -> tuple[str, Sequence[Span]]:
    """Cuts off the beginning where a hit would be out of view."""
    if not spans or cell_len(text[: spans[-1][1]]) <= room or spans[0][0] <= LEAD:
        return text, spans
    start = spans[0][0] - LEAD
    return f"…{text[start:]}", [(a - start + 1, b - start + 1) for a, b in spans]


def _spread(before: list[Run], title: str, spans: Sequence[Span], style: str, facts: str, width: int) -> list[Run]:
    """Signs and the title at the left, facts at the right."""
    room = max(4, width - sum(cell_len(text) for text, _ in before) - cell_len(facts) - 3)
    return [*before, *_cut(overlay([(title, style)], spans, "match"), room), (f"  {facts} ", "faint")]


def _cut(runs: list[Run], width: int) -> list[Run]:
    """Returns `runs` filled with spaces to `width` cells, or cut with a mark."""
    line, at = fit_text("".join(text for text, _ in runs), width), 0
    out: list[Run] = []
    for text, names in runs:
        out.append((line[at : at + len(text)], names))
        at += len(text)
    return [*out, (line[at:], "")]
