"""Messages that are sent, and those excluded when the context window overflows."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtui.conversation.request_context import TARGET_SHARE, Overflow, overflow, reply_budget, sent_messages
from streamtui.core.message import Message, Recap, Role, Usage
from streamtui.core.session import first_sent
from streamtui.tokens import Count


def turns(*texts: str) -> list[Message]:
    """A path of prompts and replies in turn, one a second."""
    roles = (Role.USER, Role.ASSISTANT)
    return [Message(roles[i % 2], text, created=float(i)) for i, text in enumerate(texts)]


def texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


def test_all_is_sent_where_nothing_is_left_out() -> None:
    path = turns("a", "b", "c")
    assert sent_messages(path) == path
    assert sent_messages([]) == []
    assert first_sent([]) == 0


def test_nothing_before_a_recap_is_sent() -> None:
    path = turns("a", "b", "c", "d", "e")
    path[2].recap = Recap()
    assert texts(sent_messages(path)) == ["c", "d", "e"]
    path[4].recap = Recap()
    assert texts(sent_messages(path)) == ["e"]
    assert first_sent(path) == 4
    assert texts(path) == ["a", "b", "c", "d", "e"], "and nothing is lost"


def test_a_summary_stands_before_the_first_prompt_that_is_sent() -> None:
    path = turns("a", "b", "c", "d")
    path[2].recap = Recap("They spoke of letters.")
    first, second = sent_messages(path)
    assert (first.role, second.text) == (Role.USER, "d")
    assert first.text.index("They spoke of letters.") < first.text.index("\n\nc")
    assert path[2].text == "c"


def test_what_a_server_counted_before_counts_no_more() -> None:
    path = turns("a", "b", "c", "d")
    path[1].usage = path[3].usage = Usage(1000, 10)
    path[2].recap = Recap(created=2.5)
    assert [message.usage for message in sent_messages(path)] == [None, Usage(1000, 10)]
    path[2].recap = Recap(created=3.5)
    assert [message.usage for message in sent_messages(path)] == [None, None]


def words(number: int) -> str:
    """A text of about so many tokens."""
    return "abc " * number


def test_what_fits_is_no_overflow() -> None:
    assert overflow(turns("a", "b", "c"), Count(900, True), 1000, 100) is None
    assert overflow(turns("a", "b", "c"), Count(901, True), 1000, 100) is not None


def test_as_many_of_the_oldest_turns_are_left_out_as_leave_room_for_more() -> None:
    path = turns(*[words(100)] * 10, "and now?")
    found = overflow(path, Count(1000, False), 1000, 100)
    assert found == Overflow(1000, Count(1100, False), 6, 6, True)


def test_what_was_left_out_before_is_not_counted_again() -> None:
    path = turns(*[words(100)] * 10, "and now?")
    path[4].recap = Recap()
    found = overflow(path, Count(620, False), 600, 60)
    assert found is not None
    assert (found.keep_from, found.left_out, found.fits) == (8, 4, True)


def test_the_prompt_itself_is_never_left_out() -> None:
    found = overflow(turns(words(100), words(100), words(1000)), Count(1200, False), 500, 50)
    assert found is not None
    assert (found.keep_from, found.left_out, found.fits) == (2, 2, False)
    found = overflow(turns(words(1000)), Count(1000, False), 500, 50)
    assert found is not None
    assert (found.keep_from, found.left_out, found.fits) == (0, 0, False)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=30), st.integers(10, 3000), st.integers(1, 500))
def test_what_is_kept_begins_with_a_prompt_and_is_as_much_as_may_be(sizes: list[int], window: int, room: int) -> None:
    path = turns(*map(words, sizes))
    if len(path) % 2 == 0:
        path.append(Message(Role.USER, "and now?"))
    total = sum(len(message.text) // 4 + 4 for message in path)
    found = overflow(path, Count(total, False), window, room)
    if found is None:
        assert total + room <= window
        return
    assert path[found.keep_from].role is Role.USER
    assert found.left_out == found.keep_from
    left = [total + room - sum(len(m.text) // 4 + 4 for m in path[:at]) for at in range(0, len(path), 2)]
    if found.left_out and found.keep_from < len(path) - 1:
        at = found.keep_from // 2
        assert left[at] <= TARGET_SHARE * window + len(path)
        assert left[at - 1] > TARGET_SHARE * window - len(path)
    if found.fits:
        assert left[found.keep_from // 2] <= window + len(path)


@pytest.mark.parametrize(
    ("window", "limit", "room"), [(8000, None, 1000), (128_000, None, 4096), (8000, 50, 50), (80, 50, 40)]
)
def test_room_is_kept_for_the_reply(window: int, limit: int | None, room: int) -> None:
    assert reply_budget(window, limit) == room


def test_copies_of_messages_keep_their_recap() -> None:
    message = Message(Role.USER, "c", recap=Recap("so far"))
    assert replace(message, id="other").recap == message.recap
