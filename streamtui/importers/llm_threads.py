"""Read LLM's newer database layout: threads that share a tree of messages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from streamtui.core import coerce
from streamtui.core.message import Attachment, FinishReason, Message, Role, Timing
from streamtui.core.session import Session
from streamtui.importers.foreign_database import Database
from streamtui.importers.import_report import ParsedSession
from streamtui.importers.llm_values import ATTACHMENT, ENDPOINT, attached, parsed, tool_call, tool_result, usage
from streamtui.importers.tree_builder import Node, build_tree

_TURN = (
    "id parent_message_hash tip_message_hash model resolved_model input_tokens output_tokens token_details"
    " duration_ms datetime_utc"
)


def thread(database: Database, chat: dict[str, Any]) -> ParsedSession:
    """Return a row of ``threads`` as a session with all messages of its turns."""
    turns = list(database.rows("turns", _TURN, "WHERE thread_id = ? ORDER BY datetime_utc, id", chat["id"]))
    session = Session(
        id=coerce.stable_id(ENDPOINT, chat["id"]),
        title=coerce.line(chat["name"]),
        endpoint=ENDPOINT,
        model=coerce.line(turns[-1]["model"]) if turns else "",
        created=coerce.iso_timestamp(chat["datetime_utc"]),
    )
    reader = _Reader(database, session)
    for turn in turns:
        reader.add(turn["tip_message_hash"], turn)
    reader.add(chat["tip_message_hash"], None)
    tip = chat["tip_message_hash"]
    build_tree(session, reader.nodes(), coerce.stable_id(session.id, tip) if tip else None)
    return ParsedSession(session, reader.lost)


@dataclass(slots=True)
class _Parts:
    """The parts of a message."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


class _Reader:
    """Read the messages of one thread."""

    def __init__(self, database: Database, session: Session) -> None:
        self.lost = 0
        self._database = database
        self._session = session
        self._rows: dict[str, dict[str, Any]] = {}
        self._turns: dict[str, dict[str, Any]] = {}
        """The first turn that contains each message."""

    def add(self, tip: object, turn: dict[str, Any] | None) -> None:
        """Add the message with hash `tip` and its ancestors."""
        while isinstance(tip, str) and tip not in self._rows:
            row = next(self._database.rows("messages", "hash parent_hash role", "WHERE hash = ?", tip), None)
            if row is None:
                return
            self._rows[tip] = row
            if turn is not None:
                self._turns[tip] = turn
            tip = row["parent_hash"]

    def nodes(self) -> Iterator[Node]:
        for name, row in self._rows.items():
            parent = row["parent_hash"]
            parent_id = coerce.stable_id(self._session.id, parent) if parent is not None else None
            yield self._node(coerce.stable_id(self._session.id, name), parent_id, row)

    def _node(self, node_id: str, parent_id: str | None, row: dict[str, Any]) -> Node:
        parts = self._parts(row["hash"])
        text, reasoning = "\n\n".join(parts.text), "\n\n".join(parts.reasoning)
        if row["role"] == "system":
            self._session.system = self._session.system or text
            return Node(node_id, parent_id)
        if row["role"] == "user" and (text or parts.attachments):
            message = Message(Role.USER, text, node_id, created=self._when(row))
            message.attachments = tuple(parts.attachments)
            return Node(node_id, parent_id, message)
        if row["role"] == "assistant" and text:
            reply = self._reply(node_id, row, text, reasoning)
            reply.attachments = tuple(parts.attachments)
            return Node(node_id, parent_id, reply)
        steps = "\n\n".join(filter(None, [reasoning, text]))
        return Node(node_id, parent_id, None, steps, tuple(parts.attachments))

    def _when(self, row: dict[str, Any]) -> float:
        turn = self._turns.get(row["hash"])
        return coerce.iso_timestamp(turn["datetime_utc"]) if turn else 0.0

    def _reply(self, node_id: str, row: dict[str, Any], text: str, reasoning: str) -> Message:
        reply = Message(Role.ASSISTANT, text, node_id, created=self._when(row), reasoning=reasoning)
        reply.endpoint, reply.finish_reason = ENDPOINT, FinishReason.STOP
        turn = self._turns.get(row["hash"])
        if turn is not None:
            reply.model = coerce.line(turn["resolved_model"]) or coerce.line(turn["model"])
            if turn["tip_message_hash"] == row["hash"]:
                seconds = coerce.number(turn["duration_ms"])
                reply.usage, reply.timing = usage(turn), None if seconds is None else Timing(total=seconds / 1000)
        return reply

    def _parts(self, name: str) -> _Parts:
        parts = _Parts()
        query = "WHERE message_hash = ? ORDER BY position"
        for row in self._database.rows("parts", "type tool_name text payload", query, name):
            self._add_part(parts, row, parsed(row["payload"]))
        return parts

    def _add_part(self, parts: _Parts, row: dict[str, Any], payload: dict[str, Any]) -> None:
        match row["type"]:
            case "text":
                parts.text += filter(None, [self._text(row, payload)])
            case "reasoning":
                parts.reasoning += filter(None, [self._text(row, payload)])
            case "tool_call":
                parts.reasoning.append(tool_call(row["tool_name"], payload.get("arguments")))
            case "tool_result":
                parts.reasoning.append(tool_result(row["tool_name"], payload.get("output")))
                self._attach(parts, coerce.items(payload.get("attachments")))
            case "attachment":
                self._attach(parts, [payload.get("attachment")])
            case _:
                self.lost += 1

    def _text(self, row: dict[str, Any], payload: dict[str, Any]) -> str:
        """Return the text of a part. Texts with shared fragments are stored as references."""
        references = coerce.items(payload.get("text_ref"))
        return coerce.text(row["text"]) or "".join(
            self._fragment(coerce.mapping(reference)) for reference in references
        )

    def _fragment(self, reference: dict[str, Any]) -> str:
        if "literal" in reference:
            return coerce.text(reference["literal"])
        rows = self._database.rows("fragments", "content", "WHERE id = ?", coerce.count(reference.get("fragment")))
        return "".join(coerce.text(row["content"]) for row in rows)

    def _attach(self, parts: _Parts, references: list[Any]) -> None:
        for reference in map(coerce.mapping, references):
            name = coerce.line(reference.get("id"))
            row = next(self._database.rows("attachments", ATTACHMENT, "WHERE id = ?", name), None)
            found, place = attached(row) if row else (None, "")
            self.lost += not found and not place
            parts.attachments += [found] if found else []
            parts.text += [place] if place else []
