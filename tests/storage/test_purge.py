"""Permanent deletion leaves nothing in any file: not in the index, in freed pages or in the log."""

import random
import string
import time
from pathlib import Path

import pytest

from streamtui.core.message import Attachment, FinishReason, Message, Role
from streamtui.core.session import Session
from streamtui.storage import Draft, Store, purge, worker_threads
from streamtui.storage.recovery.check import check

CHANCE = random.Random(7)
SECRETS = [letter * 3 + "".join(CHANCE.choices(string.ascii_lowercase, k=12)) for letter in string.ascii_lowercase]


def fill(store: Store, words: list[str], sessions: int = 1) -> Session:
    """Save sessions with long replies of `words`, written as deltas, and return the last."""
    for _ in range(sessions):
        session = Session(title=words[0])
        prompt = Message(
            Role.USER, " ".join(words), attachments=(Attachment("a.txt", "text/plain", words[0].encode()),)
        )
        store.save_message(session.id, session.add(prompt))
        reply = session.add(Message(Role.ASSISTANT))
        store.save_session(session)
        store.save_message(session.id, reply)
        for _ in range(5):
            store.append_delta(reply.id, piece := " ".join(CHANCE.choices(words, k=200)), piece)
            store.latest().result(20)
            reply.text += piece
            reply.reasoning += piece
        reply.finish_reason = FinishReason.STOP
        store.save_message(session.id, reply)
    return session


def left(folder: Path) -> set[str]:
    """Return the secrets that a file still contains."""
    everything = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
    assert b"ordinary" in everything
    return {word for word in SECRETS if word.encode() in everything or word[2:].encode() in everything}


def test_deleted_text_is_removed_from_all_files_on_close(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with Store(path) as store:
        fill(store, ["ordinary", "words"], 5)
        session = fill(store, SECRETS)
        fill(store, ["ordinary", "others"], 5)
        store.save_draft(Draft(" ".join(SECRETS)))
        store.latest().result(20)
        assert left(tmp_path) == set(SECRETS)
        store.save_draft(Draft())
        store.delete_session(session.id)
    assert left(tmp_path) == set()
    assert check(path).findings == []
    with Store(path) as store:
        assert len(store.search("words").result(20)) == 10
        assert store.search(SECRETS[0]).result(20) == []


def test_deleted_text_is_removed_from_files_in_the_next_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_threads, "PAUSE", 0.05)
    monkeypatch.setattr(purge, "PAGES", 1)
    path = tmp_path / "sessions.db"
    with Store(path) as other, Store(path) as store:
        fill(store, ["ordinary", "words"], 5)
        session = fill(other, SECRETS)
        assert len(other.search(SECRETS[0]).result(20)) == 2
        store.delete_session(session.id)
        deadline = time.monotonic() + 30
        while left(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert left(tmp_path) == set()
