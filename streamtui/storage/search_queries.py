"""What is looked for in the saved sessions: which of them, and which of their messages hold some words."""

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
FEW = 0.1
"""Share of the newest sessions below which messages are gathered before they are searched."""
NEWEST = 2**62
"""A place in the order of messages behind them all."""

_SUMMARY = "s.id, s.title, s.endpoint, s.model, s.updated, s.message_count, s.created, s.pinned, s.archived"

_LIST = f"""
    SELECT {_SUMMARY} FROM sessions s
    WHERE {{where}} ORDER BY pinned DESC, updated DESC, id LIMIT ? OFFSET ?"""

# Newest first, not best first: ranking looks at every hit (a common word in 200,000 messages: 1.3 s, not 0.5 ms).
# The index comes first, as it gives the hits in this order; looking single messages up in it takes 0.12 ms each.
# Without words to look up, all messages take its place: 200,000 of them (93 MB) take up to 100 ms.
_SEARCH = f"""
    SELECT m.seq, m.id, m.role, m.model, m.created, m.text, {_SUMMARY}
    FROM {{source}} i CROSS JOIN messages m ON m.seq = i.rowid CROSS JOIN sessions s ON s.id = m.session_id
    WHERE {{words}} AND i.rowid < ? AND {{symbols}} AND {{where}} ORDER BY i.rowid DESC LIMIT ?"""

# A reply under way, or cut short by a kill: most of it is not in the index yet.
_GROWING = f"""
    SELECT m.seq, m.id, m.role, m.model, m.created, m.text || (
        SELECT group_concat(text, '') FROM (SELECT text FROM pieces WHERE message_id = m.id ORDER BY n)
    ), {_SUMMARY}
    FROM messages m CROSS JOIN sessions s ON s.id = m.session_id
    WHERE m.id IN (SELECT DISTINCT message_id FROM pieces) AND m.seq < ? AND {{where}} ORDER BY m.seq DESC"""

# The plus keeps SQLite from looking every one of these messages up in the index, see above.
_AMONG_FEW = """+i.rowid IN
    (SELECT m.seq FROM sessions s CROSS JOIN messages m ON m.session_id = s.id WHERE {where})"""

_SAMPLED = """
    SELECT coalesce(sum(passes), 0), count(*)
    FROM (SELECT {where} AS passes FROM sessions s WHERE s.message_count > 0 ORDER BY s.updated DESC LIMIT ?)"""

_PROMPTS = """
    SELECT m.seq, m.id, m.role, m.model, m.created, m.text FROM messages m JOIN sessions s ON s.id = m.session_id
    WHERE m.role = 'user' AND m.text <> '' AND s.trashed IS NULL ORDER BY m.seq DESC"""

_WILDCARD = re.compile(r"[%_\\]")

_Row = tuple[Any, ...]
_Clause = tuple[str, list[str | int]]
"""SQL and the values for it."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A message that holds what was looked for."""

    session: SessionSummary
    """Where it stands."""
    message_id: str
    role: Role
    model: str
    """The model that said it; "" for a prompt."""
    created: float
    """Seconds since the epoch."""
    snippet: str
    """Some words around the first hits, on one line."""
    spans: tuple[Span, ...]
    """Where in `snippet` the hits are, as start and end."""
    place: int
    """Its place among all messages in the order they were saved: to go on behind it."""

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.session.id

    @property
    def title(self) -> str:
        """The session's title."""
        return self.session.title


@dataclass(frozen=True, slots=True)
class Facets:
    """What sessions can be filtered by: names, and how many sessions each has, most first."""

    endpoints: dict[str, int]
    models: dict[str, int]


def sessions(connection: sqlite3.Connection, limit: int, offset: int, where: SessionFilter) -> list[SessionSummary]:
    """Returns the sessions that have messages and pass the filter, pinned ones first, then the newest."""
    clause, values = _clause(where)
    found = connection.execute(_LIST.format(where=clause), (*values, limit, offset))
    return [_summary(row) for row in found]


def _summary(row: tuple[Any, ...]) -> SessionSummary:
    id_, title, endpoint, model, updated, messages, created, pinned, archived = row
    values = row_values.Lenient()
    return SessionSummary(
        values.text(id_),
        values.text(title),
        values.text(endpoint),
        values.text(model),
        values.read(row_values.moment, updated, 0.0),
        messages if isinstance(messages, int) else 0,
        values.read(row_values.moment, created, 0.0),
        bool(pinned),
        bool(archived),
    )


def count(connection: sqlite3.Connection, where: SessionFilter) -> int:
    """Returns how many sessions have messages and pass the filter."""
    clause, values = _clause(where)
    return int(connection.execute(f"SELECT count(*) FROM sessions s WHERE {clause}", values).fetchone()[0])


def facets(connection: sqlite3.Connection) -> Facets:
    """Returns the endpoints and models of all sessions that are not in the trash."""
    return Facets(_counted(connection, "endpoint"), _counted(connection, "model"))


def _counted(connection: sqlite3.Connection, column: str) -> dict[str, int]:
    query = f"""SELECT {column}, count(*) AS n FROM sessions
        WHERE message_count > 0 AND trashed IS NULL AND {column} <> '' GROUP BY 1 ORDER BY n DESC, 1"""
    return dict(connection.execute(query).fetchall())


def search(
    connection: sqlite3.Connection, text: str, limit: int, where: SessionFilter, before: int = NEWEST
) -> list[SearchHit]:
    """Returns the newest messages that hold every word of `text`, the last of which may be unfinished."""
    query = Query(text)
    if not query.terms:
        return []
    found = _found(connection, query, limit, before, _clause(where), _candidates(connection, where))
    return [_hit(row, query) for row in islice(found, limit)]


def _found(
    connection: sqlite3.Connection, query: Query, limit: int, before: int, clause: _Clause, candidates: _Clause
) -> Iterator[_Row]:
    """The messages that match the query and one of the clauses, which mean the same, newest first."""
    where, values = clause
    growing = connection.execute(_GROWING.format(where=where), (before, *values))
    last = NEWEST
    for row in merge(_matching(growing, query), _indexed(connection, query, limit, before, candidates), key=_age):
        if row[0] != last:  # else it is growing, and its beginning is in the index
            last = row[0]
            yield row


def _matching(found: Iterable[_Row], query: Query) -> Iterator[_Row]:
    return (row for row in found if query.matches(row_values.replaced(row[5])))


def _age(row: _Row) -> int:
    return -int(row[0])


def _indexed(
    connection: sqlite3.Connection, query: Query, limit: int, before: int, candidates: _Clause
) -> Iterator[_Row]:
    """The messages whose saved text matches."""
    words, expression = ("message_index MATCH ?", [query.expression]) if query.expression else ("1", [])
    source = "message_index" if expression else "messages"
    literal = [term for term in query.terms if term.is_literal]
    patterns = ["%" + _WILDCARD.sub(r"\\\g<0>", term.symbols) + "%" for term in literal if term.symbols]
    symbols = " AND ".join(["m.text LIKE ? ESCAPE '\\'"] * len(patterns)) or "1"
    where, values = candidates
    statement = _SEARCH.format(source=source, words=words, symbols=symbols, where=where)
    found = connection.execute(statement, (*expression, before, *patterns, *values, -1 if literal else limit))
    return _matching(found, query) if literal else iter(found)


def prompts(connection: sqlite3.Connection, text: str, limit: int) -> list[str]:
    """Returns what the user asked last, in any session, and holds every word of `text`; each text once."""
    query = Query(text)
    if not query:
        found: Iterator[_Row] = iter(connection.execute(_PROMPTS))
    elif not query.terms:
        return []
    else:
        clause: _Clause = ("m.role = 'user' AND s.trashed IS NULL", [])
        found = _found(connection, query, -1, NEWEST, clause, clause)
    seen: dict[str, None] = {}
    for row in found:
        seen.setdefault(row_values.replaced(row[5]))
        if len(seen) == limit:
            break
    return list(seen)


def _candidates(connection: sqlite3.Connection, where: SessionFilter) -> _Clause:
    """The filter as SQL, in the form that is quicker.

    Checking the session of every hit takes 140 ms where 200,000 hits belong to others; gathering the messages that
    are meant takes 7 ms for a tenth of them, and 70 for all.
    """
    clause, values = _clause(where)
    passing, seen = connection.execute(_SAMPLED.format(where=clause), (*values, SAMPLE)).fetchone()
    return (_AMONG_FEW.format(where=clause) if passing < FEW * seen else clause), values


def _clause(where: SessionFilter) -> _Clause:
    """The filter as SQL over sessions s, and the values for it."""
    parts = ["s.message_count > 0", f"s.trashed IS {'NOT ' if where.trashed else ''}NULL"]
    values: list[str | int] = []
    for column, wanted in (("endpoint", where.endpoint), ("model", where.model)):
        if wanted:
            parts.append(f"s.{column} = ?")
            values.append(wanted)
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
    values = row_values.Lenient()
    snippet = query.excerpt(values.text(text))
    return SearchHit(
        _summary(tuple(session)),
        values.text(message_id),
        values.read(Role, role, Role.ASSISTANT),
        values.text(model),
        values.read(row_values.moment, created, 0.0),
        snippet,
        tuple(query.spans(snippet)),
        place,
    )
