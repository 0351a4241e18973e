"""Layout of the rows as styled runs of a given width."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from rich.cells import cell_len, set_cell_size

from streamtui.core.message import Role
from streamtui.core.search_query import Query, Span
from streamtui.core.session import SessionSummary
from streamtui.core.styled_text import Run
from streamtui.storage import SearchHit
from streamtui.ui.screens.sessions.rows import Heading, Row, ShowMore, short_date
from streamtui.ui.transcript.overlay import overlay
from streamtui.ui.widgets.text_fit import fit_text

LEAD = 8
"""Characters kept before the first match if the text must be cut."""
AUTHOR_WIDTH = 10
"""Width in cells of the author of a message."""
MODEL_WIDTH = 18
"""Width in cells of a session's model."""
WIDE = 76
"""List width, in cells, from which models are shown; titles, most of which take 30 to 60 cells, come first."""


@dataclass(slots=True)
class RowContext:
    """What the layout of every row depends on."""

    width: int = 80
    query: Query = field(default_factory=lambda: Query(""))
    current: str = ""
    """Id of the open session."""
    marked: frozenset[str] = frozenset()
    """Ids of the marked sessions."""


def runs_of(row: Row, context: RowContext) -> list[Run]:
    """Return the line of `row`, padded or cut to the width."""
    if isinstance(row, SearchHit):
        return _hit(row, context)
    if isinstance(row, ShowMore):
        return [(set_cell_size(f"   ▸ {row.hidden} more title matches", context.width), "fold")]
    if isinstance(row, Heading):
        if row.session is None:
            return [(set_cell_size(f" {row.text}", context.width), "heading")]
        return _titled(row.session, context, "name", short_date(row.session.updated, date.today()))
    return _session(row, context)


def _session(row: SessionSummary, context: RowContext) -> list[Run]:
    under_its_day = not context.query and not row.pinned
    facts = f"{datetime.fromtimestamp(row.updated):%H:%M}" if under_its_day else short_date(row.updated, date.today())
    if context.width >= WIDE:
        facts = f"{fit_text(_short(row.model), MODEL_WIDTH)} {facts:>8}"
    return _titled(row, context, "", facts)


def _short(model: str) -> str:
    """Return a model name without the publisher that many servers prefix."""
    return model.rpartition("/")[2] or model


def _mark(row: SessionSummary, context: RowContext) -> Run:
    """Return the sign of a marked, open or pinned session."""
    if row.id in context.marked:
        return " ✓ ", "task"
    if row.id == context.current:
        return " ● ", "ready"
    return (" ★ ", "star") if row.pinned else ("   ", "")


def _hit(row: SearchHit, context: RowContext) -> list[Run]:
    author = "You" if row.role is Role.USER else _short(row.model) or str(row.role)
    style = "user" if row.role is Role.USER else "assistant"
    before: list[Run] = [("     ", "")]
    if context.width >= 50:
        before.append((f"{fit_text(author, AUTHOR_WIDTH)} ", style))
    width = context.width - sum(cell_len(text) for text, _ in before)
    text, spans = _scrolled(row.snippet, row.spans, width)
    return [*before, *_cut(overlay([(text, "")], spans, "match"), width)]


def _scrolled(text: str, spans: Sequence[Span], width: int) -> tuple[str, Sequence[Span]]:
    """Cut off the beginning of `text` if a match would be out of view."""
    if not spans or cell_len(text[: spans[-1][1]]) <= width or spans[0][0] <= LEAD:
        return text, spans
    start = spans[0][0] - LEAD
    return f"…{text[start:]}", [(a - start + 1, b - start + 1) for a, b in spans]


def _titled(session: SessionSummary, context: RowContext, style: str, facts: str) -> list[Run]:
    """Return mark and title on the left, facts on the right."""
    title, mark = session.title or "untitled", _mark(session, context)
    width = max(4, context.width - cell_len(mark[0]) - cell_len(facts) - 3)
    spans = context.query.spans(title)
    return [mark, *_cut(overlay([(title, style)], spans, "match"), width), (f"  {facts} ", "faint")]


def _cut(runs: list[Run], width: int) -> list[Run]:
    """Return `runs` padded with spaces to `width` cells, or cut with an ellipsis."""
    line, at = fit_text("".join(text for text, _ in runs), width), 0
    out: list[Run] = []
    for text, names in runs:
        out.append((line[at : at + len(text)], names))
        at += len(text)
    return [*out, (line[at:], "")]
