"""Saved data round-trips: sessions, streaming replies, models, strings, search."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role, Timing, Usage
from streamtui.core.models import ModelInfo
from streamtui.core.sanitize import clean
from streamtui.core.session import Session, SessionFilter
from streamtui.storage import Store, StoreError

LINE = st.text(max_size=20).map(clean)
TIMES = st.floats(0, 4e9)
COUNTS = st.integers(0, 2**40)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(Role),
    text=st.text().map(clean),
    created=TIMES,
    reasoning=LINE,
    endpoint=LINE,
    model=LINE,
    finish_reason=st.none() | st.sampled_from(FinishReason),
    error=LINE,
    usage=st.none() | st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS),
    timing=st.none() | st.builds(Timing, st.none() | TIMES, st.none() | TIMES, TIMES),
    recap=st.none() | st.builds(Recap, LINE, TIMES, LINE, st.none() | st.builds(Usage, COUNTS, COUNTS)),
    attachments=st.lists(st.builds(Attachment, LINE, LINE, st.binary(max_size=50)), max_size=2).map(tuple),
)


@st.composite
def trees(draw: st.DrawFn) -> Session:
    session = draw(st.builds(Session, title=LINE, endpoint=LINE, model=LINE, system=LINE, created=TIMES))
    for message in draw(st.lists(MESSAGES, min_size=1, max_size=6)):
        session.leaf_id = draw(st.sampled_from([None, *session.messages]))
        session.add(message)
    session.leaf_id = draw(st.sampled_from([*session.messages]))
    return session


def save(store: Store, session: Session) -> None:
    store.save_session(session)
    for message in session.messages.values():
        store.save_message(session.id, message)


def chat(*texts: str, when: float = 1.0) -> Session:
    session = Session(created=when)
    for n, text in enumerate(texts):
        role = Role.ASSISTANT if n % 2 else Role.USER
        session.add(Message(role, text, created=when + n, finish_reason=FinishReason.STOP if n % 2 else None))
    return session


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        yield store
        assert store.save_error == ""


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("shared") / "sessions.db") as store:
        yield store


@settings(max_examples=60)
@given(trees())
def test_session_round_trips(shared_store: Store, session: Session) -> None:
    save(shared_store, session)
    back = shared_store.session(session.id).result()
    assert back == session
    assert list(back.messages) == list(session.messages)


def test_no_file_is_created_before_first_use(path: Path) -> None:
    with Store(path):
        pass
    assert not path.parent.exists()


def test_files_are_private_whatever_the_umask(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    before = os.umask(0)
    try:
        with Store(link) as store:
            store.remember("key", "value")
            assert store.recall("key").result() == "value"
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(["sessions.db", "sessions.db-wal", "sessions.db-shm"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_save_takes_a_snapshot(store: Store) -> None:
    session = chat("before")
    save(store, session)
    session.title = "after"
    session.messages[session.leaf_id or ""].text = "after"
    back = store.session(session.id).result()
    assert [back.title, *(m.text for m in back.path())] == ["before", "before"]


def test_deltas_are_appended_and_replaced_by_the_final_message(store: Store, path: Path) -> None:
    session = chat("Question")
    reply = session.add(Message(Role.ASSISTANT, "Quetz", reasoning="H"))
    save(store, session)
    for piece in ("al", "coatl", " flies"):
        store.append_delta(reply.id, text=piece)
    store.append_delta(reply.id, reasoning="mm")
    growing = store.session(session.id).result().messages[reply.id]
    assert (growing.text, growing.reasoning, growing.finish_reason) == ("Quetzalcoatl flies", "Hmm", None)
    assert len(store.search("flies").result()) == 1
    reply.text, reply.reasoning, reply.finish_reason = "Quetzalcoatl flies.", "Hmm.", FinishReason.STOP
    store.save_message(session.id, reply)
    assert store.session(session.id).result().messages[reply.id] == reply
    assert [hit.message_id for hit in store.search("flies").result()] == [reply.id]
    assert store.search("Quetz").result()[0].snippet == "Quetzalcoatl flies."


def test_interrupted_reply_is_searchable_after_restart(path: Path) -> None:
    session = chat("Question", "Begun")
    with Store(path) as store:
        save(store, session)
        store.append_delta(session.leaf_id or "", text=" interrupted", reasoning="because")
    with Store(path) as store:
        store.remember("any", "write")
        assert [hit.message_id for hit in store.search("interrupted").result()] == [session.leaf_id]
        reply = store.session(session.id).result().path()[-1]
        assert (reply.text, reply.reasoning) == ("Begun interrupted", "because")
        store.append_delta(reply.id, text=" and continued")
        assert store.session(session.id).result().path()[-1].text == "Begun interrupted and continued"


def test_sessions_are_listed_newest_first(store: Store) -> None:
    for n in range(5):
        save(store, chat(f"session {n}", "reply", when=100.0 * ((n * 3) % 5)))
    store.save_session(Session(title="empty", updated=1e9))
    found = store.sessions().result()
    assert [s.title for s in found] == [f"session {n}" for n in (3, 1, 4, 2, 0)]
    assert {s.messages for s in found} == {2}
    assert store.sessions(limit=2, offset=1).result() == found[1:3]
    assert store.latest().result() == found[0].id


def test_empty_store_returns_nothing(store: Store) -> None:
    assert store.sessions().result() == []
    assert store.latest().result() is None
    assert store.search("word").result() == []
    assert store.recall("key").result() is None
    assert store.models("here").result() == []


def test_session_is_found_by_id_prefix(store: Store) -> None:
    for id_ in ("abc1", "abc12", "abd"):
        session = chat(id_)
        session.id = id_
        save(store, session)
    assert store.session("abd").result().id == "abd"
    assert store.session("abc12").result().id == "abc12"
    assert store.session("abc1").result().id == "abc1"
    with pytest.raises(StoreError, match="More than one saved session has an ID that starts with “ab”"):
        store.session("ab").result()
    for unknown in ("", "x", "abc123", "a%", "\x1b[2J", "\udcff", "'"):
        with pytest.raises(StoreError, match=r"^No saved session has an ID that starts with “[^\x1b]*”"):
            store.session(unknown).result()


def test_unsaved_leaf_falls_back_to_newest_message(store: Store) -> None:
    session = chat("one", "two")
    save(store, session)
    session.add(Message(Role.USER, "lost"))
    store.save_session(session)
    assert [m.text for m in store.session(session.id).result().path()] == ["one", "two"]


def test_message_without_session_creates_one(store: Store) -> None:
    message = Message(Role.USER, "alone", created=7.0)
    store.save_message("5e55", message)
    assert [m.text for m in store.session("5e55").result().path()] == ["alone"]
    assert store.latest().result() == "5e55"


def test_delete_session_removes_messages_and_unused_attachments(store: Store) -> None:
    shared, own = Attachment("a.txt", "text/plain", b"shared"), Attachment("b.txt", "text/plain", b"own")
    kept, deleted = chat("kept word"), chat("deleted word")
    kept.path()[0].attachments = (shared,)
    deleted.path()[0].attachments = (shared, own, shared)
    save(store, kept)
    save(store, deleted)
    store.delete_session(deleted.id)
    store.append_delta(deleted.leaf_id or "", text="too late")
    assert [hit.session_id for hit in store.search("word").result()] == [kept.id]
    assert [s.id for s in store.sessions().result()] == [kept.id]
    assert store.session(kept.id).result() == kept
    with pytest.raises(StoreError, match="No saved session"):
        store.session(deleted.id).result()
    save(store, deleted)
    assert store.session(deleted.id).result() == deleted


def test_remembered_strings_persist(path: Path) -> None:
    with Store(path) as store:
        store.remember("model", "one")
        store.remember("model", "two")
        assert store.recall("model").result() == "two"
    with Store(path) as store:
        assert store.recall("model").result() == "two"
        assert store.recall("other").result() is None


def test_model_catalog_is_saved_per_endpoint(store: Store) -> None:
    one = ModelInfo("one", window=8_000)
    priced = ModelInfo("two", input_price=1.0, output_price=2.0, cached_price=0.5)
    assert store.catalog("here").result(5) == {}
    store.save_catalog("here", [one, ModelInfo("nothing is said of it"), priced])
    store.save_catalog("there", [ModelInfo("one", window=4_000)])
    assert store.catalog("here").result(5) == {"one": one, "two": priced}
    store.save_catalog("here", [priced])
    assert store.catalog("here").result(5) == {"two": priced}
    store.remember("catalogue here", '[{"window": 3}]')  # as another version might keep it
    assert store.catalog("here").result(5) == {}


def test_models_are_listed_most_recently_used_first(store: Store) -> None:
    store.set_favorite("here", "loved", True)
    for name in ("first", "second", "first"):
        store.use_model("here", name)
    store.use_model("there", "third")
    store.set_favorite("here", "second", True)
    store.set_favorite("here", "second", False)
    found = store.models("here").result()
    assert [model.name for model in found] == ["first", "second", "loved"]
    assert [model.favorite for model in found] == [False, False, True]
    assert found[0].last_used >= found[1].last_used > found[2].last_used == 0


def test_search_hits_have_snippets_and_spans(store: Store) -> None:
    save(store, chat("The Café is\nopen", "other words", "cafe again", "the café"))
    hits = store.search("THE caf").result()
    assert [hit.snippet for hit in hits] == ["the café", "The Café is open"]
    assert [[hit.snippet[a:b] for a, b in hit.spans] for hit in hits] == [["the", "caf"], ["The", "Caf"]]
    assert [hit.role for hit in hits] == [Role.ASSISTANT, Role.USER]
    assert hits[0].title == "The Café is"
    assert len(store.search("caf", limit=2).result()) == 2


def test_edited_message_is_found_by_new_text_only(store: Store) -> None:
    session = chat("former")
    save(store, session)
    session.path()[0].text = "latter"
    save(store, session)
    assert store.search("former").result() == []
    assert len(store.search("latter").result()) == 1


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "'",
        "a-b",
        "c++",
        "foo AND",
        "NOT",
        "*",
        "",
        " ",
        "\0",
        "\udcff",
        "(((",
        "{text}: a",
        "^a",
        "a:b",
        "NEAR(a b)",
    ],
)
def test_special_characters_in_query_are_not_errors(store: Store, query: str) -> None:
    save(store, chat("a-b c++ foo and not near a b"))
    assert len(store.search(query).result()) <= 1


@settings(max_examples=100)
@given(
    st.text(st.characters(categories=None))
    | st.lists(st.sampled_from('"*^():-+AND OR\0a\u0301'), max_size=400).map("".join)
)
def test_any_query_can_be_searched(shared_store: Store, query: str) -> None:
    assert isinstance(shared_store.search(query).result(), list)


def test_long_query_is_truncated(store: Store) -> None:
    save(store, chat("word"))
    assert len(store.search("word " * 50_000).result()) == 1


def test_unstorable_values_are_replaced(store: Store) -> None:
    file = Attachment("bad\udcff.txt", "text/plain", b"")
    message = Message(Role.USER, "\udcff", created=float("nan"), attachments=(file,))
    store.save_message("5e55", message)
    back = store.session("5e55").result().path()[0]
    assert (back.text, back.created, back.attachments[0].name) == ("\ufffd", 0.0, "bad\ufffd.txt")


async def test_reads_can_be_awaited(store: Store) -> None:
    save(store, chat("hello"))
    found = await asyncio.wrap_future(store.sessions())
    assert [summary.title for summary in found] == ["hello"]


def test_closed_store_reopens(path: Path) -> None:
    store = Store(path)
    store.remember("key", "one")
    assert store.close()
    assert not path.with_name("sessions.db-wal").exists()
    store.remember("key", "two")
    assert store.recall("key").result() == "two"
    assert store.close()


def titles(store: Store, **where: Any) -> list[str]:
    return [summary.title for summary in store.sessions(where=SessionFilter(**where)).result()]


@pytest.fixture
def shelf(store: Store) -> dict[str, Session]:
    """Return a plain, a pinned, an archived and a trashed session, and one with another endpoint and model."""
    shelf = {name: chat(f"{name} café", "a common reply") for name in ("usual", "pinned", "archived", "trashed", "far")}
    for n, session in enumerate(shelf.values()):
        session.endpoint, session.model, session.updated = "here", "m-1", 100.0 * n + 10
        save(store, session)
    shelf["far"].endpoint, shelf["far"].model = "there", "m-2"
    store.save_session(shelf["far"])
    store.set_pinned(shelf["pinned"].id, True)
    store.set_archived(shelf["archived"].id, True)
    store.trash(shelf["trashed"].id)
    return shelf


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({}, ["pinned", "far", "usual"]),
        ({"pinned": True}, ["pinned"]),
        ({"pinned": False}, ["far", "usual"]),
        ({"archived": True}, ["archived"]),
        ({"archived": None}, ["pinned", "far", "archived", "usual"]),
        ({"trashed": True}, ["trashed"]),
        ({"endpoint": "there"}, ["far"]),
        ({"model": "m-1"}, ["pinned", "usual"]),
        ({"words": "CAFE us"}, ["usual"]),
    ],
)
def test_filters_apply_to_list_and_search(
    store: Store, shelf: dict[str, Session], where: dict[str, Any], names: list[str]
) -> None:
    assert titles(store, **where) == [f"{name} café" for name in names]
    assert store.count(SessionFilter(**where)).result() == len(names)
    found = store.search("cafe", where=SessionFilter(**where)).result()
    assert [hit.session_id for hit in found] == [s.id for n, s in reversed(shelf.items()) if n in names]


def test_search_continues_after_a_hit(store: Store, shelf: dict[str, Session]) -> None:
    first = store.search("common", limit=2).result()
    rest = store.search("common", before=first[-1].place).result()
    assert [hit.session_id for hit in first + rest] == [shelf[name].id for name in ("far", "pinned", "usual")]


def test_save_session_does_not_change_title(store: Store, shelf: dict[str, Session]) -> None:
    session = shelf["usual"]
    store.rename(session.id, "renamed elsewhere")
    store.save_session(session)
    assert store.session(session.id).result().title == "renamed elsewhere"


def test_new_message_restores_session_from_trash(store: Store, shelf: dict[str, Session]) -> None:
    session = shelf["trashed"]
    save(store, session)
    assert titles(store, trashed=True) == ["trashed café"]
    store.save_message(session.id, session.add(Message(Role.USER, "still here")))
    assert titles(store, trashed=True) == []


def test_empty_trash_deletes_old_sessions_only(store: Store, shelf: dict[str, Session]) -> None:
    store.empty_trash()
    assert titles(store, trashed=True) == ["trashed café"]
    store.empty_trash(days=-1)
    assert titles(store, trashed=True) == []
    with pytest.raises(StoreError):
        store.session(shelf["trashed"].id).result()
    store.trash(shelf["far"].id)
    store.restore(shelf["far"].id)
    assert "far café" in titles(store)


def test_duplicate_is_independent(store: Store, shelf: dict[str, Session]) -> None:
    original = shelf["usual"]
    original.path()[0].attachments = (Attachment("a.txt", "text/plain", b"bytes"),)
    save(store, original)
    copy = store.session(store.duplicate(original.id).result()).result()
    assert [(m.text, m.attachments) for m in copy.path()] == [(m.text, m.attachments) for m in original.path()]
    assert titles(store)[1] == "usual café (copy)"
    store.delete_session(copy.id)
    assert store.session(original.id).result() == original
    with pytest.raises(StoreError):
        store.duplicate("nothing").result()


@settings(max_examples=20)
@given(trees(), st.booleans(), st.booleans())
def test_save_whole_round_trips(shared_store: Store, session: Session, pinned: bool, put: bool) -> None:
    session.pinned, session.archived = pinned, put
    shared_store.save_whole(session)
    assert shared_store.session(session.id).result() == session


def test_facets_count_endpoints_and_models(store: Store, shelf: dict[str, Session]) -> None:
    found = store.facets().result()
    assert list(found.endpoints.items()) == [("here", 3), ("there", 1)]
    assert list(found.models.items()) == [("m-1", 3), ("m-2", 1)]


def test_preview_omits_attachment_content(store: Store) -> None:
    session = chat("look at this", "I see", "and now?")
    session.path()[0].attachments = (Attachment("a.txt", "text/plain", b"bytes"),)
    second = session.path()[1]
    session.leaf_id = session.path()[0].id
    session.add(Message(Role.ASSISTANT, "another"))
    save(store, session)
    path = store.preview(session.id).result()
    assert [message.text for message in path] == ["look at this", "another"]
    assert path[0].attachments == (Attachment("a.txt", "text/plain", b""),)
    assert [m.text for m in store.preview(session.id, second.id).result()] == ["look at this", "I see", "and now?"]


def test_prompts_are_unique_and_newest_first(store: Store, shelf: dict[str, Session]) -> None:
    save(store, chat("common question", "no prompt", "usual café", "", "京都の話", when=1e9))
    assert store.prompts().result()[:3] == ["京都の話", "usual café", "common question"]
    assert store.prompts("common").result() == ["common question"]
    assert store.prompts("都の").result() == ["京都の話"]
    assert len(store.prompts("caf", limit=2).result()) == 2
    assert "trashed café" not in store.prompts("caf").result()
