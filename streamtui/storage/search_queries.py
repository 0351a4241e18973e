"""Queries that list and search sessions, messages and prompts."""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any

from streamtui.core.message import Role
from streamtui.core.search_query import Query, Span
from streamtui.core.session import SessionFilter, SessionSummary
from streamtui.storage import row_values

SAMPLE = 300
"""Newest sessions to sample."""
FEW = 0.1
"""Share of matching sessions in a sample below which their messages are collected before the search."""
NEWEST = 2**62
"""A place after all messages."""

_SUMMARY = "s.id, s.title, s.endpoint, s.model, s.updated, s.message_count, s.created, s.pinned, s.archived"

_LIST = f"""
    SELECT {_SUMMARY} FROM sessions s
    WHERE {{where}} ORDER BY pinned DESC, updated DESC, id LIMIT ? OFFSET ?"""

# Newest first, not best first: ranking visits every hit (a common word in 200,000 messages: 1.3 s instead of 0.5 ms).
# The index is the outer loop, since it returns hits in this order; looking up single messages takes 0.12 ms each.
# Without indexed words all messages are scanned: 200,000 of them (93 MB) take up to 100 ms.
_SEARCH = f"""
    SELECT m.seq, m.id, m.role, m.model, m.created, m.text, {_SUMMARY}
    FROM {{source}} i CROSS JOIN messages m ON m.seq = i.rowid CROSS JOIN sessions s ON s.id = m.session_id
    WHERE {{words}} AND i.rowid < ? AND {{symbols}} AND {{where}} ORDER BY i.rowid DESC LIMIT ?"""

# Replies that are streaming or were interrupted by a kill: most of their text is not indexed yet.
_STREAMING = f"""
    SELECT m.seq, m.id, m.role, m.model, m.created, m.text || (
        SELECT group_concat(text, '') FROM (SELECT text FROM pieces WHERE message_id = m.id ORDER BY n)
    ), {_SUMMARY}
    FROM messages m CROSS JOIN sessions s ON s.id = m.session_id
    WHERE m.id IN (SELECT DISTINCT message_id FROM pieces) AND m.seq < ? AND {{where}} ORDER BY m.seq DESC"""

# The plus keeps SQLite from looking up each of these messages in the index, see above.
_IN_FEW_SESSIONS = """+i.rowid IN
    (SELECT m.seq FROM sessions s CROSS JOIN messages m ON m.session_id = s.id WHERE {where})"""

_SAMPLED = """
    SELECT coalesce(sum(matches), 0), count(*)
    FROM (SELECT {where} AS matches FROM sessions s WHERE s.message_count > 0 ORDER BY s.updated DESC LIMIT ?)"""

_PROMPTS = """
    SELECT m.seq, m.id, m.role, m.model, m.created, m.text FROM messages m JOIN sessions s ON s.id = m.session_id
    WHERE m.role = 'user' AND m.text <> '' AND s.trashed IS NULL ORDER BY m.seq DESC"""

_WILDCARD = re.compile(r"[%_\\]")

_Row = tuple[Any, ...]
_Clause = tuple[str, list[str | int]]
"""An SQL condition and its parameters."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A message that matches a search."""

    session: SessionSummary
    """The session that contains it."""
    message_id: str
    role: Role
    model: str
    """The model that wrote it; "" for a prompt."""
    created: float
    """Seconds since the epoch."""
    snippet: str
    """Text around the first matches, on one line."""
    spans: tuple[Span, ...]
    """The matches in `snippet`, as start and end."""
    place: int
    """Its position in the order in which messages were saved, for fetching the next page."""

    @property
    def session_id(self) -> str:
        """The ID of the session."""
        return self.session.id

    @property
    def title(self) -> str:
        """The title of the session."""
        return self.session.title


@dataclass(frozen=True, slots=True)
class Facets:
    """Endpoints and models to filter by, with the number of sessions of each, most first."""

    endpoints: dict[str, int]
    models: dict[str, int]


def sessions(connection: sqlite3.Connection, limit: int, offset: int, where: SessionFilter) -> list[SessionSummary]:
    """Return the sessions with messages that match the filter: pinned ones first, then newest first."""
    clause, values = _clause(where)
    found = connection.execute(_LIST.format(where=clause), (*values, limit, offset))
    return [_summary(row) for row in found]


def _summary(row: tuple[Any, ...]) -> SessionSummary:
    id_, title, endpoint, model, updated, messages, created, pinned, archived = row
    values = row_values.LenientRow()
    return SessionSummary(
        values.text(id_),
        values.text(title),
        values.text(endpoint),
        values.text(model),
        values.read(row_values.timestamp, updated, 0.0),
        messages if isinstance(messages, int) else 0,
        values.read(row_values.timestamp, created, 0.0),
        bool(pinned),
        bool(archived),
    )


def count(connection: sqlite3.Connection, where: SessionFilter) -> int:
    """Return the number of sessions with messages that match the filter."""
    clause, values = _clause(where)
    return int(connection.execute(f"SELECT count(*) FROM sessions s WHERE {clause}", values).fetchone()[0])


def facets(connection: sqlite3.Connection) -> Facets:
    """Return the endpoints and models of all sessions that aren't trashed."""
    return Facets(_count_by(connection, "endpoint"), _count_by(connection, "model"))


def _count_by(connection: sqlite3.Connection, column: str) -> dict[str, int]:
    query = f"""SELECT {column}, count(*) AS n FROM sessions
        WHERE message_count > 0 AND trashed IS NULL AND {column} <> '' GROUP BY 1 ORDER BY n DESC, 1"""
    return dict(connection.execute(query).fetchall())


def search(
    connection: sqlite3.Connection, text: str, limit: int, where: SessionFilter, before: int = NEWEST
) -> list[SearchHit]:
    """Return the newest messages that contain every word of `text`; its last word may be incomplete."""
    query = Query(text)
    if not query.terms:
        return []
    found = _matches(connection, query, limit, before, _clause(where), _candidates(connection, where))
    return [_hit(row, query) for row in islice(found, limit)]


def _matches(
    connection: sqlite3.Connection, query: Query, limit: int, before: int, clause: _Clause, candidates: _Clause
) -> Iterator[_Row]:
    """Yield the messages that match the query and the filter, newest first.

    `clause` and `candidates` are the same filter; the second one is the fastest form for indexed messages.
    """
    where, values = clause
    streaming = connection.execute(_STREAMING.format(where=where), (before, *values))
    last = NEWEST
    for row in merge(_filter(streaming, query), _indexed(connection, query, limit, before, candidates), key=_age):
        if row[0] != last:  # otherwise it is streaming and its beginning is indexed
            last = row[0]
            yield row


def _filter(found: Iterable[_Row], query: Query) -> Iterator[_Row]:
    return (row for row in found if query.matches(row_values.to_text(row[5])))


def _age(row: _Row) -> int:
    return -int(row[0])


def _indexed(
    connection: sqlite3.Connection, query: Query, limit: int, before: int, candidates: _Clause
) -> Iterator[_Row]:
    """Return the messages whose indexed text matches, newest first."""
    words, expression = ("message_index MATCH ?", [query.expression]) if query.expression else ("1", [])
    source = "message_index" if expression else "messages"
    literal = [term for term in query.terms if term.is_literal]
    patterns = ["%" + _WILDCARD.sub(r"\\\g<0>", term.symbols) + "%" for term in literal if term.symbols]
    symbols = " AND ".join(["m.text LIKE ? ESCAPE '\\'"] * len(patterns)) or "1"
    where, values = candidates
    statement = _SEARCH.format(source=source, words=words, symbols=symbols, where=where)
    found = connection.execute(statement, (*expression, before, *patterns, *values, -1 if literal else limit))
    return _filter(found, query) if literal else iter(found)


def prompts(connection: sqlite3.Connection, text: str, limit: int) -> list[str]:
    """Return the user's latest prompts that contain every word of `text`, newest first, without duplicates."""
    query = Query(text)
    if not query:
        found: Iterator[_Row] = iter(connection.execute(_PROMPTS))
    elif not query.terms:
        return []
    else:
        clause: _Clause = ("m.role = 'user' AND s.trashed IS NULL", [])
        found = _matches(connection, query, -1, NEWEST, clause, clause)
    seen: dict[str, None] = {}
    for row in found:
        seen.setdefault(row_values.to_text(row[5]))
        if len(seen) == limit:
            break
    return list(seen)


def _candidates(connection: sqlite3.Connection, where: SessionFilter) -> _Clause:
    """Return the filter as SQL in its faster form.

    Checking the session of each hit takes 140 ms if 200,000 hits are in other sessions; collecting the messages of
    matching sessions first takes 7 ms for a tenth of all messages, and 70 ms for all.
    """
    clause, values = _clause(where)
    matching, sampled = connection.execute(_SAMPLED.format(where=clause), (*values, SAMPLE)).fetchone()
    return (_IN_FEW_SESSIONS.format(where=clause) if matching < FEW * sampled else clause), values


def _clause(where: SessionFilter) -> _Clause:
    """Return the filter as an SQL condition on sessions s."""
    parts = ["s.message_count > 0", f"s.trashed IS {'NOT ' if where.trashed else ''}NULL"]
    values: list[str | int] = []
    for column, name in (("endpoint", where.endpoint), ("model", where.model)):
        if name:
            parts.append(f"s.{column} = ?")
            values.append(name)
    for column, flag in (("pinned", where.pinned), ("archived", where.archived)):
        if flag is not None:
            parts.append(f"s.{column} = ?")
            values.append(int(flag))
    query = Query(where.words)
    if query and not query.terms:
        parts.append("0")
    for term in query.terms:
        parts.append("instr(s.plain_title, ?) > 0")
        values.append(term.text)
    return " AND ".join(parts), values


def _hit(row: _Row, query: Query) -> SearchHit:
    place, message_id, role, model, created, text, *session = row
    values = row_values.LenientRow()
    snippet = query.excerpt(values.text(text))
    return SearchHit(
        _summary(tuple(session)),
        values.text(message_id),
        values.read(Role, role, Role.ASSISTANT),
        values.text(model),
        values.read(row_values.timestamp, created, 0.0),
        snippet,
        tuple(query.spans(snippet)),
        place,
    )
