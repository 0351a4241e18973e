"""What single shapes of Markdown look like, finished and while they arrive."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from streamtui.markdown.document import Block, CodeBlock, Document, Run, parse


def screen(blocks: list[Block], width: int = 60) -> str:
    """The blocks as a terminal without colours shows them."""
    rows: list[str] = []
    for block in blocks:
        block.layout(width)
        for index in range(-block.margin, block.lines_count):
            line = block.line(index)[1] if index >= 0 else []
            rows.append("".join(text for text, _ in [*block.prefix(index), *line]).rstrip())
    return "\n".join(rows)


def shown(text: str, width: int = 60) -> str:
    return screen(parse(text), width)


def runs(text: str) -> list[Run]:
    """The runs of the first line."""
    (block, *_) = parse(text)
    block.layout(200)
    return block.line(0)[1]


def so_far(text: str) -> str:
    """The screen before the text is finished."""
    document = Document()
    document.feed(text)
    return screen(document.blocks)


@pytest.mark.parametrize(
    "text",
    [
        "List<String> x",
        "<think>",
        "<think>\nhm\n</think>",
        "a <b>bold</b> <!-- comment --> claim",
        r"\(a_1 + b_2\) and \[x*y*z\]",
        r"$x_1$, $$\frac{a}{b}_{c}_{d}$$",
        "costs $5 or $10, US$3*4*5?".replace("*4*", "x"),
        "snake_case_name and 5 * 3 * 2",
        "a form\x0cfeed, a next\x85line, a\u2028separator",
        "one\ntwo",
        r"\[ not a link \](at all)",
        "main.py README.md example.com",
        "an [unknown] reference][",
        "#hashtag",
        "1.5 apples",
        "12",
        "`open code",
        "**open strong",
    ],
)
def test_text_that_stays_as_it_is(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**a** *b* ***c***", [("a", "strong"), (" ", ""), ("b", "em"), (" ", ""), ("c", "em strong")]),
        ("~~a~~ `b`", [("a", "s"), (" ", ""), ("b", "code")]),
        (
            "[a *b*](http://x/a b)",
            [("[a ", ""), ("b", "em"), ("](", ""), ("http://x/a", "link:http://x/a"), (" b)", "")],
        ),
        ("[a *b*](<http://x/a b>)", [("a ", "link:http://x/a%20b"), ("b", "link:http://x/a%20b em")]),
        ("![alt *text*](i.png)", [("🖼 alt text", "link:i.png")]),
        ("https://x.org/a_b_c, ok", [("https://x.org/a_b_c", "link:https://x.org/a_b_c"), (", ok", "")]),
        (
            "看https://x.org/a吧，好",
            [("看", ""), ("https://x.org/a", "link:https://x.org/a"), ("吧，好", "")],
        ),
        ("**重要：**请注意", [("重要：", "strong"), ("请注意", "")]),
        ("[x](javascript:alert(1))", [("[x](javascript:alert(1))", "")]),
        ("&lt;&copy;&nbsp;&nope;", [("<©\xa0&nope;", "")]),
        (r"$\alpha$ \(b\)", [(r"$\alpha$", "tex"), (" ", ""), (r"\(b\)", "tex")]),
    ],
)
def test_inline(text: str, expected: list[Run]) -> None:
    assert runs(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "``",
        "#",
        "# ",
        "1",
        "1.",
        "- ",
        "-",
        ">",
        "|",
        "|--",
        "```py",
        "~~~",
        "=",
        "   ",
        "[1]:",
        "[1]: http://x",
        "- [x] ",
    ],
)
def test_what_may_become_a_mark_is_held_back(text: str) -> None:
    assert so_far(text) == ""
    assert so_far("text\n\n" + text) == "text"


@pytest.mark.parametrize("text", ["``", "1", "|", "|--", "=", "[1]:", "- [x] ", "1.", "#"])
def test_what_was_held_back_is_there_at_the_end(text: str) -> None:
    assert parse(text)
    assert shown("a\n\n" + text) != "a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("some **bo", "some bo"),
        ("some **", "some"),
        ("some **bold words*", "some bold words"),
        ("some `co", "some co"),
        ("some `", "some"),
        ("a [link](http://long", "a link"),
        ("# Title #", "Title"),
        ("| name | va", "name │ va"),
        ("| name | value |\n|--", "name │ value"),
        ("```\ncode\n``", "code"),
        ("- a\n- ", "• a"),
        ("trailing  ", "trailing"),
    ],
)
def test_no_marks_flash_up(text: str, expected: str) -> None:
    assert so_far(text) == expected


def test_a_table_that_is_none_is_text_again() -> None:
    assert so_far("| a | b |") == "a │ b"
    assert so_far("| a | b |\nno") == "| a | b |\nno"
    assert shown("| a | b |") == "| a | b |"


def test_lists() -> None:
    text = "3. three\n4. four\n   - inner\n\n     more\n   * other\n1. five\n- [ ] todo\n- [x] done\n\n- loose\n-\n- after\n"
    assert shown(text) == (
        "3. three\n4. four\n   ◦ inner\n\n     more\n   ◦ other\n5. five\n\n☐ todo\n☑ done\n\n• loose\n•\n• after"
    )


def test_a_long_snippet_inside_a_step() -> None:
    code = "".join(f"   line {number}\n" for number in range(200))
    blocks = parse(f"1. one\n2. two\n3. three\n   ```sh\n{code}   ```\n4. four\n")
    assert [block.kind for block in blocks] == ["text", "text", "text", "code", "text"]
    snippet = blocks[3]
    assert isinstance(snippet, CodeBlock)
    assert snippet.language == "sh"
    assert snippet.code() == "\n".join(f"line {number}" for number in range(200))
    snippet.layout(60)
    assert snippet.prefix(0) == snippet.prefix(5) == [("   ", "")]
    assert blocks[4].prefix(0) == [("4. ", "bullet")]


def test_quotes_keep_their_bar_on_blank_lines() -> None:
    text = "> a\n> b\nlazy\n>\n> - c\n> > d\n\nout"
    assert shown(text) == "▌ a\n▌ b\n▌ lazy\n▌\n▌ • c\n▌\n▌ ▌ d\n\nout"
    assert [block.base for block in parse(text)] == ["quoted", "quoted", "quoted", ""]


def test_headings() -> None:
    blocks = parse("# One #\n## C#\n\nThree\n===\nFour\n---\n")
    assert [(block.kind, block.level, block.base, block.plain()) for block in blocks] == [
        ("heading", 1, "h1", "One"),
        ("heading", 2, "h2", "C#"),
        ("heading", 1, "h1", "Three"),
        ("heading", 2, "h2", "Four"),
    ]


def test_code_keeps_its_tabs_and_shows_columns_of_four() -> None:
    (block,) = parse("```go\nfunc f() {\n\treturn\n}\n\n```\n")
    assert isinstance(block, CodeBlock)
    assert block.code() == "func f() {\n\treturn\n}\n"
    assert block.plain() == "func f() {\n    return\n}\n"


def test_code_rows_wrap_or_stay_whole() -> None:
    (block,) = parse("```\n" + "abc " * 10 + "\nx\n```")
    assert isinstance(block, CodeBlock)
    block.layout(22)
    assert [text for index in range(block.lines_count) for text, _ in block.line(index)[1]] == [
        "abc abc abc abc abc",
        "abc abc abc abc abc ",
        "x",
    ]
    block.layout(22, wrap=False)
    assert (block.lines_count, block.max_width, block.line(1)) == (2, 40, (41, [("x", "")]))


def test_a_fence_that_never_ends_and_one_in_a_fence() -> None:
    assert shown("````\n```\nx\n```") == "```\nx\n```"


def test_definitions_are_not_shown_and_serve_links_above_and_below() -> None:
    document = Document()
    document.feed("see [the docs][1] and [2]\n\n[1]: https://a.org\n[2]: <https://b.org> 'two'\n\nthen [1]\n")
    assert screen(document.blocks) == "see [the docs][1] and [2]\n\nthen 1"
    assert document.finish(), "all is made anew"
    assert screen(document.blocks) == "see the docs and 2\n\nthen 1"
    block = document.blocks[0]
    assert ("the docs", "link:https://a.org") in block.line(0)[1]


def test_finish_without_late_definitions_makes_nothing_anew() -> None:
    document = Document()
    document.feed("a [b] c")
    assert not document.finish()
    assert document.stable == 1


def test_a_formula_of_several_lines_is_no_list() -> None:
    formula = "\\[\nx = a\n+ b\n- c\n= d\n\\]"
    assert shown(formula) == formula
    assert shown("$$\n- x_1 * y_1 * z\n$$\n- item") == "$$\n- x_1 * y_1 * z\n$$\n\n• item"


def test_line_ends_of_all_kinds() -> None:
    document = Document()
    for piece in ("a\r", "\n\r\n- b\r", "- c\r"):
        document.feed(piece)
    document.finish()
    assert screen(document.blocks) == "a\n\n• b\n• c"


def test_nesting_ends_somewhere() -> None:
    assert len(parse("1. " * 20000)) < 3
    assert len(parse("> " * 20000 + "x")) == 1


@pytest.mark.parametrize("space", [" ", "\t", " \t", "# ", "#"])
def test_a_heading_of_much_space_keeps_its_text(space: str) -> None:
    (heading,) = parse("# a" + space * 200_000 + "b")
    assert heading.plain().replace("\t", "    ").split() == ("# a" + space * 200_000 + "b").split()[1:]
