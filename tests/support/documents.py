"""Makes nasty Markdown documents, cuts them up, and tells what blocks look like."""

# ruff: noqa: E501 (the nasty pieces are easier to read in long lines)

from __future__ import annotations

import random
from collections.abc import Iterator

from streamtui.markdown.document import Block, Document, Run

WORDS = (
    "the model streams a reply `code` `` a ` b `` **strong words** *em* __under__ _it_ ~~gone~~ ***both*** snake_case "
    "[link](https://example.org/a_b_c) [titled](http://x.org 'a title') ![image](https://x.org/i.png) [ref][1] [1] [lost] "
    "https://example.org/a_b*c?d=e&f www.example.org me@example.org <https://auto.link> <b>html</b> <think> List<String> "
    "&amp; &copy; &nope; \\* \\_ \\` \\[x\\] \\(a_1*b_2*c\\) \\( $x_1$ $5 $10 $a $$y^2$$ 5 * 3 ** ~ ` `` _ __ [ ] ( ) ! | \\| "
    "a|b unclosed** *unclosed **un `un [un] (un 日本語。テスト、「引用」 中文字符**加粗**文字 한국어 👩‍👧‍👦 🇩🇪🇫🇷 👍🏽 1️⃣ é ñandú "
    "e\u0301a\u0300 ❤️ \u200b \xa0 naïve résumé Ελληνικά привет שלום مرحبا ไทย हिन्दी x y z supercalifragilisticexpialidocious "
    "pneumonoultramicroscopicsilicovolcanoconiosis\\ 1. - # > == --- | a\tb tab\t \x0c \x85 \u2028 \x00"
).split(" ")

LINES = (
    "# Heading", "## Heading *em* ##", "###", "#", "#not", "####### seven", "Setext", "===", "---", "- - -", "***", "___", "--",
    "=", "```", "```python", "~~~", "~~~ js", "````", "``", "`", "``` a`b", "```\n", "def f(x):\n\treturn x  # comment",
    '"""doc', "/* open", "- item", "* star", "+ plus", "- ", "-", "*", "1. one", "2. two", "2) two", "10. ten", "1.", "12",
    "- [ ] todo", "- [x] done", "- [ ]", "1. [x] numbered", "[ ] no list", "> quote", ">", "> > deep", ">- a", "> ```", "> # h",
    "| a | b |", "|---|---|", "|:--|--:|", "| - |", "| 1 | **2** |", "| a `|` \\| b | c | d | e |", "|", "a | b", "--|--", "|--",
    "-|-", ":-:|---", "| long cell with many words in it to be wrapped | x |", "| 日本語 | 👍🏽 |", "| a<br>b | c |",
    "[1]: https://example.org", "[1]: <https://x.org> 'title'", "[lost]:", "[lost]: /url\n'title", "[foo", "[foo]: a b c",
    "[a]: /b|c", "<div>", "<!-- comment -->", "</think>", "<think>", "$$", "\\[", "\\]", "x = y + 1", "- b = c", "+ d", "\\begin{x}",
    "    indented", "\tindented", "  two", "   three", "     five", "\t\ttabs", " \t mixed", "text with trailing  ", "text\\", "\\",
    "", "", "", "", " ", "   ", "\t", "    ", "a\r", "- a\n  - b\n    - c\n      - d", "1. a\n   ```sh\n   x\n   ```\n2. b",
    "> - a\n>   - b\n>\n> c", "- > q\n  > r\n- s", "- a\n\n  b\n\n\n  c", "-\n  foo", "- - - a", "1. - 2. x", "- ```\n  x\n\n  y\n  ```",
    "| h | i |\n|---|---|\n| 1 | 2 |\n| 3 |", "- | h | i |\n  |---|---|\n  | 1 | 2 |", "> | h |\n> |---|\n> | 1 |\nlazy?",
    "[![img](a.png)](b.html)", "**bold\nover lines** and", "`code\nover lines` and", "*open", "**open", "`open", "[open](http://x",
)  # fmt: skip

INDENTS = ("", "", "", "", "", "  ", "   ", "    ", "> ", "- ", "\t", "1. ", " ")


def document(random_: random.Random) -> str:
    """A document of 1 to 14 nasty lines."""
    lines = []
    for _ in range(random_.randint(1, 14)):
        indent = random_.choice(INDENTS) if random_.random() < 0.4 else ""
        if random_.random() < 0.4:
            size = 400 if random_.random() < 0.02 else 9
            text = " ".join(random_.choices(WORDS, k=random_.randint(1, size)))
            if random_.random() < 0.02:
                text = text.replace(" ", "")
        else:
            text = random_.choice(LINES)
        lines.append(indent + text)
    return "\n".join(lines) + random_.choice(("", "\n", "\n\n"))


def cut(text: str, random_: random.Random, longest: int = 7) -> Iterator[str]:
    """The text in pieces of 1 to `longest` characters."""
    start = 0
    while start < len(text):
        end = start + random_.randint(1, longest)
        yield text[start:end]
        start = end


Look = tuple[str, int, int, str, list[tuple[list[Run], int, list[Run]]], str]


def look(block: Block, width: int) -> Look:
    """All that can be seen of a block at `width` cells."""
    block.layout(width)
    lines = [(block.prefix(index), *block.line(index)) for index in range(block.lines_count)]
    return (
        block.kind,
        block.level,
        block.margin,
        block.base,
        [(block.prefix(-1), 0, []), *lines],
        block.plain(),
    )


def looks(blocks: list[Block], width: int) -> list[Look]:
    """All that can be seen of blocks."""
    return [look(block, width) for block in blocks]


def stream(pieces: Iterator[str] | list[str], widths: list[int], random_: random.Random) -> Document:
    """A document fed piece by piece and laid out now and then, checked on the way for promises kept."""
    result = Document()
    stable: list[Look] = []
    width = widths[0]
    for piece in pieces:
        result.feed(piece)
        if random_.random() < 0.1:
            width = random_.choice(widths)
            stable = []
        if random_.random() < 0.5:
            stable = _check_stable(result, stable, width)
            for block in result.blocks[-2:]:
                check_layout(block, width)
    check_finish(result, stable, width)
    return result


def _check_stable(result: Document, before: list[Look], width: int) -> list[Look]:
    assert result.stable >= len(before), "a stable block became unstable"
    now = looks(result.blocks[: result.stable], width)
    assert now[: len(before)] == before, "a stable block changed"
    return now


def check_layout(block: Block, width: int) -> None:
    """Lines before `fresh` are the very objects they were; a second layout changes nothing."""
    same = block._width == width
    before = [block.line(index)[1] for index in range(block.lines_count)] if same else []
    block.layout(width)
    lines = [block.line(index) for index in range(block.lines_count)]
    assert all(now[1] is then for now, then in zip(lines[: block.fresh], before, strict=False)), "a line was replaced"
    assert not same or block.fresh <= max(len(before), len(lines))
    assert [line[0] for line in lines] == sorted(line[0] for line in lines)
    block.layout(width)
    assert block.fresh == block.lines_count
    assert all(block.line(index)[1] is lines[index][1] for index in range(block.lines_count))


def check_finish(result: Document, stable: list[Look], width: int) -> None:
    """What was stable still is, unless finish says that all is new."""
    if not result.finish():
        _check_stable(result, stable, width)
    assert result.stable == len(result.blocks)
