"""Counting tokens: exactly where the encoding is at hand, by size where it is not, at any length alike."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamtui.conversation.token_usage import context_count
from streamtui.core.message import Attachment, Message, Role, Usage
from streamtui.tokens import Count, TokenCounter, counter, encoding_files, encodings, estimate, rounded
from streamtui.tokens.encoding_files import SOURCES, SourceError
from streamtui.tokens.encodings import counter_for, load_for
from tests.support.encodings import ranks, use_tiny

# Where tiktoken keeps the real ones on the machine that runs the tests; read before the tests hide it.
REAL = os.environ.get("TIKTOKEN_CACHE_DIR", "")


def tiny(pattern: str) -> tiktoken.Encoding:
    """An encoding with few tokens that cuts words as a real one does."""
    tokens = {token: rank for rank, token in enumerate(_tokens())}
    return tiktoken.Encoding("tiny", pat_str=pattern, mergeable_ranks=tokens, special_tokens={})


def _tokens() -> list[bytes]:
    from base64 import b64decode

    return [b64decode(line.split()[0]) for line in ranks().splitlines()]


TINY = [tiny(source.pattern) for source in SOURCES.values()]
NASTY = st.text(
    st.one_of(
        st.sampled_from(list(" \n\t'’.,/-_(){}0123456789abthesTHE。、一二три\u0301\u0483é\u200d\u2028😀½²")),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=300,
)


@pytest.mark.parametrize("encoding", TINY, ids=list(SOURCES))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=NASTY, cuts=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_pieces_count_as_the_whole(
    encoding: tiktoken.Encoding, monkeypatch: pytest.MonkeyPatch, text: str, cuts: list[int]
) -> None:
    monkeypatch.setattr(counter, "BLOCK", 12)
    counting, at = TokenCounter(encoding, exact=True), 0
    for size in cuts * len(text):
        counting.add(text[at : at + size])
        at += size
    whole = len(encoding.encode_ordinary(text))
    if counting.count.exact:
        assert counting.count.tokens == whole
    else:  # a word longer than a block was cut
        assert whole <= counting.count.tokens <= whole + len(text) // 12 * 2


def test_words_are_cut_at_places_that_change_nothing() -> None:
    text = "the thing's in the other one, on 12 things. " * 500
    counting = TokenCounter(TINY[0], exact=True)
    for letter in text:
        counting.add(letter)
    assert counting.count == Count(len(TINY[0].encode_ordinary(text)), True)


@pytest.mark.parametrize("letter", list(" \na="))
def test_texts_that_encodings_give_up_on_are_counted(letter: str) -> None:
    for encoding in TINY:
        counting = TokenCounter(encoding, exact=True)
        counting.add(letter * 1_000_000)
        assert not counting.count.exact
        assert counting.count.tokens > 1000


def test_a_text_that_names_special_tokens_is_text() -> None:
    counting = TokenCounter(TINY[0], exact=True)
    counting.add("<|endoftext|>")
    assert counting.count == Count(13, True)


def test_a_lone_surrogate_is_counted() -> None:
    counting = TokenCounter(TINY[0])
    counting.add("a\ud800b")
    assert counting.count.tokens >= 3


def test_without_an_encoding_the_size_counts() -> None:
    counting = TokenCounter()
    for _ in range(1_000):
        counting.add("four ")
    assert counting.count == Count(1_250, False)
    assert str(counting.count) == "~1,250"
    assert estimate("日本語") == 2


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (12_440, "12.4k"),
        (272_000, "272k"),
        (999_700, "1M"),
        (1_050_000, "1.05M"),
    ],
)
def test_rounded(tokens: int, shown: str) -> None:
    assert rounded(tokens) == shown
    assert Count(tokens, False).short == f"~{shown}"


# Which encoding, and whether it is at hand


@pytest.mark.parametrize(
    ("model", "fit"),
    [
        ("gpt-5-mini", ("o200k_base", True)),
        ("openai/gpt-4o", ("o200k_base", True)),
        ("gpt-oss-20b", ("o200k_base", True)),
        ("gpt-4-0613", ("cl100k_base", True)),
        ("gpt-6-luna", ("o200k_base", False)),
        ("llama3.1:8b", ("o200k_base", False)),
        ("text-davinci-003", ("o200k_base", False)),
        ("", ("o200k_base", False)),
    ],
)
def test_the_encoding_of_a_model(model: str, fit: tuple[str, bool]) -> None:
    assert encodings.encoding_for(model) == fit


def test_an_encoding_counts_once_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    source = use_tiny(monkeypatch)
    assert not load_for("gpt-5")
    assert not counter_for("gpt-5").count.exact
    encoding_files.store(source, ranks())
    assert load_for("gpt-5")
    own, other = counter_for("gpt-5"), counter_for("gpt-6-luna")
    own.add("the thing")
    other.add("the thing")
    assert (str(own.count), str(other.count)) == ("3", "~3")
    assert not counter_for("gpt-4").count.exact  # its encoding is another, and not at hand


def test_a_damaged_file_is_named_and_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    source = use_tiny(monkeypatch)
    file = encoding_files.store(source, ranks()[:-1])
    with pytest.raises(SourceError, match="Download it again"):
        load_for("gpt-5")
    assert file.exists()


def test_the_folder_is_that_of_tiktoken_where_one_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert tmp_path in encoding_files.folder().parents
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(tmp_path / "gym"))
    assert encoding_files.folder() == tmp_path / "gym"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "named"))
    assert encoding_files.folder() == tmp_path / "named"


def test_what_is_known_of_the_files_is_what_tiktoken_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    openai_public: Any = import_module("tiktoken_ext.openai_public")
    asked: list[tuple[str, str]] = []

    def note(url: str, expected_hash: str) -> dict[bytes, int]:
        asked.append((url, expected_hash))
        return {}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", note)
    for name, source in SOURCES.items():
        made: dict[str, Any] = openai_public.ENCODING_CONSTRUCTORS[name]()
        assert made["pat_str"] == source.pattern
        assert asked.pop() == (source.url, source.sha256)
    harmony = openai_public.ENCODING_CONSTRUCTORS["o200k_harmony"]()
    assert harmony["pat_str"] == SOURCES["o200k_base"].pattern
    assert asked.pop()[0] == SOURCES["o200k_base"].url


@pytest.mark.skipif(not REAL, reason="TIKTOKEN_CACHE_DIR names no folder with the real encodings")
def test_the_real_encodings_count_as_tiktoken_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", REAL)
    monkeypatch.setattr(encodings, "_loaded", {})
    text = Path(__file__).read_text("utf-8") + "Überraschung! 日本語のテキスト。 مرحبا हिन्दी\n\n\n\t  x" * 100
    for name, model in (("o200k_base", "gpt-5"), ("cl100k_base", "gpt-4")):
        if not load_for(model):
            pytest.skip(f"{name} is not there")
        counting = counter_for(model)
        for at in range(0, len(text), 7):
            counting.add(text[at : at + 7])
        assert counting.count == Count(len(tiktoken.get_encoding(name).encode_ordinary(text)), True)


# The context of a conversation


def test_the_server_is_believed_and_what_came_since_is_added() -> None:
    said = Message(Role.ASSISTANT, "x" * 4_000, usage=Usage(100, 20))
    path = [Message(Role.USER, "x" * 9_000), said]
    assert context_count(path, "a system prompt") == Count(120, True)
    assert context_count([*path, Message(Role.USER, "x" * 40)]) == Count(120 + 10 + 4, False)
    assert context_count([], "x" * 40) == Count(10, False)
    assert context_count([]) == Count(0, True)


def test_files_are_counted_and_images_are_not_by_their_bytes() -> None:
    text, image = Attachment("a.txt", "text/plain", b"x" * 400), Attachment("b.png", "image/png", b"x" * 900_000)
    assert context_count([Message(Role.USER, "", attachments=(text,))]).tokens == 100 + 4
    assert context_count([Message(Role.USER, "", attachments=(image,))]).tokens == 1_000 + 4


def test_much_text_is_estimated_even_with_an_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding_files.store(use_tiny(monkeypatch), ranks())
    assert load_for("gpt-5")
    assert context_count([Message(Role.USER, "the " * 1_000)], model="gpt-5").tokens == pytest.approx(1_004, abs=3)
    assert context_count([Message(Role.USER, "the " * 40_000)], model="gpt-5").tokens == 40_004
