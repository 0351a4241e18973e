"""Sample sessions and exports, valid and hostile."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from streamtui.core.coerce import LATEST
from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role, Timing, Usage
from streamtui.core.parameters import Parameters
from streamtui.core.sanitize import clean, clean_line
from streamtui.core.session import Session
from tests.support import ROOT

SCHEMAS = ROOT / "tests" / "importers" / "schemas"

LINE = st.text(max_size=20).map(clean_line)
TEXT = st.text(max_size=200).map(clean)
TIMES = st.floats(0, LATEST)
COUNTS = st.integers(0, 2**40)
IDS = st.text("0123456789abcdef", min_size=16, max_size=16)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=10)
"""Includes control characters and lone surrogates, which JSON can contain."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
USAGES = st.none() | st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.none() | st.floats(0, 1e6))
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(Role),
    id=IDS,
    text=TEXT,
    created=TIMES,
    reasoning=TEXT,
    endpoint=LINE,
    model=LINE,
    finish_reason=st.none() | st.sampled_from(FinishReason),
    error=TEXT,
    usage=USAGES,
    timing=st.none() | st.builds(Timing, st.none() | TIMES, st.none() | TIMES, TIMES),
    recap=st.none() | st.builds(Recap, TEXT, TIMES, LINE, USAGES),
    attachments=st.lists(st.builds(Attachment, LINE, LINE, st.binary(max_size=50)), max_size=2).map(tuple),
)
PARAMETERS = st.builds(
    Parameters,
    temperature=st.none() | st.floats(0, 2),
    max_tokens=st.none() | st.integers(1, 2**60),
    stop=st.lists(st.text(min_size=1, max_size=5).map(clean).filter(bool), max_size=2).map(tuple),
    reasoning_effort=LINE,
    extra=st.dictionaries(
        LINE, st.none() | st.booleans() | st.integers() | LINE | st.lists(LINE, max_size=2), max_size=2
    ),
)


@st.composite
def trees(draw: st.DrawFn) -> Session:
    """Generate sessions with branches and all fields."""
    session = draw(
        st.builds(
            Session, id=IDS, title=LINE, endpoint=LINE, model=LINE, system=TEXT, created=TIMES, parameters=PARAMETERS,
            pinned=st.booleans(), archived=st.booleans(),
        )
    )  # fmt: skip
    for message in draw(st.lists(MESSAGES, min_size=1, max_size=6, unique_by=lambda message: message.id)):
        session.leaf_id = draw(st.sampled_from([None, *session.messages]))
        session.add(message)
    session.leaf_id = draw(st.sampled_from([*session.messages]))
    return session


def database(path: Path, schema: str, rows: dict[str, Iterable[dict[str, Any]]]) -> Path:
    """Create a database of another program with `rows` by table."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript((SCHEMAS / f"{schema}.sql").read_text())
        for table, records in rows.items():
            for record in records:
                names = ", ".join(f'"{name}"' for name in record)
                marks = ", ".join("?" * len(record))
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*record.values()])
    return path


def node(
    node_id: str, parent: str | None, role: str | None = None, *parts: Any, when: float | None = None, **more: Any
) -> dict[str, Any]:
    """Return a node of a ChatGPT conversation; without a role it has no message."""
    message = {
        "id": node_id,
        "author": {"role": role, "name": more.pop("name", None), "metadata": {}},
        "create_time": when,
        "update_time": None,
        "content": more.pop("content", {"content_type": "text", "parts": [*parts]}),
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": more.pop("metadata", {"model_slug": "gpt-4o"} if role == "assistant" else {}),
        "recipient": "all",
        "channel": None,
    }
    return {"id": node_id, "parent": parent, "children": [], "message": {**message, **more} if role else None}


def conversation(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a conversation as in ChatGPT's ``conversations.json``, with the children of its nodes filled in."""
    mapping = {each["id"]: each for each in nodes}
    for each in nodes:
        if each["parent"] in mapping:
            mapping[each["parent"]]["children"].append(each["id"])
    usual = {
        "title": "A conversation",
        "create_time": 1_700_000_000.5,
        "update_time": 1_700_000_100.5,
        "mapping": mapping,
        "current_node": nodes[-1]["id"] if nodes else None,
        "conversation_id": "11111111-2222-3333-4444-555555555555",
        "default_model_slug": "gpt-4o",
        "is_archived": False,
    }
    return {**usual, **more}


def talk(number: int, *, words: int = 3, messages: int = 4) -> dict[str, Any]:
    """Return a plain conversation that depends on `number`."""
    nodes = [node(f"root-{number}", None)]
    for n in range(messages):
        role, text = ("assistant" if n % 2 else "user"), " ".join([f"word{number}"] * words)
        nodes.append(node(f"{number}-{n}", nodes[-1]["id"], role, text, when=1_700_000_000.0 + number * 100 + n))
    return conversation(*nodes, title=f"Talk {number}", conversation_id=f"talk-{number}")


def write_json(path: Path, value: Any) -> Path:
    """Write a JSON file."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """Generate copies of a JSON value with some values replaced."""
    copy = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 4))):
        at: Any = copy
        while True:
            keys: list[Any] = [*at] if isinstance(at, dict) else [*range(len(at))]
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(at[key], dict | list) or draw(st.integers(0, 3)) == 0:
                at[key] = draw(JSON)
                break
            at = at[key]
    return copy
