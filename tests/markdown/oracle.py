"""What markdown-it-py makes of a whole document, in the terms of our blocks."""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from streamtui.markdown.document import Block, CodeBlock, parse
from streamtui.markdown.inline_rules import inline_parser, runs_of

Leaf = tuple[str, int, str, str, str]  # kind, level, first prefix, further prefixes, text
TASK = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
BULLETS = "•◦▪"


class _Containers:
    """The open containers: [mark shown once, mark shown after that]."""

    def __init__(self) -> None:
        self.open: list[list[str]] = []

    def prefixes(self) -> tuple[str, str]:
        first = "".join(once or after for once, after in self.open)
        for container in self.open:
            container[0] = ""
        return first, "".join(after for _, after in self.open)


def expected(text: str) -> list[Leaf]:
    """Leaves by markdown-it-py: CommonMark without HTML, with tables."""
    env: dict[str, Any] = {}
    tokens = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).parse(text, env)
    containers, leaves = _Containers(), []
    numbers: list[int] = []
    marks: list[str] = []

    def leaf(kind: str, level: int, content: str) -> None:
        leaves.append((kind, level, *containers.prefixes(), content))

    def inline(content: str) -> str:
        children = inline_parser().parseInline(content.replace("\t", "    "), env)[0].children or []
        return "".join(run for run, _ in runs_of(children))

    index = 0
    while index < len(tokens):
        token = tokens[index]
        kind = token.type
        if kind in ("bullet_list_open", "ordered_list_open"):
            numbers.append(int(token.attrs.get("start", 1)) if kind[0] == "o" else -1)
        elif kind in ("bullet_list_close", "ordered_list_close"):
            numbers.pop()
        elif kind == "list_item_open":
            marks.append(_marker(token, numbers))
            containers.open.append([marks[-1], " " * len(marks[-1])])
        elif kind == "list_item_close":
            if containers.open[-1][0]:
                leaf("text", 0, "")
            containers.open.pop()
        elif kind == "blockquote_open":
            containers.open.append(["▌ ", "▌ "])
        elif kind == "blockquote_close":
            containers.open.pop()
        elif kind in ("heading_open", "paragraph_open"):
            content, level = tokens[index + 1].content, int(token.tag[1]) if kind[0] == "h" else 0
            in_item = bool(containers.open) and containers.open[-1][0].strip("▌ ")
            task = TASK.match(content) if in_item and "#" not in token.markup else None
            if task:
                containers.open[-1] = _checked(containers.open[-1][0], task[1] != " ")
            leaf("heading" if level else "text", level, inline(content[task.end() :] if task else content))
        elif kind in ("fence", "code_block"):
            leaf("code", 0, token.content.removesuffix("\n"))
        elif kind == "hr":
            leaf("rule", 0, "")
        elif kind == "table_open":
            while tokens[index].type != "table_close":
                index += 1
            leaf("table", 0, "")
        index += 1
    return leaves


def _checked(mark: str, done: bool) -> list[str]:
    mark = ("" if mark[0] in BULLETS else mark) + ("☑ " if done else "☐ ")
    return [mark, " " * len(mark)]


def _marker(token: Token, numbers: list[int]) -> str:
    if numbers[-1] < 0:
        return BULLETS[min(len(numbers), 3) - 1] + " "
    numbers[-1] += 1
    return f"{numbers[-1] - 1}{token.markup} "


def actual(text: str) -> list[Leaf]:
    """The same of our blocks."""
    return [_leaf(block) for block in parse(text)]


def _leaf(block: Block) -> Leaf:
    block.layout(80)
    first, rest = ("".join(run for run, _ in block.prefix(index)) for index in (0, 1))
    if isinstance(block, CodeBlock):
        content = block.code()
    else:
        content = "" if block.kind in ("rule", "table") else block.plain()
    return block.kind, block.level, first, rest, content
