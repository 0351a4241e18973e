"""Round trips through streamtui's JSON export, and hostile files."""

import json
from contextlib import suppress
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.message import Attachment, Message, Recap, Role, Usage
from streamtui.core.sanitize import clean
from streamtui.core.session import Session
from streamtui.exporters.json_export import as_object, to_json
from streamtui.importers.import_report import EntryError
from streamtui.importers.streamtui_json import session_from
from streamtui.storage import Store
from tests.support.samples import JSON, mutated, trees


@given(trees())
def test_round_trip(session: Session) -> None:
    text = to_json(session)
    found = session_from(json.loads(text))
    assert (found.session, found.lost) == (session, 0)
    assert to_json(found.session) == text
    assert json.loads(to_json(session, compact=True)) == json.loads(text)


@given(trees())
def test_output_is_strict_json(session: Session) -> None:
    session.created = float("nan")
    session.updated = float("inf")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(to_json(session), parse_constant=refuse)


def test_every_field_is_exported() -> None:
    message = Message(Role.USER, attachments=(Attachment("a", "b", b"c"),))
    written = as_object(Session(messages={message.id: message}))
    assert {field.name for field in fields(Session) if field.compare} <= written.keys()
    assert {field.name for field in fields(Message)} == written["messages"][0].keys()
    assert {field.name for field in fields(Usage)} == as_object(_recapped())["messages"][0]["usage"].keys()
    assert {field.name for field in fields(Recap)} == as_object(_recapped())["messages"][0]["recap"].keys()
    assert {field.name for field in fields(Attachment)} == written["messages"][0]["attachments"][0].keys()


def _recapped() -> Session:
    message = Message(Role.USER, recap=Recap(), usage=Usage())
    return Session(messages={message.id: message})


def test_round_trip_through_the_store(store: Store) -> None:
    message = Message(Role.USER, "hello", attachments=(Attachment("a.png", "image/png", b"\x89PNG"),))
    session = Session(title="t", pinned=True, archived=True)
    session.add(message)
    store.save_whole(session_from(json.loads(to_json(session))).session)
    assert to_json(store.session(session.id).result()) == to_json(session)


WHOLE = as_object(
    Session(
        id="a" * 16,
        title="title",
        leaf_id="3",
        messages={
            m.id: m
            for m in (
                Message(Role.USER, "one", "1", attachments=(Attachment("n", "t", b"d"),)),
                Message(Role.ASSISTANT, "two", "2", "1"),
                Message(Role.USER, "three", "3", "2"),
            )
        },
    )
)


def sound(session: Session) -> None:
    """Assert that a session is clean, has no cycles and can be exported again."""
    assert clean(text := to_json(session)) == text
    assert session.leaf_id is None or session.leaf_id in session.messages
    for message in session.messages.values():
        seen, at = set[str](), message
        while at.parent_id in session.messages:
            assert at.id not in seen
            seen.add(at.id)
            at = session.messages[at.parent_id or ""]


@given(mutated(WHOLE) | JSON)
def test_wrong_types_are_harmless(value: Any) -> None:
    with suppress(EntryError):
        sound(session_from(value).session)


def changed(**more: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(WHOLE)), **more}


def test_unreadable_message_is_counted_and_skipped() -> None:
    source = changed()
    source["messages"][1]["role"] = "tool"
    found = session_from(source)
    assert found.lost == 1
    assert [message.text for message in found.session.path()] == ["one", "three"]


def test_unreadable_attachment_is_counted() -> None:
    source = changed()
    source["messages"][0]["attachments"].append({"name": "x", "media_type": "y", "data": "no base64!"})
    found = session_from(source)
    assert found.lost == 1
    assert [attachment.data for attachment in found.session.messages["1"].attachments] == [b"d"]


def test_cycles_are_broken() -> None:
    source = changed()
    source["messages"][0]["parent_id"] = "3"
    session = session_from(source).session
    sound(session)
    assert {message.text for message in session.path()} >= {"three"}
    assert len(session.messages) == 3


def test_control_characters_become_visible() -> None:
    source = changed(title="a\x1b]0;evil\x07\nb", system="\x1b[2J")
    source["messages"][0]["text"] = "\x9b31m\u202e"
    session = session_from(source).session
    assert session.title == "a␛]0;evil␇ b"
    assert session.system == "␛[2J"
    assert session.messages["1"].text == "\ufffd31m\ufffd"


def test_invalid_ids_are_replaced_by_stable_ones() -> None:
    odd = [session_from(changed(id=value)).session.id for value in ("../../etc/passwd", None, "x" * 500, 7)]
    again = [session_from(changed(id=value)).session.id for value in ("../../etc/passwd", None, "x" * 500, 7)]
    assert odd == again
    assert all(len(id_) == 16 and id_.isalnum() for id_ in odd)


@pytest.mark.parametrize("version", [2, "1", None, 99])
def test_newer_version_is_refused(version: object) -> None:
    with pytest.raises(EntryError, match="newer version of streamtui"):
        session_from(changed(version=version))


def test_invalid_parameter_is_dropped() -> None:
    found = session_from(changed(parameters={"temperature": 9, "seed": 7, "nonsense": 1, "extra": {"a\x1b": "\x1b"}}))
    assert found.session.parameters.as_dict() == {"seed": 7, "extra": {"a␛": "␛"}}


@given(st.lists(trees(), max_size=3))
def test_several_sessions_as_array_or_lines(sessions: list[Session]) -> None:
    from streamtui.exporters.export_files import json_parts

    assert json.loads("".join(json_parts(sessions))) == [as_object(session) for session in sessions]
    lines = "".join(json_parts(sessions, lines=True)).split("\n")
    assert [json.loads(line) for line in lines if line] == [as_object(session) for session in sessions]


def test_file_cannot_set_the_endpoint_address() -> None:
    written = as_object(Session(endpoint="evil.example", address="https://evil.example/v1"))
    assert "https" not in json.dumps(written)
    assert session_from({**written, "address": "https://evil.example/v1"}).session.address == ""
