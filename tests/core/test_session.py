"""A session is a tree of messages with one path shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.core.message import Message, Role
from streamtui.core.session import TITLE_LENGTH, Session, title_from


def texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


def test_messages_follow_each_other() -> None:
    session = Session()
    first = session.add(Message(Role.USER, "one", created=5.0))
    second = session.add(Message(Role.ASSISTANT, "two", created=7.0))
    assert (first.parent_id, second.parent_id, session.leaf_id) == (None, first.id, second.id)
    assert texts(session.path()) == ["one", "two"]
    assert session.updated == 7.0
    assert session.title == "one"


def test_a_second_reply_is_a_sibling() -> None:
    session = Session()
    prompt = session.add(Message(Role.USER, "question"))
    session.add(Message(Role.ASSISTANT, "first"))
    session.leaf_id = prompt.id
    second = session.add(Message(Role.ASSISTANT, "second"))
    assert texts(session.path()) == ["question", "second"]
    assert texts(session.siblings(second)) == ["first", "second"]
    assert session.siblings(prompt) == [prompt]
    assert list(session.messages) == [message.id for message in session.messages.values()]


def test_an_edited_first_prompt_is_a_second_root() -> None:
    session = Session()
    session.add(Message(Role.USER, "draft"))
    session.leaf_id = None
    assert session.path() == []
    edited = session.add(Message(Role.USER, "final"))
    assert texts(session.path()) == ["final"]
    assert texts(session.siblings(edited)) == ["draft", "final"]
    assert session.title == "draft"


def test_the_last_message_of_a_role_is_on_the_path_shown() -> None:
    session = Session()
    assert session.last(Role.USER) is None
    prompt = session.add(Message(Role.USER, "question"))
    session.add(Message(Role.ASSISTANT, "elsewhere"))
    session.leaf_id = prompt.id
    assert session.last(Role.ASSISTANT) is None
    assert session.last(Role.USER) is prompt


def test_a_damaged_tree_still_has_a_path() -> None:
    one = Message(Role.USER, "one", id="1", parent_id="2")
    two = Message(Role.ASSISTANT, "two", id="2", parent_id="1")
    lost = Message(Role.USER, "lost", id="3", parent_id="gone")
    session = Session(messages={m.id: m for m in (one, two, lost)}, leaf_id="2")
    assert texts(session.path()) == ["one", "two"]
    session.leaf_id = "3"
    assert texts(session.path()) == ["lost"]
    session.leaf_id = "gone"
    assert session.path() == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", ""),
        ("\n\n---\n# Plan\nmore", "Plan"),
        ("a \x1b[31m b", "a ␛[31m b"),
        ("word " * 20, "word " * 10 + "word…"),
        ("x" * 80, "x" * 59 + "…"),
        (". " + "x" * 80, ". " + "x" * 57 + "…"),
    ],
)
def test_a_title_is_the_first_line_that_says_something(text: str, title: str) -> None:
    assert title_from(text) == title


@given(st.text(st.characters(categories=None)))
def test_a_title_is_short_and_on_one_line(text: str) -> None:
    title = title_from(text)
    assert len(title) <= TITLE_LENGTH
    assert "\n" not in title
    assert title.strip() == title
    assert title.encode().decode() == title
    assert title != "…" or "…" in text


def test_a_message_on_another_branch_is_shown_with_what_followed_it() -> None:
    session = Session()
    prompt = session.add(Message(Role.USER, "question"))
    first = session.add(Message(Role.ASSISTANT, "first"))
    session.add(Message(Role.USER, "thanks"))
    session.leaf_id = prompt.id
    session.add(Message(Role.ASSISTANT, "second"))
    assert session.show(prompt.id)
    assert texts(session.path()) == ["question", "second"]
    assert session.show(first.id)
    assert texts(session.path()) == ["question", "first", "thanks"]
    assert not session.show("nothing")


def test_a_fork_has_the_way_to_its_message_and_shares_nothing() -> None:
    session = Session(title="talk", endpoint="here", model="m", system="be kind")
    session.add(Message(Role.USER, "one"))
    second = session.add(Message(Role.ASSISTANT, "two"))
    session.add(Message(Role.USER, "three"))
    session.leaf_id = second.parent_id
    session.add(Message(Role.ASSISTANT, "another two"))
    fork = session.fork(second.id)
    assert texts(fork.path()) == ["one", "two"]
    assert len(fork.messages) == 2
    assert (fork.title, fork.endpoint, fork.model, fork.system) == ("talk (fork)", "here", "m", "be kind")
    assert not session.messages.keys() & fork.messages.keys()
    assert texts(session.path()) == ["one", "another two"]
    copy = session.copy()
    assert (texts(copy.path()), len(copy.messages), copy.title) == (texts(session.path()), 4, "talk (copy)")
    with pytest.raises(KeyError):
        session.fork("nothing")
