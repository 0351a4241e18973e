"""Highlighting: no character is lost, peeking changes nothing, lines look as they do in the whole block."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexer import RegexLexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import Keyword, Name

from streamtui.highlighting import line_lexers
from streamtui.highlighting.highlighter import LINE_LIMIT, STYLES, WHOLE_LIMIT, Highlighter, Run
from tests.support.snippets import SNIPPETS

EVERY_LANGUAGE = sorted(aliases[0] for _, aliases, _, _ in get_all_lexers(plugins=False) if aliases)
OPENERS = [
    *list("\"'`/*#<>{}()[]$\\=:;.,-_%@!|&\t 09az\r"),
    *[
        '"""',
        "'''",
        "/*",
        "*/",
        "<!--",
        "-->",
        "<<EOF",
        "EOF",
        "${",
        "r#",
        "//",
        "--",
        "def f(",
        "class A",
        "if x",
    ],
    *[
        "<script>",
        "</script>",
        "<?php",
        "```py",
        "key: |",
        "  ",
        "é",
        "漢字",
        "🙂",
        "\u2028",
        "\x00",
        "#{",
        "{{",
        "{%",
    ],
]
CHARACTERS = st.characters(exclude_characters="\n", codec="utf-8")
LINE = st.lists(st.sampled_from(OPENERS) | CHARACTERS, max_size=12).map("".join)
LINES = st.lists(LINE, max_size=8)
LANGUAGES = st.sampled_from(sorted(SNIPPETS)) | st.sampled_from(EVERY_LANGUAGE)
QUICK = settings(max_examples=200)


def text_of(runs: list[Run]) -> str:
    return "".join(text for text, _ in runs)


def assert_well_formed(line: str, runs: list[Run]) -> None:
    assert text_of(runs) == line
    assert all(text for text, _ in runs)
    assert all(style == "" or style.removeprefix("tok:") in STYLES for _, style in runs)
    assert all(one[1] != other[1] for one, other in pairwise(runs))


@QUICK
@given(LANGUAGES, LINES)
def test_every_character_is_kept(language: str, lines: list[str]) -> None:
    highlighter = Highlighter(language)
    for line in lines:
        assert_well_formed(line, highlighter.line(line, commit=True))
    for line, runs in zip(lines, highlighter.whole(lines), strict=True):
        assert_well_formed(line, runs)


@QUICK
@given(LANGUAGES, LINES, LINE)
def test_an_unfinished_line_changes_nothing(language: str, lines: list[str], unfinished: str) -> None:
    quiet, peeking = Highlighter(language), Highlighter(language)
    for line in lines:
        runs = quiet.line(line, commit=True)
        seen = peeking.line(unfinished, commit=False)
        assert peeking.line(unfinished, commit=False) == seen
        assert peeking.line(line, commit=False) == runs
        assert peeking.line(line, commit=True) == runs
    assert peeking.whole(lines) == quiet.whole(lines)


@pytest.mark.parametrize("language", SNIPPETS)
def test_lines_look_as_in_the_whole_block_and_stay_the_same_lists(language: str) -> None:
    lines = SNIPPETS[language].splitlines()
    highlighter = Highlighter(language)
    by_line = [highlighter.line(line, commit=True) for line in lines]
    whole = highlighter.whole(lines)
    assert by_line == whole
    assert all(one is other for one, other in zip(by_line, whole, strict=True))
    assert len({style for runs in whole for _, style in runs}) >= 3


@pytest.mark.parametrize("language", SNIPPETS)
def test_a_whole_block_has_the_tokens_of_pygments(language: str) -> None:
    text = SNIPPETS[language] * 12  # often enough for the rules to be joined
    found = line_lexers.find(language)
    assert found is not None
    lexer = get_lexer_by_name(language)
    ours = [(token, value) for _, token, value in found.whole(text) if value.strip()]
    assert ours == [(token, value) for _, token, value in lexer.get_tokens_unprocessed(text) if value.strip()]


def test_styles_of_a_line() -> None:
    line = "    def f(self, x: int = 0x1F) -> str:  # note"
    assert Highlighter("python").line(line, commit=True) == [
        ("    def ", "tok:k"),
        ("f", "tok:nf"),
        ("(", ""),
        ("self", "tok:nb"),
        (", x: ", ""),
        ("int ", "tok:nb"),
        ("= ", "tok:o"),
        ("0x1F", "tok:n"),
        (") ", ""),
        ("-> ", "tok:o"),
        ("str", "tok:nb"),
        (":  ", ""),
        ("# note", "tok:c"),
    ]
    assert Highlighter("json").line('{"a": "b"}', commit=True) == [
        ("{", ""),
        ('"a"', "tok:nf"),
        (": ", ""),
        ('"b"', "tok:s"),
        ("}", ""),
    ]
    assert Highlighter("diff").line("-\told", commit=True) == [("-\told", "tok:gd")]


@pytest.mark.parametrize(
    ("word", "code", "runs"),
    [
        ("python", '"""a \'b\'', [('"""a \'b\'', "tok:sd")]),
        ("c", "x /* y", [("x ", ""), ("/* y", "tok:c")]),
        ("sql", "'it''s", [("'it''s", "tok:s")]),
        ("html", "<script>if(", [("<", ""), ("script", "tok:nf"), (">", ""), ("if", "tok:k"), ("(", "")]),
    ],
)
def test_an_open_construct_is_painted_before_it_closes(word: str, code: str, runs: list[Run]) -> None:
    assert Highlighter(word).line(code, commit=False) == runs


@pytest.mark.parametrize("word", ["", "text", "plaintext", "txt", "no-such-language", "!?", "{}", "🙂"])
def test_an_unknown_language_is_plain(word: str) -> None:
    highlighter = Highlighter(word)
    assert highlighter.line("def f(): # x", commit=True) == [("def f(): # x", "")]
    assert highlighter.line("", commit=True) == []
    assert highlighter.whole(["if x:", ""]) == [[("if x:", "")], []]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("python py python3 Python {.python} Python:main.py language-python py3 ipython", "import os"),
        ("js jsx ts tsx typescript mjs javascript{1,3} JavaScript", "const x = 1"),
        ("sh bash shell zsh shellscript", "for f in *; do"),
        ("c++ cpp cxx c h c# cs java java,ignore", "return x;"),
        ("yml yaml docker-compose.yml", "key: 1"),
        ("json jsonc json5 jsonl", '{"a": 1}'),
        ("dockerfile Dockerfile docker", "FROM x"),
        ("ps1 powershell pwsh", "function f {"),
        ("vue html svelte htm xml svg", "<a b='c'>"),
        ("rust rs rust,ignore 1:9:src/main.rs", "fn main() {"),
        ("console", "$ ls -l"),
        ("md markdown mdx", "# Title"),
    ],
)
def test_names_that_replies_use(words: str, code: str) -> None:
    for word in words.split():
        runs = Highlighter(word + " title=x").line(code, commit=True)
        assert any(style for _, style in runs), word


def test_php_needs_no_opening_tag() -> None:
    inline = [
        Highlighter("php").line("echo 'x'; // y", commit=True),
        *Highlighter("php").whole(["echo 'x'; // y"]),
    ]
    assert inline == [[("echo ", "tok:k"), ("'x'", "tok:s"), ("; ", ""), ("// y", "tok:c")]] * 2
    tagged = Highlighter("php")
    assert tagged.line("", commit=True) == []
    assert tagged.line("<p><?php", commit=True)[-1] == ("<?php", "tok:nd")


def test_an_apostrophe_in_a_text_of_jsx_stays_on_its_line() -> None:
    highlighter = Highlighter("jsx")
    highlighter.line("return <p>Don't</p>;", commit=True)
    assert ("const ", "tok:k") in highlighter.line("const x = 1;", commit=True)


def test_the_end_of_a_long_line_is_plain_and_it_is_forgotten() -> None:
    highlighter = Highlighter("javascript")
    for end in range(LINE_LIMIT - 5, LINE_LIMIT + 5):
        line = ("const a = 'b'; " * LINE_LIMIT)[:end]
        assert_well_formed(line, highlighter.line(line, commit=False))
    line = "const a = `" + "x" * 2 * LINE_LIMIT + "`;"
    runs = highlighter.line(line, commit=True)
    assert runs[-1] == (line[LINE_LIMIT:], "")
    assert runs[0] == ("const ", "tok:k")
    assert highlighter.line("const b", commit=True)[0] == ("const ", "tok:k")
    assert highlighter.whole([line, "const b"])[0] is runs


def test_a_growing_line_of_64_kb_costs_nothing_more() -> None:
    line = "const a=b(c,'d');" * 3900
    highlighter = Highlighter("javascript")
    started = time.process_time()
    for end in range(60_000, 64_000, 4):
        highlighter.line(line[:end], commit=False)
    assert time.process_time() - started < 0.5  # a thousand calls; to lex the line once takes 0.03 s


def test_a_block_over_the_limit_keeps_its_lines() -> None:
    lines = ["x = 1  # y"] * (WHOLE_LIMIT // 10)
    highlighter = Highlighter("python")
    committed = [highlighter.line(line, commit=True) for line in lines[:-3]]
    whole = highlighter.whole(lines)
    assert all(one is other for one, other in zip(committed, whole, strict=False))
    assert whole[-1] == committed[0]
    assert Highlighter("python").whole(lines) == whole
    assert highlighter.whole(["y = 2", *lines])[0] == [("y ", ""), ("= ", "tok:o"), ("2", "tok:n")]


@pytest.mark.parametrize("language", ["c", "java", "python", "markdown"])
def test_a_flood_of_blank_lines_is_no_trap(language: str) -> None:
    lines = ["int x;", *[""] * 8_000, *["    "] * 2_000, "y"]
    started = time.process_time()
    assert [text_of(runs) for runs in Highlighter(language).whole(lines)] == lines
    assert time.process_time() - started < 2  # Pygments takes minutes


def test_prose_in_a_fence_of_java_is_given_up() -> None:
    lines = ["the quick brown fox as they say in old books jumps over"] * 500
    started = time.process_time()
    assert [text_of(runs) for runs in Highlighter("java").whole(lines)] == lines
    assert time.process_time() - started < 1.5  # Pygments takes 6 s


def test_a_lexer_that_fails_leaves_the_line_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(lexer: object, match: re.Match[str]) -> Iterator[tuple[int, object, str]]:
        yield match.start(), Keyword, "bad"
        raise IndexError("pop from empty list")

    class Failing(RegexLexer):
        name = "Failing"
        tokens = {"root": [("bad", fail), ("good", Keyword), (".", Name), ("\n", Name)]}

    monkeypatch.setattr(line_lexers, "find", {"failing": line_lexers.Grammar(Failing())}.get)
    highlighter = Highlighter("failing")
    lines = ["a good", "a bad good", "good"]
    runs = [[("a ", ""), ("good", "tok:k")], [("a bad good", "")], [("good", "tok:k")]]
    assert [highlighter.line(line, commit=True) for line in lines] == runs
    assert highlighter.whole(lines) == runs


def test_a_lexer_that_loops_for_ever_is_stopped() -> None:
    highlighter = Highlighter("mcschema")
    assert text_of(highlighter.line("<!-- x", commit=True)) == "<!-- x"
    assert [text_of(runs) for runs in highlighter.whole(["<!-- x", "y"])] == ["<!-- x", "y"]


def test_importing_it_does_not_import_pygments() -> None:
    code = (
        "import sys; from streamtui.highlighting.highlighter import Highlighter; Highlighter('text').line('x', True);"
        "sys.exit('pygments' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
