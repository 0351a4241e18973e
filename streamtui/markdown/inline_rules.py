"""The inline dialect: markdown-it without HTML, with formulas as written and emphasis that knows CJK."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from streamtui.core.styled_text import Run
from streamtui.markdown.wrap import WIDE

if TYPE_CHECKING:  # markdown-it takes 25 ms to load: with the first mark-up, not at the start
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

TEX = 1000  # longest formula
DOLLAR = 300  # longest $formula$
CJK = WIDE + "\u3000-\u303f\u30fb\u30fc\uff01-\uff60"

special = re.compile(
    r"\\\S?|`+|\*+|_+|~~+|!?\[|\]|<(?=[A-Za-z])|&(?=[#A-Za-z])|\$(?=\S)|@"
    rf"|https?://[^\s<>*\"'`\[\]{CJK}]*"
)
"""All that inline Markdown can begin with; text without it is plain."""
MARKS = 400
"""Special tokens that are parsed together at most: markdown-it takes quadratic time for brackets."""
dollar = re.compile(r"\$\$(?!\$).{1,900}?\$\$|\$(?![\s$])(?:[^$\n\\]|\\.){0,298}?(?<!\s)\$(?!\w)", re.DOTALL)
formula = re.compile(r"[\\^_{}=]|^\$\$|^\$[A-Za-z]\w?'?\$$")
"""What tells a $formula$ from prices."""
TEX_CLOSERS = {"\\(": "\\)", "\\[": "\\]"}
is_cjk = re.compile(f"[{CJK}]").match


def _tex_rule(state: StateInline, silent: bool) -> bool:
    r"""Takes \(…\), \[…\], $…$ and $$…$$ as they are; \( and \[ alone keep their backslash too."""
    src, at = state.src, state.pos
    if src[at] == "$":
        match = dollar.match(src, at, state.posMax)
        if match is None or not formula.search(match.group()):
            return False
        end = match.end()
    elif src[at] == "\\" and src[at + 1 : at + 2] in ("(", ")", "[", "]"):
        closer = TEX_CLOSERS.get(src[at : at + 2])
        found = src.find(closer, at + 2, at + TEX) if closer else -1
        end = found + 2 if found >= 0 else at + 2
    else:
        return False
    if not silent:
        token = state.push("tex" if end > at + 2 else "text", "", 0)
        token.content = src[at:end]
    state.pos = end
    return True


def _cjk_emphasis(state: StateInline, silent: bool) -> bool:
    """Emphasis that also ends between punctuation and a CJK character, and begins the other way round.

    CommonMark wants a space there, which CJK text has not: **重要：**请注意 would stay as it is.
    """
    from markdown_it.rules_inline import emphasis

    start = state.pos
    if not emphasis.tokenize(state, silent):
        return False
    if state.src[start] == "_":
        return True
    before, after = state.src[start - 1 : start], state.src[state.pos : state.pos + 1]
    for delimiter in state.delimiters[start - state.pos :]:
        delimiter.close = delimiter.close or bool(before.strip() and is_cjk(after))
        delimiter.open = delimiter.open or bool(after.strip() and is_cjk(before))
    return True


@cache
def inline_parser() -> MarkdownIt:
    """The one markdown-it of the pane, made at first use."""
    return make_parser()


def make_parser() -> MarkdownIt:
    """A new markdown-it that knows the dialect. Of bare links it takes https://x and a@b.c."""
    from markdown_it import MarkdownIt

    md = MarkdownIt("commonmark", {"html": False, "linkify": True, "maxNesting": 20})
    md.enable(["strikethrough", "linkify"])
    assert md.linkify is not None
    md.linkify.set({"fuzzy_link": False})  # else main.py and README.md become links (py and md are countries)
    md.inline.ruler.before("escape", "tex", _tex_rule)
    md.inline.ruler.at("emphasis", _cjk_emphasis)
    return md


def runs_of(tokens: list[Token]) -> list[Run]:
    """Inline tokens as runs; link targets carry %20 for spaces."""
    runs: list[Run] = []
    stack: list[str] = []
    for token in tokens:
        kind, style = token.type, " ".join(stack)
        if kind in ("text", "text_special"):
            if token.content:
                runs.append((token.content, style))
        elif kind in ("softbreak", "hardbreak"):
            runs.append(("\n", style))
        elif kind == "code_inline":
            runs.append((token.content, f"{style} code".lstrip()))
        elif kind == "image":
            target = "link:" + str(token.attrs.get("src", "")).replace(" ", "%20")
            alt = "".join(text for text, _ in runs_of(token.children or []))
            runs.append((f"🖼 {alt or 'image'}", f"{style} {target}".lstrip()))
        elif kind == "link_open":
            stack.append("link:" + str(token.attrs.get("href", "")).replace(" ", "%20"))
        elif kind.endswith("_open"):
            stack.append(kind[:-5])
        elif kind.endswith("_close"):
            stack.pop()
        else:
            runs.append((token.content, f"{style} {kind}".lstrip()))
    return runs


def parse_inline(text: str, env: dict[str, Any]) -> list[Run]:
    """Runs of a whole piece of inline Markdown; `env` holds the link definitions."""
    if not special.search(text):
        return [(text, "")] if text else []
    md = inline_parser()
    if "@" in text:  # addresses are found by linkify's pass over all text only
        return runs_of(md.parseInline(text, env)[0].children or [])
    tokens: list[Token] = []
    md.inline.parse(text, md, env, tokens)
    return runs_of(tokens)
