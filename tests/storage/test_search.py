"""Search matches and highlights other cases and accents, phrases, symbols, and parts of text without spaces."""

import re
import sqlite3
from contextlib import closing

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streamtui.core.message import Message, Role
from streamtui.core.search_query import Query
from streamtui.core.session import USUAL, Session, SessionFilter
from streamtui.storage import Store, schema, search_queries
from streamtui.storage.open_database import connect
from streamtui.storage.write_operations import save_whole


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
def test_words_in_text_without_spaces_are_found(store: Store, text: str, query: str) -> None:
    save(store, "something else", "北京 大学", text)
    hits = [hit for hit in store.search(query).result() if hit.snippet == text]
    assert len(hits) == 1
    assert {text[a:b].lower() for a, b in hits[0].spans} == set(query.lower().split())


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("🚀 launch", "🚀", "🚀"),
        ("the ❤️ of it", "❤", "❤️"),
        ("the ❤ of it", "❤️", "❤"),
        ("🏳️‍🌈 flag", "🏳‍🌈", "🏳️‍🌈"),
        ("👍🏽 done", "👍", "👍"),
        ("written in C++, mostly", "C++", "C++"),
        ("written in C++, mostly", "c++ mos", "C++ mos"),
        ("written in C# mostly", "c#", "C#"),
        ("why?!", "?!", "?!"),
        ("100% of a_b", "%", "%"),
        ("100% of a_b", "a_b", "a_b"),
        ("a \\ path", "\\", "\\"),
        ("open main.py now", "main.py", "main.py"),
        ("say “hello” now", '"hello"', "hello"),
        ("don’t", "don't", "don’t"),
        ("the quick **brown** fox", '"quick brown"', "quick **brown"),
        ("the quick brown fox", '"quick bro', "quick bro"),
        ("ёлка", "елка", "ёлка"),
        ("елка", "ёлка", "елка"),
        ("и\u0306од", "йод", "и\u0306од"),
        ("Καλημέρα ΚΌΣΜΟΣ", "καλημερα κοσμος", "Καλημέρα ΚΌΣΜΟΣ"),
        ("re\u0301sume\u0301 sent", "résumé", "re\u0301sume\u0301"),
        ("résumé sent", "resume", "résumé"),
        ("Tiếng Việt", "tieng viet", "Tiếng Việt"),
        ("שָׁלוֹם", "שלום", "שָׁלוֹם"),
        ("مُحَمَّد", "محمد", "مُحَمَّد"),
        ("हिन्दी में", "हिन्दी", "हिन्दी"),
        ("ผมชอบกินข้าวผัดมาก", "ข้าวผัด", "ข้าวผัด"),
        ("ผมชอบกินข้าวผัดมาก", "กิน", "กิน"),
        ("ខ្ញុំស្រលាញ់អ្នក", "ស្រលាញ់", "ស្រលាញ់"),
        ("co\u00adoperate", "cooperate", "co\u00adoperate"),
        ("Łódź", "lodz", "Łódź"),
    ],
)
def test_symbols_phrases_and_accents_are_found_in_texts_and_titles(
    store: Store, text: str, query: str, found: str
) -> None:
    save(store, "something else", "c plus plus, 100 of ab, dont open main-py; quick fox, brown", text)
    titled = Session(title=text)
    store.save_message(titled.id, titled.add(Message(Role.USER, "in the title")))
    store.save_session(titled)
    assert [hit.snippet for hit in store.search(query).result()] == [text]
    marked = Query(query).spans(text)
    assert " ".join(text[start:end] for start, end in marked) == found
    if "**" not in text:
        assert [s.id for s in store.sessions(where=SessionFilter(words=query)).result()] == [titled.id]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("北京大学", "京北"),
        ("北京大学", "北大"),
        ("使用Docker", "ocker"),
        ("plain words", "🚀"),
        ("plain words", "?!"),
        ("plain words", "\ufe0f"),
        ("plain words", '""'),
        ("c and f", "c++"),
        ("a C# and c", "c++"),
        ("abc++", "c++"),
        ("quick and brown", '"quick brown"'),
        ("quick browner", '"quick brown"'),
        ("กัน", "กิน"),
        ("हद", "हिन्दी"),
        ("a\\_b", "a_b"),
        ("percent", "%"),
    ],
)
def test_absent_text_is_not_found(store: Store, text: str, query: str) -> None:
    """Titles also match inside words."""
    save(store, text)
    assert store.search(query).result() == []
    assert store.prompts(query).result() == []
    assert query.strip('"').lower() in text.lower() or not store.sessions(where=SessionFilter(words=query)).result()
    assert not Query(query).matches(text)


def test_index_follows_every_change(store: Store) -> None:
    session = save(store, "plain", "京都", "plain too")
    path = session.path()
    for message, text in zip(path, ("大学の", "no more", "plain too"), strict=True):
        message.text = text
        store.save_message(session.id, message)
    store.append_delta(path[2].id, "と東京")
    assert [len(store.search(query).result()) for query in ("京都", "学の", "more", "東京")] == [0, 1, 1, 1]
    store.close()
    store.remember("any", "write")
    assert len(store.search("東京").result()) == 1
    with connect(store.path) as connection:
        connection.execute("INSERT INTO message_index(message_index, rank) VALUES ('integrity-check', 1)")
    store.delete_session(session.id)
    assert store.search("東京").result() == []


def test_interrupted_reply_is_found_before_the_next_write(store: Store) -> None:
    session = save(store, "older begins")
    reply = session.add(Message(Role.ASSISTANT, "it begins"))
    store.save_message(session.id, reply)
    for piece in (" here and", " ends with C", "++ in the mid", "dle of a word"):
        store.append_delta(reply.id, piece)
        store.latest().result()
    assert store.close()
    with Store(store.path, saves=False) as other:
        for query in ("middle", "c++", '"begins here"', "it begins word"):
            assert [hit.message_id for hit in other.search(query).result()] == [reply.id], query
        assert [hit.snippet[:5] for hit in other.search("begins").result()] == ["it be", "older"]
        assert len(other.search("begins", limit=1).result()) == 1
        assert other.search("middles").result() == []


WORDS = st.text(st.sampled_from("abcàeе́ёἀ1+#_-.'\"“❤\ufe0f\u0301กิ่ข京都ひ。 \n"), max_size=12)


@given(WORDS, WORDS)
def test_search_finds_what_the_screen_highlights(text: str, typed: str) -> None:
    assume(not re.search("[-+#_.][\u0301\ufe0f]+[-+#_.]", text))  # an accent on a symbol keeps it from being found
    query = Query(typed)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.register_functions(connection)
        for step in schema.MIGRATIONS:
            for statement in step:
                connection.execute(statement)
        session = Session(title=text)
        session.add(Message(Role.USER, text))
        save_whole(session)(connection)
        hits = search_queries.search(connection, typed, 10, USUAL)
    assert bool(hits) == query.matches(text)
    assert query.spans(text) or not hits


def test_excerpt_shows_words_close_together() -> None:
    text = "word " * 100 + "here a rare\nthing stands by a word, " + "more " * 100
    query = Query("word rare thi")
    excerpt = query.excerpt(text)
    assert excerpt.startswith("…")
    assert excerpt.endswith("…")
    assert "a rare thing stands by a word, more" in excerpt
    assert len(excerpt) <= 162
    assert {excerpt[a:b] for a, b in query.spans(excerpt)} == {"word", "rare", "thi"}
    assert Query("nowhere").excerpt("short  text\n") == "short text"
