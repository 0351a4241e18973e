"""Export formats: complete, and safe whatever the messages contain."""

import json
import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from streamtui import paths
from streamtui.core.message import Attachment, FinishReason, Message, Recap, Role, Timing, Usage
from streamtui.core.sanitize import clean
from streamtui.core.session import Session
from streamtui.core.transfer_error import TransferError
from streamtui.exporters.formats import Format, export_session, format_of
from streamtui.exporters.html_markdown import html_of
from streamtui.exporters.html_style import style
from streamtui.exporters.markdown_export import closed
from streamtui.exporters.theme_colors import NAMES, complete, theme_colors
from tests.support.samples import trees

EVIL = '</style></title><script>alert(1)</script><img src=x onerror=alert(1)>"\' onload="x'
_TAGS = set(
    "html head meta title style body header main h1 h2 h3 h4 h5 h6 p article span div details summary figure img"
    " figcaption a strong em s code pre ul ol li blockquote hr br table thead tbody tr th td".split()
)
_ATTRIBUTES = set("charset http-equiv content name class href rel src alt start data-language dir".split())


class Page(HTMLParser):
    """Parse a page like a browser, and assert that it neither runs nor loads anything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str] = []
        self.images: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS
        for name, value in attrs:
            assert name in _ATTRIBUTES
            if name == "href":
                assert re.match(r"(https?:|mailto:)", value or "", re.IGNORECASE)
                self.links.append(value or "")
            if name == "src":
                assert (value or "").startswith("data:image/")
                self.images.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def rich() -> Session:
    """Return a session with all features: a branch of four messages, and another branch."""
    session = Session(
        id="0123456789abcdef", title="Rich", endpoint="openai", model="gpt-5", system="Be *kind*.", created=1.79e9
    )
    picture = Attachment("cat.png", "image/png", b"\x89PNG")
    prompt = session.add(Message(Role.USER, "Show\nme", created=1.79e9, attachments=(picture,)))
    answer = Message(Role.ASSISTANT, "# Head\n\n```python\nx = 1  # one\n```", created=1.79e9 + 5, model="gpt-5")
    answer.reasoning, answer.timing, answer.usage = (
        "Hm.\n\n```\ncode\n```",
        Timing(0.5, 2.5, 9.0),
        Usage(100, 50, cost=0.0125),
    )
    answer.finish_reason = FinishReason.STOP
    session.add(answer)
    session.leaf_id = prompt.id
    other = Message(Role.ASSISTANT, "Other", created=1.79e9 + 50, model="mini", finish_reason=FinishReason.LENGTH)
    session.add(other)
    session.leaf_id = answer.id
    session.add(Message(Role.USER, "Thanks", created=1.79e9 + 60, recap=Recap("Sum of it", model="mini")))
    failed = Message(Role.ASSISTANT, "Half", created=1.79e9 + 61, finish_reason=FinishReason.FAILED, error="It broke.")
    session.add(failed)
    return session


@given(trees(), st.sampled_from(Format), st.booleans())
def test_output_is_clean_text(session: Session, format: Format, tree: bool) -> None:
    text = export_session(session, format, tree=tree)
    assert clean(text) == text
    assert text.endswith("\n")


@pytest.mark.parametrize("format", [Format.MARKDOWN, Format.TEXT, Format.HTML])
def test_current_branch_is_complete_and_in_order(format: Format) -> None:
    text = export_session(rich(), format)
    words = [
        "Rich",
        "Be ",
        "You",
        "cat.png",
        "Show",
        "gpt-5",
        "Thought for 2.0 s",
        "Hm.",
        "Head",
        "a summary by mini",
        "Sum of it",
        "Thanks",
        "It broke.",
    ]
    at = 0
    for word in words:
        at = text.index(word, at)
    assert "Other" not in text
    assert "1 of 2" in text


@pytest.mark.parametrize("format", [Format.MARKDOWN, Format.TEXT, Format.HTML])
def test_tree_has_all_branches(format: Format) -> None:
    text = export_session(rich(), format, tree=True)
    assert text.index("It broke.") < text.index("2 of 2") < text.index("Other")
    assert "Stopped at the token limit" in text


# Markdown


def test_estimated_and_missing_usage_is_marked() -> None:
    session = Session(id="0" * 16)
    session.add(Message(Role.USER, "hello"))
    usage = Usage(30, 7, repeated_tokens=14, cost=0.25, requests=2, estimated=True)
    session.add(Message(Role.ASSISTANT, "Half", finish_reason=FinishReason.STOPPED, usage=usage))
    assert "tokens: {prompt: 30, completion: 7, estimated: true}\ncost: 0.250000\n" in export_session(
        session, Format.MARKDOWN
    )
    assert "~37 tokens · ~$0.25" in export_session(session, Format.HTML)
    assert json.loads(export_session(session, Format.JSON))["messages"][1]["usage"]["estimated"] is True
    session.add(Message(Role.ASSISTANT, "of another program"))
    assert "replies_not_counted: 1" in export_session(session, Format.MARKDOWN)
    assert "≥ ~37 tokens · ≥ ~$0.25" in export_session(session, Format.HTML)


def test_front_matter_is_valid_yaml() -> None:
    session = replace(rich(), title='"quotes": - # [x] \\ {y} é')
    front = export_session(session, Format.MARKDOWN).split("---\n")[1]
    facts = dict(line.split(": ", 1) for line in front.splitlines())
    assert json.loads(facts["title"]) == session.title
    assert json.loads(facts["id"]) == session.id
    assert (facts["tokens"], facts["cost"]) == ("{prompt: 100, completion: 50}", "0.012500")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", facts["created"])
    names = ["title", "id", "created", "updated", "model", "endpoint", "messages", "tokens"]
    assert list(facts) == [*names, "replies_not_counted", "cost"]


def headings(markdown: str) -> list[str]:
    tokens = MarkdownIt("commonmark").parse(markdown)
    return [inline.content for token, inline in pairwise(tokens) if token.type == "heading_open" and token.tag == "h2"]


@pytest.mark.parametrize(
    "text",
    [
        "```python\nx = 1",
        "````\n```\nx",
        "~~~\n```",
        "```",
        "   ```\nx\n  ``",
        "- item\n  ```\n  x",
        "> ```\n> x",
        "```\nx\n```",
        "```\nx\n```\n\n```js\ny",
        "text\n```\n~~~",
        "    ```",
    ],
)
def test_open_fence_is_closed(text: str) -> None:
    session = Session()
    for role in (Role.USER, Role.ASSISTANT, Role.USER):
        session.add(Message(role, text, reasoning=text, model="m"))
    assert headings(export_session(session, Format.MARKDOWN).split("---\n", 2)[2]) == ["You", "m", "You"]
    assert closed(text).startswith(text)


@given(st.lists(st.sampled_from(["```", "````", "~~~", "```py", "x", "", "- a", "> b", "    ", "  ```"]), max_size=8))
def test_closing_a_fence_changes_no_other_fence(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = closed(text)
    assert found.startswith(text.strip("\n"))
    assert headings(f"{found}\n\n## after") == ["after"]


def test_html_in_a_title_is_escaped() -> None:
    session = replace(rich(), title="<script>alert(1)</script>")
    body = export_session(session, Format.MARKDOWN).split("---\n", 2)[2]
    assert "<script>" not in MarkdownIt("commonmark").render(body)


# HTML


@given(trees(), st.booleans())
def test_page_runs_and_loads_nothing(session: Session, tree: bool) -> None:
    Page(export_session(session, Format.HTML, tree=tree))


_PIECES = [
    "<script>", "<img src=x onerror=y>", "![a](http://evil/x.png)", "![a](data:image/png;base64,AA)", "\n\n", " ",
    "[a](javascript:alert(1))", "[a](JaVaScRiPt&#58;x)", "<javascript:x>", "[a](vbscript:x)", "[a](data:text/html,x)",
    "[a](file:///etc/passwd)", "[a](//evil)", "[a](/rel)", "[a]: javascript:x", "[a](<https://x\" onclick=\"y>)",
    "https://x.y/<b>", "<a href=x>", "```html\n<script>\n```", "|a|b|\n|:-:|-:|\n|<td style=x>|`<b>`|",
    "&lt;script&gt;", "# <h1 onclick=x>", "```\" onclick=\"x\n```", "$<b>=x^2$",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=5).map(clean), max_size=8).map("".join))
@example("> " * 5000 + "deep")
@example("- " * 5000 + "deep")
@example("[" * 5000 + "a" + "](" * 5000)
@example("*" * 20_000)
def test_markdown_becomes_safe_html(text: str) -> None:
    Page(html_of(text))


def test_markup_in_every_field_is_escaped() -> None:
    session = rich()
    session.title = session.system = session.model = session.endpoint = EVIL
    for message in session.messages.values():
        message.text = message.reasoning = message.model = message.error = EVIL
        message.attachments = (Attachment(EVIL, EVIL, b"x"), Attachment(EVIL, "image/png", b"x"))
    page = Page(export_session(session, Format.HTML, tree=True))
    assert page.text.count("<script>alert(1)</script>") > 10


def test_links_images_and_code() -> None:
    page = Page(html_of("[a](https://a.b/?x=1&y=2) ![cat](https://c.d/e.png) me@x.org"))
    assert page.links == ["https://a.b/?x=1&y=2", "https://c.d/e.png", "mailto:me@x.org"]
    assert "🖼 cat" in page.text
    html = html_of("```python\ndef f(): return 'x'\n```")
    assert '<pre data-language="python"><code><span class="k">def </span><span class="nf">f</span>' in html
    assert html_of("# one\n\n##### five") == "<h3>one</h3>\n<h6>five</h6>\n"
    assert "☐ todo" in html_of("- [ ] todo\n- [x] done")
    assert '<td class="right">' in html_of("|a|\n|-:|\n|1|")
    assert html_of("one\ntwo") == "<p>one<br />\ntwo</p>\n"


def test_attached_images_are_embedded() -> None:
    page = Page(export_session(rich(), Format.HTML))
    assert page.images == ["data:image/png;base64,iVBORw=="]
    picture = Attachment("a.svg", "image/svg+xml", b"<svg onload=x>")
    session = Session()
    session.add(Message(Role.USER, "x", attachments=(picture,)))
    assert Page(export_session(session, Format.HTML)).images == []


def test_policy_allows_only_this_style_sheet() -> None:
    page = export_session(rich(), Format.HTML)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; img-src data:; base-uri 'none'; form-action 'none'",
        policy[1],
    )
    assert page.index("Content-Security-Policy") < page.index("<title>")


# Colors


def test_colors_of_a_theme() -> None:
    for name, dark in (("midnight", True), ("ember", True), ("paper", False)):
        values = tomllib.loads(paths.theme_files()[name].read_text())
        assert theme_colors(name) == {color: values[color] for color in NAMES}
        css = style(theme_colors(name), theme_colors("paper"))
        assert f"color-scheme: {'dark' if dark else 'light'}" in css
        assert f"--primary: {values['primary']}" in css


def test_user_theme_may_omit_colors() -> None:
    folder = paths.config_dir() / "themes"
    folder.mkdir(parents=True)
    (folder / "own.toml").write_text("primary = '#abc'\nbackground = '#ffffff'\nerror = 'red; } body { x: url(//evil)'")
    colors = theme_colors("own")
    assert colors["primary"] == colors["accent"] == colors["error"] == "#aabbcc"
    assert colors["foreground"] == "#2b2a27"
    assert "evil" not in style(colors, colors)


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=9) | st.from_regex(r"#[0-9a-f]{3,8}", fullmatch=True)))
def test_invalid_theme_values_give_valid_colors(values: dict[str, str]) -> None:
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in complete(values).values())


def test_unknown_theme_is_refused() -> None:
    with pytest.raises(TransferError, match="Unknown theme “nowhere”\\. Choose from: ember, midnight, paper"):
        theme_colors("nowhere")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.md", Format.MARKDOWN), ("a.Markdown", Format.MARKDOWN), ("a.b.HTML", Format.HTML), ("a.json", Format.JSON),
     ("a.txt", Format.TEXT), ("a.text", Format.TEXT), ("a", None), ("md", None), (".json", None), ("a.pdf", None)],
)  # fmt: skip
def test_format_of_a_file_name(name: str, expected: Format | None) -> None:
    assert format_of(name) is expected
