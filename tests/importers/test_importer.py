"""Import into the store: only what is missing is added."""

import copy
from collections.abc import Iterable
from pathlib import Path

import pytest

from streamtui.core.message import Message, Role
from streamtui.core.session import Session, SessionFilter
from streamtui.importers import importer
from streamtui.importers.assets import Assets
from streamtui.importers.chatgpt import conversation as read_conversation
from streamtui.importers.import_report import Entry, ParsedSession, UnreadableEntry
from streamtui.importers.importer import Outcome, UnsavedError, import_sessions
from streamtui.storage import Store
from tests.support.samples import talk


def bring(store: Store, entries: Iterable[Entry | Session], *, dry_run: bool = False) -> list[tuple[Outcome, int]]:
    """Import sessions; return the outcome and the number of added messages of each."""
    found = (ParsedSession(entry) if isinstance(entry, Session) else entry for entry in entries)
    return [(result.outcome, result.messages) for result in import_sessions(found, store, dry_run=dry_run)]


def chat(*texts: str) -> Session:
    session = Session(title="mine", created=1.0)
    for n, text in enumerate(texts):
        session.add(Message(Role.ASSISTANT if n % 2 else Role.USER, text, created=1.0 + n))
    return session


def saved(store: Store, session: Session) -> Session:
    return store.session(session.id).result()


def test_importing_twice_adds_nothing(store: Store) -> None:
    sessions = [read_conversation(talk(n), Assets()).session for n in range(3)]
    assert bring(store, copy.deepcopy(sessions)) == [(Outcome.ADDED, 4)] * 3
    assert bring(store, copy.deepcopy(sessions)) == [(Outcome.UNCHANGED, 0)] * 3
    assert [saved(store, session) for session in sessions] == sessions


def test_duplicate_entry_is_imported_once(store: Store) -> None:
    session = chat("a", "b")
    expected = [(Outcome.ADDED, 2), (Outcome.UNCHANGED, 0)]
    assert bring(store, [session, copy.deepcopy(session)], dry_run=True) == expected
    assert bring(store, [session, copy.deepcopy(session)]) == expected


def test_new_messages_extend_the_session(store: Store) -> None:
    session = chat("a", "b")
    bring(store, [copy.deepcopy(session)])
    session.add(Message(Role.USER, "c", created=9.0))
    assert bring(store, [copy.deepcopy(session)]) == [(Outcome.UPDATED, 1)]
    assert [message.text for message in saved(store, session).path()] == ["a", "b", "c"]


def test_local_changes_stay(store: Store) -> None:
    session = chat("a", "b")
    bring(store, [copy.deepcopy(session)])
    store.rename(session.id, "renamed")
    store.set_pinned(session.id, True)
    here = saved(store, session)
    store.save_message(here.id, here.add(Message(Role.USER, "said here", created=5.0)))
    store.save_session(here)
    session.add(Message(Role.USER, "said there", created=9.0))
    assert bring(store, [copy.deepcopy(session)]) == [(Outcome.UPDATED, 1)]
    after = saved(store, session)
    assert (after.title, after.pinned) == ("renamed", True)
    assert [message.text for message in after.path()] == ["a", "b", "said here"]
    assert {message.text for message in after.messages.values()} == {"a", "b", "said here", "said there"}


def test_deleted_session_stays_deleted(store: Store) -> None:
    session = chat("a")
    bring(store, [copy.deepcopy(session)])
    store.trash(session.id)
    assert bring(store, [copy.deepcopy(session)]) == [(Outcome.IN_TRASH, 0)]
    assert store.sessions().result() == []
    assert len(store.sessions(where=SessionFilter(trashed=True)).result()) == 1


def test_dry_run_saves_nothing(store: Store) -> None:
    assert bring(store, [chat("a"), UnreadableEntry("x"), Session()], dry_run=True) == [
        (Outcome.ADDED, 1),
        (Outcome.BROKEN, 0),
        (Outcome.EMPTY, 0),
    ]
    assert store.sessions().result() == []


def test_archived_and_pinned_are_imported(store: Store) -> None:
    session = chat("a")
    session.archived = session.pinned = True
    bring(store, [copy.deepcopy(session)])
    assert saved(store, session) == session


def test_messages_of_another_session_are_reported(store: Store) -> None:
    session = chat("a", "b")
    bring(store, [copy.deepcopy(session)])
    other = copy.deepcopy(session)
    other.id, other.title = "another", "Copy"
    results = list(import_sessions([ParsedSession(other)], store))
    assert [result.outcome for result in results] == [Outcome.ADDED, Outcome.BROKEN]
    assert results[-1].problem == "“Copy”: skipped 2 messages with the id of a message in another session."


def test_failing_disk_is_reported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "WAIT_AFTER", 0)
    with Store(tmp_path / "sessions.db") as store:
        store.sessions().result()
        monkeypatch.setattr("streamtui.storage.worker_threads.connect", _full)
        with pytest.raises(UnsavedError, match="no space left"):
            bring(store, [chat("a"), chat("b")])


def _full(path: Path) -> None:
    raise OSError(28, "No space left on device")
