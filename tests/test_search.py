"""Words are found and marked: in other cases and accents, unfinished, inside Chinese, Japanese and Korean."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.message import Message, Role
from streamtui.search import Query, spaced
from streamtui.session import Session
from streamtui.store import Store
from streamtui.store.opening import connect

RUNS = "京都大学ひらカナー서울"
SCRIPTS = st.text(st.sampled_from(f"aàb1 。,-\n{RUNS}"), max_size=40)


def save(store: Store, *texts: str) -> Session:
    session = Session(created=1.0)
    for text in texts:
        store.save_message(session.id, session.add(Message(Role.USER, text, created=1.0)))
    store.save_session(session)
    return session


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("我在北京大学读书", "京大"),
        ("我在北京大学读书", "北京大学"),
        ("我在北京大学读书", "学 京"),
        ("請問使用Docker部署的方法", "docker 部署"),
        ("請問使用Docker部署的方法", "Docker部"),
        ("請問使用Docker部署的方法", "用docker"),
        ("プログラミング言語の入門", "言語"),
        ("プログラミング言語の入門", "グラミ"),
        ("서울특별시에서 만나요", "특별시"),
        ("한글 문서", "글"),
    ],
)
def test_words_inside_a_run_are_found(store: Store, text: str, query: str) -> None:
    save(store, "something else", "北京 大学", text)
    hits = [hit for hit in store.search(query).result() if hit.snippet == text]
    assert len(hits) == 1
    assert {text[a:b].lower() for a, b in hits[0].spans} == set(query.lower().split())


@pytest.mark.parametrize(("text", "query"), [("北京大学", "京北"), ("北京大学", "北大"), ("使用Docker", "ocker")])
def test_what_does_not_stand_there_is_not_found(store: Store, text: str, query: str) -> None:
    save(store, text)
    assert store.search(query).result() == []


def test_the_index_of_pairs_follows_every_change(store: Store) -> None:
    session = save(store, "plain", "京都", "plain too")
    path = session.path()
    for message, text in zip(path, ("大学の", "no more", "plain too"), strict=True):
        message.text = text
        store.save_message(session.id, message)
    store.grow(path[2].id, "と東京")
    assert [len(store.search(query).result()) for query in ("京都", "学の", "more")] == [0, 1, 1]
    store.close()
    store.remember("any", "write")
    assert len(store.search("東京").result()) == 1
    with connect(store.path) as connection:
        connection.execute("INSERT INTO spaced_index(spaced_index, rank) VALUES ('integrity-check', 1)")
        connection.execute("INSERT INTO message_index(message_index, rank) VALUES ('integrity-check', 1)")
    store.delete_session(session.id)
    assert store.search("東京").result() == []


@given(st.data())
def test_whatever_begins_with_a_character_of_a_run_is_found(data: st.DataObject) -> None:
    text = data.draw(SCRIPTS.filter(spaced))
    start = data.draw(st.sampled_from([at for at, character in enumerate(text) if character in RUNS]))
    end = data.draw(st.integers(start + 1, len(text)))
    query = Query(text[start:end].split()[0])
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE i USING fts5(t, tokenize='unicode61 remove_diacritics 2', prefix='1')")
        connection.execute("INSERT INTO i VALUES (?)", (spaced(text),))
        assert connection.execute("SELECT count(*) FROM i WHERE i MATCH ?", (query.expression,)).fetchone() == (1,)
    assert any(at <= start < to for at, to in query.spans(text))
    assert query.is_in(text)


def test_an_excerpt_is_where_the_words_stand_together() -> None:
    text = "word " * 100 + "here a rare\nthing stands by a word, " + "more " * 100
    query = Query("word rare thi")
    excerpt = query.excerpt(text)
    assert excerpt.startswith("…")
    assert excerpt.endswith("…")
    assert "a rare thing stands by a word, more" in excerpt
    assert len(excerpt) <= 162
    assert {excerpt[a:b] for a, b in query.spans(excerpt)} == {"word", "rare", "thi"}
    assert Query("nowhere").excerpt("short  text\n") == "short text"
