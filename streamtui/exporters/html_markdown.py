"""Render Markdown as safe HTML: no raw HTML, no remote images, only web links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

_SCHEMES = ("http", "https", "mailto")
_HEADING_OFFSET = 2
"""Number of heading levels used by the page itself."""
_TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


def html_of(markdown: str) -> str:
    """Render `markdown` as HTML. Line breaks are kept, as in the chat."""
    return str(_renderer().render(markdown))


@cache
def _renderer() -> MarkdownIt:
    from streamtui.markdown.inline_rules import make_parser

    md = make_parser()
    md.enable("table")
    md.options["breaks"] = True
    md.validateLink = _is_web_link  # type: ignore[method-assign]
    md.core.ruler.after("block", "tasks", _mark_tasks)
    rules: dict[str, Callable[..., str]] = {
        "fence": _fence,
        "code_block": _fence,
        "image": _image,
        "tex": _tex,
        "heading_open": _heading,
        "heading_close": _heading,
        "link_open": _link,
        "table_open": lambda *_: '<div class="wide"><table>\n',
        "table_close": lambda *_: "</table></div>\n",
        "th_open": _cell,
        "td_open": _cell,
    }
    for name, rule in rules.items():
        md.add_render_rule(name, rule)
    return md


def _is_web_link(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() in _SCHEMES
    except ValueError:
        return False


def _mark_tasks(state: StateCore) -> None:
    for item, _, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if item.type == "list_item_open" and inline.type == "inline" and (mark := _TASKS.get(inline.content[:4])):
            inline.content = mark + inline.content[4:]
            item.attrSet("class", "task")


def _fence(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    token = tokens[at]
    language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    named = f' data-language="{escape(language[:40])}"' if language else ""
    return f"<pre{named}><code>{_highlighted(token.content, language)}</code></pre>\n"


def _highlighted(code: str, language: str) -> str:
    from streamtui.highlighting.highlighter import Highlighter

    lines = code.removesuffix("\n").split("\n")
    return "\n".join("".join(_span(*run) for run in runs) for runs in Highlighter(language).whole(lines))


def _span(text: str, style: str) -> str:
    name = style.removeprefix("tok:")
    return f'<span class="{name}">{escape(text)}</span>' if name else escape(text)


def _image(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Render an image as a link: loading it would tell its server who reads the page."""
    token = tokens[at]
    name = renderer.renderInlineAsText(token.children, options, env) or "image"
    return f'<a href="{escape(str(token.attrs.get("src", "")))}" rel="noopener noreferrer">🖼 {escape(name)}</a>'


def _tex(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    return f'<span class="tex">{escape(tokens[at].content)}</span>'


def _heading(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    token = tokens[at]
    token.tag = f"h{min(6, int(token.tag[1:]) + _HEADING_OFFSET)}"
    return str(renderer.renderToken(tokens, at, options, env))


def _link(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    tokens[at].attrSet("rel", "noopener noreferrer")
    return str(renderer.renderToken(tokens, at, options, env))


def _cell(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Align by class, as the content security policy allows no inline styles."""
    token = tokens[at]
    if align := str(token.attrs.pop("style", "")).removeprefix("text-align:"):
        token.attrSet("class", align)
    return str(renderer.renderToken(tokens, at, options, env))
