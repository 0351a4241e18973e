"""How the time of every regular expression and text function grows with hostile input.

python -m tests.bench.bench_regexes [NAME ...]        all of them, or those whose name contains one of NAME

For each it prints the input that was slowest (what comes first, then what is repeated), the CPU time at the largest
size measured and the growth exponent up to there: 1 is linear, 2 quadratic. The sizes grow up to 1 MB, or to the length
that its callers cap the text at (`CAPS`). The exit status is 1 if an exponent is over the goal of 1.1 by more than a
loaded machine explains (`TOLERATED`), unless even the largest size is harmless.
"""

from __future__ import annotations

import argparse
import importlib
import math
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import streamtui
from streamtui.config import Endpoint
from streamtui.markdown.inline import FORCE
from streamtui.markdown.inline_rules import TEX
from streamtui.markdown.leaf_blocks import DEFINITIONS

LARGEST = 1 << 20
SECONDS = 0.4
"""A single measurement that takes longer ends the growth."""
TOLERATED = 1.4
"""Linear matches of a megabyte measure up to this, because their memory leaves the cache."""
HARMLESS = 0.005
"""Seconds of CPU at the largest size that nobody notices, whatever the growth."""

CAPS = {
    "markdown.highlight._NAME": 1_000,  # the first word of a fence's info string
    "markdown.inline._destination": FORCE,
    "markdown.inline._destination_open": FORCE,
    "markdown.inline._link_open": FORCE,
    "markdown.dialect.dollar": TEX,
    "markdown.dialect.formula": TEX,
    "markdown.leaves._definition": DEFINITIONS,
    "providers.keys._EXCEPTION": 1_000,
}
"""Patterns that only see text of limited length, with the limit."""
OWN_TEXT = ("manual._HEADING", "manual._KEYWORDS", "manual._KEY", "demo_answers._SHOW")
"""Patterns that only see files of the package."""

METHODS = ("search", "match", "fullmatch", "sub", "findall", "finditer", "split")


class Subject(NamedTuple):
    """Something that takes a text."""

    name: str
    call: Callable[[str], object]
    hints: tuple[str, ...]
    """Texts it reacts to."""
    cap: int = LARGEST


class Attack(NamedTuple):
    """A text of any size: `first`, then `unit` again and again, then `last`."""

    first: str
    unit: str
    last: str

    def text(self, size: int) -> str:
        return (self.first + self.unit * (size // len(self.unit)))[:size] + self.last


def modules() -> Iterator[ModuleType]:
    """Import every module of the package."""
    for found in pkgutil.walk_packages(streamtui.__path__, "streamtui."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def literals(source: str) -> list[str]:
    """Return literal texts of a pattern: its runs of plain characters, and one character of each set."""
    import re._parser as parser  # type: ignore[import-not-found]  # no public way to read a pattern

    found: list[str] = []
    run = ""

    def flush() -> None:
        nonlocal run
        if run:
            found.append(run)
        run = ""

    def walk(items: Any) -> None:
        nonlocal run
        for kind, value in items:
            if str(kind) == "LITERAL":
                run += chr(value)
                continue
            flush()
            if str(kind) == "IN":
                found.extend(chr(v if isinstance(v, int) else v[0]) for k, v in value if str(k) in ("LITERAL", "RANGE"))
            for part in value if isinstance(value, tuple | list) else (value,):
                for inner in part if isinstance(part, list) else (part,):
                    if isinstance(inner, parser.SubPattern):
                        walk(inner)
                        flush()

    walk(parser.parse(source))
    flush()
    return list(dict.fromkeys(found))


def patterns() -> Iterator[Subject]:
    """Every compiled pattern at the top of a module, with each way in which the package calls it."""
    seen = set()
    for module in modules():
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        for name, value in vars(module).items():
            pattern = getattr(value, "__self__", value)
            if not isinstance(pattern, re.Pattern) or not isinstance(pattern.pattern, str) or id(value) in seen:
                continue
            seen.add(id(value))
            called = set(re.findall(rf"\b{name}\.({'|'.join(METHODS)})\b", source)) or {"match"}
            if value is not pattern:
                called = {value.__name__}
            for method in sorted(called):
                full = f"{module.__name__.removeprefix('streamtui.')}.{name}"
                if full.endswith(OWN_TEXT):
                    continue
                hints = tuple(literals(pattern.pattern)[:14])
                yield Subject(f"{full}.{method}", _caller(pattern, method), hints, CAPS.get(full, LARGEST))


def _caller(pattern: re.Pattern[str], method: str) -> Callable[[str], object]:
    if method == "sub":
        return partial(pattern.sub, "")
    if method == "finditer":
        return lambda text: sum(1 for _ in pattern.finditer(text))
    call: Callable[[str], object] = getattr(pattern, method)
    return call


def functions() -> Iterator[Subject]:
    """What takes text from servers, models, clients, files and users."""
    from streamtui import manual
    from streamtui.config.toml_positions import lines_of
    from streamtui.conversation.continuation import OverlapTrimmer, overlap
    from streamtui.core import models, sanitize, search_query
    from streamtui.core.suggestions import nearest
    from streamtui.exporters.export_files import _slug
    from streamtui.exporters.markdown_export import closed
    from streamtui.highlighting.highlighter import Highlighter
    from streamtui.markdown.document import parse
    from streamtui.providers.demo.answers import answer
    from streamtui.providers.error_bodies import server_message
    from streamtui.providers.error_explainer import Explainer
    from streamtui.providers.parameter_compat import rejected_field
    from streamtui.server.model_suggestions import suggest_models
    from streamtui.server.routing import Route, Router
    from streamtui.tokens.counter import TokenCounter

    here = Endpoint(name="here", base_url="http://localhost:1/v1", api_key="sk-secret-secret")
    explain = Explainer(here, "gpt-5")
    router = Router({}, here)
    known = [f"here/model-{number}" for number in range(300)]
    body = {"model": "m", "max_tokens": 1, "temperature": 1, "reasoning_effort": "low"}
    words = ("error", "*", '"', "{", "[", "<title>", "data: {", "model", "sk-***", "v1/chat", "not support")
    marks = (
        "[", "![", "](", "*", "_", "**", "~", "`", "``", "<", "(", ")", "&", "&amp;", "> ", ">", "- ", "1. ",
        "| ", "|", "\n", "a ", "a\n", "\\", "$", "$$", "http://a.b/", "a@", "[a]: b\n", "~~~", "```\n", "#", "=", "-",
        ":", "@", "<a", "https://", "|a|\n|-|\n", "**a*", "_a", "[a](", "[a][", "![a](", "](a", "<b:", "* ", "\\(",
        "\\[",
    )  # fmt: skip

    def stream(text: str) -> None:
        from streamtui.markdown.document import Document

        document = Document()
        for at in range(0, len(text), 64):
            document.feed(text[at : at + 64])
            for block in document.blocks[max(0, document.stable - 1) :]:
                block.layout(100)

    def find(text: str) -> object:
        query = search_query.Query(text)
        return query.expression, query.matches("a text"), query.excerpt("a text"), query.spans("a text")

    def seam(text: str) -> object:
        joined = OverlapTrimmer(text)
        return joined.feed(text) + joined.finish(), overlap(text[-1000:], text)

    def count(text: str) -> object:
        counter = TokenCounter()
        for at in range(0, len(text), 64):
            counter.add(text[at : at + 64])
        return counter.count

    def scan(text: str) -> object:
        cleaner = sanitize.Cleaner()
        return [cleaner.feed(text[at : at + 64]) for at in range(0, len(text), 64)], sanitize.clean_line(text)

    def highlight(text: str) -> object:
        lines = text.split("\n")
        painter = Highlighter("python")
        for line in lines:
            painter.line(line, commit=True)
        return painter.whole(lines)

    yield Subject("an error body of text", lambda text: explain.status(400, text, {}), words)
    yield Subject("an error body of JSON", lambda text: explain.status(404, {"error": {"message": text}}, {}), words)
    yield Subject("an error event", lambda text: explain.sent_error({"message": text, "code": text}), words)
    yield Subject("an error for a model", lambda text: Explainer(here, text).status(404, text, {}), words)
    yield Subject("a page in place of a stream", lambda text: explain.not_a_stream(text, text), words)
    yield Subject("server_message", server_message, words)
    yield Subject("a refused field", lambda text: rejected_field(text, dict(body)), words)
    yield Subject("clean", sanitize.clean, ("\x1b", "\r", "\r\n", "\ud800", "\udc00", "\u2028"))
    yield Subject("clean in pieces", scan, ("\x1b", "\r", "\r\n", "\ud800", "\udc00", "\u2028"))
    yield Subject("a query", find, ("日", '"', "C++", "a"))
    yield Subject(
        "words in a text", lambda text: search_query.Query("ab ba a-b").excerpt(text), ("ab", "ba", "a-b", "a")
    )
    yield Subject(
        "words in a text, all", lambda text: search_query.Query("ab ba a-b").spans(text), ("ab", "ba", "a-b", "a")
    )
    yield Subject("indexed", search_query.indexed, ("日", "a日"))
    yield Subject("manual.search", manual.search, ("a.", "streamtui", "_", "'"))
    yield Subject("the demo's answer", lambda text: answer([text]), ("what did i ", "code "))
    yield Subject("facts of a model", lambda text: models.model_info(here, text), ("gpt-5", "gpt-1.", "/", "chat"))
    yield Subject(
        "the API of a model", lambda text: (models.api_for(here, text), models.reasons(text)), ("gpt-1.", "/")
    )
    yield Subject("nearest", lambda text: nearest(text, ["endpoint", "parameters", "theme"]), ("endpoint", "e"))
    yield Subject("suggest_models", lambda text: suggest_models(Route(here, text), known), ("model-1", "here/"))
    yield Subject(
        "a long listed model", lambda text: suggest_models(Route(here, "model-1"), [text] * 9), ("model-", "1")
    )
    yield Subject("rewrite", lambda text: _tolerant(router.rewrite, (f'{{"model": "m", "x": {text}').encode()), words)
    yield Subject("OverlapTrimmer", seam, ("```", "a b", " "))
    yield Subject("TokenCounter", count, (" ", "a ", "é"))
    yield Subject("lines_of", lines_of, ("a = 1\n", "[a]\n", "[", '"', "#", "a.", "{", "'''"))
    yield Subject("closed", closed, ("```", "~~~", "> ", "- "))
    yield Subject("_slug", _slug, ("-", "con", "_"))
    yield Subject("highlight", highlight, ('"""', "'", "(", "\\", "def a", "\n", "@", "f'{"))
    yield Subject("parse Markdown", parse, marks)
    yield Subject("stream Markdown", stream, marks)


def _tolerant(call: Callable[[bytes], object], data: bytes) -> object:
    from streamtui.server.api_errors import ApiError

    try:
        return call(data)
    except ApiError as error:
        return error


def attacks(hints: tuple[str, ...]) -> Iterator[Attack]:
    """Texts that repeat what a pattern reacts to, behind and before other such things."""
    usual = ["a", " ", "\n", "0", "-", "aa a", "é", *hints]
    pairs = [left + right for left, right in product(hints[:8], repeat=2) if left != right]
    units = list(dict.fromkeys([*usual, *(f"{hint} " for hint in hints), *(f"a{hint}" for hint in hints), *pairs]))
    firsts = ["", *hints[:6]]
    yield from (Attack(first, unit, last) for first, unit, last in product(firsts, units, ("", "\n", "!")))


def seconds(call: Callable[[str], object], text: str) -> float:
    """Return the CPU seconds of one call, the least of several when it is short."""
    least = math.inf
    for _ in range(5):
        start = time.process_time()
        call(text)
        least = min(least, time.process_time() - start)
        if least > 0.01:
            break
    return least


def slowest(subject: Subject) -> list[Attack]:
    """Return the attacks that take longest at small sizes."""
    left = list(attacks(subject.hints))
    for size, keep in ((64, 120), (512, 30), (4096, 4)):
        timed = []
        for attack in left:
            timed.append((seconds(subject.call, attack.text(size)), attack))
            if timed[-1][0] > SECONDS:
                return [attack]
        left = [attack for _, attack in sorted(timed, key=lambda pair: -pair[0])[:keep]]
    return left[:4]


def growth(subject: Subject, attack: Attack) -> tuple[float, int, float]:
    """Return (exponent, size, seconds): the growth over the last factor of 16 that takes a measurable time."""
    sizes = [subject.cap >> shift for shift in range(10, -1, -2)]
    spent: list[float] = []
    for size in sizes:
        spent.append(seconds(subject.call, attack.text(size)))
        if spent[-1] > SECONDS:
            break
    size, last = sizes[len(spent) - 1], spent[-1]
    before = next((past for past in spent[-3:-1] if past > 0.0001), last)
    steps = len(spent) - 1 - spent.index(before)
    return (math.log(last / before, 4) / steps if steps else 0.0), size, last


def report(subject: Subject) -> bool:
    """Print the line of a subject; True if it grows too fast."""
    (exponent, size, spent), attack = max((growth(subject, attack), attack) for attack in slowest(subject))
    capped = f"  capped at {subject.cap:,}" if subject.cap < LARGEST else ""
    bad = exponent > TOLERATED and spent > HARMLESS
    shown = f"{attack.first!r} + {attack.unit!r} …{attack.last!r}"
    print(
        f"{'!' if bad else ' '} {subject.name:48}{exponent:6.2f}{size:10,}{spent * 1e3:10.2f} ms  {shown}{capped}",
        flush=True,
    )
    return bad


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*", metavar="NAME")
    names = arguments.parse_args().names
    print(f"  {'':48}{'growth':>6}{'at':>10}{'CPU':>13}  slowest input")
    subjects = [one for one in (*patterns(), *functions()) if not names or any(name in one.name for name in names)]
    bad = [subject.name for subject in subjects if report(subject)]
    print(f"{len(subjects)} measured; too steep: {', '.join(bad) or 'none'}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
