"""Read LLM's older database layouts: pairs of prompt and response."""

from collections.abc import Iterator
from typing import Any

from streamtui.core import coerce
from streamtui.core.message import Attachment, FinishReason, Message, Role, Timing
from streamtui.core.session import Session
from streamtui.importers.foreign_database import Database
from streamtui.importers.import_report import ParsedSession
from streamtui.importers.llm_values import ATTACHMENT, ENDPOINT, attached, tool_call, tool_result, usage
from streamtui.importers.tree_builder import Node, build_tree

_COLUMNS = (
    "id model resolved_model prompt system response reasoning duration_ms datetime_utc input_tokens output_tokens"
    " token_details"
)


def conversation(database: Database, chat: dict[str, Any]) -> ParsedSession:
    """Return a row of ``conversations`` as a session."""
    rows = database.rows("responses", _COLUMNS, "WHERE conversation_id = ? ORDER BY datetime_utc, id", chat["id"])
    return _session(database, chat, list(rows), coerce.stable_id(ENDPOINT, chat["id"]))


def old_log(database: Database, chat: dict[str, Any]) -> ParsedSession:
    """Return a conversation of the ``logs`` table, used until version 0.5, by its first row."""
    rows = list(database.rows("logs", _COLUMNS, "WHERE id = ?1 OR chat_id = ?1 ORDER BY id", chat["id"]))
    # Ids are 1, 2, 3, …, so they are not unique across databases.
    return _session(
        database, chat, rows, coerce.stable_id(ENDPOINT, chat["id"], *(row["datetime_utc"] for row in rows[:1]))
    )


def _session(database: Database, chat: dict[str, Any], rows: list[dict[str, Any]], session_id: str) -> ParsedSession:
    first = coerce.iso_timestamp(rows[0]["datetime_utc"]) if rows else 0.0
    session = Session(
        id=session_id,
        title=coerce.line(chat["name"]),
        endpoint=ENDPOINT,
        model=coerce.line(chat["model"]),
        created=first,
    )
    nodes: list[Node] = []
    for row in rows:
        reader = _Reader(database, session, row)
        nodes += reader.nodes(nodes[-1].id if nodes else None)
    build_tree(session, nodes)
    return ParsedSession(session)


class _Reader:
    """Read one response with its fragments, attachments and tool calls."""

    def __init__(self, database: Database, session: Session, row: dict[str, Any]) -> None:
        self._database = database
        self._row = row
        self._key = (session.id, row["id"])
        self._when = coerce.iso_timestamp(row["datetime_utc"])
        session.system = session.system or "\n".join([*self._fragments("system"), coerce.text(row["system"])]).strip()

    def nodes(self, before: str | None) -> Iterator[Node]:
        """Yield the prompt, tool results, tool calls and response, as far as they exist."""
        prompt, response = self._prompt(), self._response()
        if prompt.text or prompt.attachments:
            yield Node(prompt.id, before, prompt)
            before = prompt.id
        for kind in ("results", "calls"):
            node_id = coerce.stable_id(*self._key, kind)
            yield Node(node_id, before, steps="\n\n".join(self._tools(kind)))
            before = node_id
        yield Node(
            response.id, before, response if response.text else None, "" if response.text else response.reasoning
        )

    def _prompt(self) -> Message:
        found, places = self._attachments()
        parts = [*self._fragments("prompt"), coerce.text(self._row["prompt"]), *places]
        text = "\n".join(filter(None, parts))
        return Message(Role.USER, text, coerce.stable_id(*self._key, "?"), created=self._when, attachments=found)

    def _response(self) -> Message:
        row = self._row
        seconds = coerce.number(row["duration_ms"])
        return Message(
            Role.ASSISTANT,
            coerce.text(row["response"]),
            coerce.stable_id(*self._key, "!"),
            created=self._when,
            reasoning=coerce.text(row["reasoning"]),
            endpoint=ENDPOINT,
            model=coerce.line(row["resolved_model"]) or coerce.line(row["model"]),
            finish_reason=FinishReason.STOP,
            usage=usage(row),
            timing=Timing(total=seconds / 1000) if seconds is not None else None,
        )

    def _fragments(self, kind: str) -> list[str]:
        """Return the fragments prepended to the prompt or system prompt."""
        order = 'WHERE response_id = ? ORDER BY "order"'
        found = self._database.rows(f"{kind}_fragments", "fragment_id", order, self._row["id"])
        ids = [row["fragment_id"] for row in found]
        return [coerce.text(row["content"]) for id_ in ids for row in self._by_id("fragments", "content", id_)]

    def _attachments(self) -> tuple[tuple[Attachment, ...], list[str]]:
        order = 'WHERE response_id = ? ORDER BY "order"'
        ids = [
            row["attachment_id"]
            for row in self._database.rows("prompt_attachments", "attachment_id", order, self._row["id"])
        ]
        both = [attached(row) for id_ in ids for row in self._by_id("attachments", ATTACHMENT, id_)]
        return tuple(found for found, _ in both if found), [place for _, place in both if place]

    def _tools(self, kind: str) -> Iterator[str]:
        order = "WHERE response_id = ? ORDER BY id"
        for row in self._database.rows(f"tool_{kind}", "name output arguments", order, self._row["id"]):
            calls = kind == "calls"
            yield tool_call(row["name"], row["arguments"]) if calls else tool_result(row["name"], row["output"])

    def _by_id(self, table: str, names: str, id_: object) -> list[dict[str, Any]]:
        return list(self._database.rows(table, names, "WHERE id = ?", id_))
