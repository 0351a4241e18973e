"""Highlighting of code: line by line while it streams, and the whole block once when its fence closes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from time import thread_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Pygments is loaded with the first code block
    from streamtui.highlighting.lexer_rules import Token
    from streamtui.highlighting.line_lexers import Grammar

Run = tuple[str, str]
"""Text and its style: empty for plain, else ``tok:`` and a key of `STYLES`."""

STYLES = {
    "c": "comment",
    "k": "keyword",
    "s": "string",
    "sd": "docstring",
    "n": "number, date",
    "nf": "function; tag; key of JSON or YAML",
    "nc": "class, exception, module",
    "nd": "decorator, preprocessor, prompt",
    "nb": "builtin name or type, attribute",
    "o": "operator",
    "gi": "inserted line",
    "gd": "deleted line",
    "gh": "heading",
    "err": "error message",
}
"""What stands behind each style's name."""

LINE_LIMIT = 1_000
"""Characters of a line that are painted, the rest is plain: rules of some lexers take quadratic time
(Terraform 30 ms for 1,000 letters, 117 ms for 2,000)."""
WHOLE_LIMIT = 32_768
"""Characters of a block that `Highlighter.whole` lexes again: 20-35 ms for most languages, Ruby 75."""
# CPU after which it gives up: prose without a full stop in a fence of Java takes 6 s for 32 KB.
_WHOLE_SECONDS = 0.03
# Rules that begin with \s* take cubic time over blank lines: minutes in C for 16 KB (a model in a loop).
_MUCH_SPACE = re.compile(r"\s{256}")


class Highlighter:
    """Highlights one code block: line by line while it grows, then as a whole."""

    def __init__(self, language: str) -> None:
        """`language` is the info string or its first word; one that nobody knows is plain text."""
        self._grammar = _grammar(language)
        self._lexer = self._grammar.line_lexer() if self._grammar else None
        self._committed: list[list[Run]] = []
        self._head: tuple[str, list[Run]] = ("", [])  # the painted part of a long line that grows

    def line(self, text: str, commit: bool) -> list[Run]:
        """The runs of the next line, given without its newline; `commit`: it is complete, another follows."""
        if len(text) > LINE_LIMIT:
            runs = self._cut(text)
        elif commit:
            runs = self._lexed(text)
        else:
            runs = self._peeked(text)
        if commit:
            self._committed.append(runs)
            self._head = ("", [])
        return runs

    def whole(self, lines: list[str]) -> list[list[Run]]:
        """The runs of each line of the complete block, as Pygments has them for its whole text.

        A line that looks as it did when `line` committed it gets that very list again. Where this would take
        too long (see `WHOLE_LIMIT`, `LINE_LIMIT`), every line looks as `line` has it.
        """
        if self._grammar is None:
            return [_plain(line) for line in lines]
        whole = self._lexed_whole(self._grammar, lines)
        if whole is None:
            return self._by_line(lines)
        for index, committed in enumerate(self._committed[: len(lines)]):
            if whole[index] == committed:
                whole[index] = committed
        return whole

    def _lexed_whole(self, grammar: Grammar, lines: list[str]) -> list[list[Run]] | None:
        """The runs of each line as Pygments has them; None if that takes too long or a lexer fails."""
        text = "\n".join(lines) + "\n"
        too_long = len(text) > WHOLE_LIMIT or any(len(line) > LINE_LIMIT for line in lines)
        if too_long or _MUCH_SPACE.search(text):
            return None
        from streamtui.highlighting.lexer_rules import LEXER_FAILURES

        try:
            by_line = _split(_in_time(grammar.whole(text), _WHOLE_SECONDS), lines)
        except (TimeoutError, *LEXER_FAILURES):
            return None
        return [_runs(line, tokens) for line, tokens in zip(lines, by_line, strict=True)]

    def _by_line(self, lines: list[str]) -> list[list[Run]]:
        """The committed runs if they are of these lines, and those of the lines that follow them."""
        done = self._committed
        if len(done) > len(lines) or any(
            "".join([text for text, _ in runs]) != line for line, runs in zip(lines, done, strict=False)
        ):
            self._lexer = self._grammar.line_lexer() if self._grammar else None
            self._committed = done = []
        for line in lines[len(done) :]:
            self.line(line, commit=True)
        return list(done)

    def _cut(self, text: str) -> list[Run]:
        """The runs of a long line, its end plain; to the lines after it, it is as if it were not there.

        Where the painted part ends is most often inside a string, of which the next lines know nothing.
        """
        head, runs = self._head
        if not head or not text.startswith(head):
            head = text[:LINE_LIMIT]
            runs = self._peeked(head)
            self._head = (head, runs)
        tail = text[LINE_LIMIT:]
        last, style = runs[-1]
        return [*runs[:-1], (last + tail, "")] if style == "" else [*runs, (tail, "")]

    def _peeked(self, text: str) -> list[Run]:
        """The runs of a line; the lexer stays where it is."""
        if self._lexer is None:
            return _plain(text)
        before = self._lexer.save()
        runs = self._lexed(text)
        self._lexer.restore(before)
        return runs

    def _lexed(self, text: str) -> list[Run]:
        """The runs of a line; the lexer is then where the next line begins."""
        if self._lexer is None:
            return _plain(text)
        from streamtui.highlighting.lexer_rules import LEXER_FAILURES

        before = self._lexer.save()
        try:
            return _runs(text, self._lexer.tokens(text + "\n"))
        except LEXER_FAILURES:
            self._lexer.restore(before)
            return _plain(text)


def _plain(text: str) -> list[Run]:
    return [(text, "")] if text else []


# ------------------------------------------------------------------------------------- from tokens to runs


def _runs(text: str, tokens: Iterable[Token]) -> list[Run]:
    """Slice a line where the style changes: all of it is there, whatever the tokens say."""
    runs: list[Run] = []
    start = end = 0
    style = None
    for _, token, value in tokens:
        pos = end
        end += len(value)
        other = _styles[token]
        if other == style or not value.strip():  # white space joins the run before it
            continue
        if style is not None and pos > start:
            runs.append((text[start:pos], style))
            start = pos
        style = other
    if start < len(text):
        runs.append((text[start:], style or ""))
    return runs


def _split(tokens: Iterable[Token], lines: list[str]) -> list[list[Token]]:
    """Share the tokens of a block out to its lines."""
    shares: list[list[Token]] = [[] for _ in range(len(lines) + 1)]
    index = 0
    for pos, token, value in tokens:
        first, *others = value.split("\n")
        shares[index].append((pos, token, first))
        for part in others:
            index = min(index + 1, len(lines))
            shares[index].append((pos, token, part))
    return shares[: len(lines)]


def _in_time(tokens: Iterable[Token], seconds: float) -> Iterator[Token]:
    """The tokens; TimeoutError when they took this much CPU."""
    deadline = thread_time() + seconds
    for count, token in enumerate(tokens):
        if not count % 32 and thread_time() > deadline:
            raise TimeoutError
        yield token


class _Styles(dict[tuple[str, ...], str]):
    """Styles by token type; a type that isn't there has its parent's."""

    def __missing__(self, token: tuple[str, ...]) -> str:
        style = self[token] = self[tuple(token[:-1])] if token else ""
        return style


_styles = _Styles(
    (tuple(token.split(".")), "tok:" + name)
    for name, tokens in {
        "c": "Comment",
        "k": "Keyword Operator.Word",
        "s": "Literal.String Comment.PreprocFile",
        "sd": "Literal.String.Doc",
        "n": "Literal.Number Literal.Date Name.Entity",
        "nf": "Name.Function Name.Tag",
        "nc": "Name.Class Name.Exception Name.Namespace",
        "nd": "Name.Decorator Comment.Preproc Name.Label Generic.Prompt",
        "nb": "Name.Builtin Keyword.Type Name.Attribute Name.Property",
        "o": "Operator",
        "gi": "Generic.Inserted",
        "gd": "Generic.Deleted",
        "gh": "Generic.Heading Generic.Subheading",
        "err": "Generic.Error Generic.Traceback",
    }.items()
    for token in tokens.split()
)

# --------------------------------------------------------------------------------------------- languages

_MEANT = {
    alias: language
    for language, aliases in {
        "json": "jsonc jsonl ndjson geojson ipynb webmanifest",
        "js": "mjs cjs node nodejs ecmascript",
        "ts": "mts cts",
        "bash": "shellscript dotenv env",
        "console": "terminal shellsession",
        "html": "vue svelte astro htm xhtml",
        "xml": "svg plist xaml csproj",
        "c": "h",
        "cpp": "cc cxx hpp hh",
        "python": "ipython jupyter",
        "ini": "conf",
        "nasm": "assembly",
        "terraform": "tfvars",
        "graphql": "gql",
        "protobuf": "proto3",
        "make": "mk",
        "docker": "containerfile",
        "sql": "sqlite plsql",
        "tsql": "mssql",
        "mysql": "mariadb",
        "powershell": "ps",
        "diff": "patch",
        "batch": "batchfile cmd",
        "vbscript": "vbs",
        "vbnet": "vb",
        "ocaml": "ml",
        "fsharp": "fs",
        "objective-c": "m",
        "solidity": "sol",
        "vim": "viml",
        "elisp": "el",
        "scss": "styl postcss",
        "md": "mdx",
        "arduino": "ino",
    }.items()
    for alias in aliases.split()
}
"""Names that replies use and Pygments doesn't have, or not in all versions."""

_PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "output", "none"})
_NAME = re.compile(r"[{.]*(?:lang(?:uage)?-)?([\w+#.-]*)")


def _grammar(language: str) -> Grammar | None:
    """What an info string asks for: ``{.python}``, ``Python:main.py``, ``rust,ignore``, ``src/main.rs``."""
    word = next(iter(language.lower().split()), "")
    match = _NAME.match(word)
    name = match[1] if match else ""
    if name in _PLAIN:
        return None
    return _found(name) or _found(word.rpartition(".")[2])


@lru_cache(maxsize=128)
def _found(name: str) -> Grammar | None:
    from streamtui.highlighting.line_lexers import find

    return find(name) or find(_MEANT.get(name, ""))
