"""Pygments' lexers by name, each able to go on with the next line where it was after the last."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from pygments.lexer import ExtendedRegexLexer, Lexer, LexerContext, RegexLexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import String, Whitespace, _TokenType

from streamtui.highlighting.lexer_rules import Lexing, Opener, Rules, Token, lex, lex_context
from streamtui.highlighting.multiline_tokens import HEREDOC_LEXERS, UNFIT


@lru_cache(maxsize=64)
def find(alias: str) -> Grammar | None:
    """The grammar for one of Pygments' aliases; None: there is none, or nothing to paint."""
    if alias not in _aliases():
        return None
    lexer = get_lexer_by_name(alias)
    return None if lexer.name in UNFIT or lexer.name == "Text only" else Grammar(lexer)


@lru_cache(maxsize=1)
def _aliases() -> frozenset[str]:
    # get_lexer_by_name() looks through the entry points of all installed packages for a name it doesn't know
    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)


class LineLexer(Protocol):
    """Lexes a text line by line."""

    def tokens(self, line: str) -> Iterator[Token]:
        """Lex a line that ends with its newline; exhausted, it knows what the next line needs to know."""

    def save(self) -> Any:
        """What it knows."""

    def restore(self, saved: Any) -> None:
        """Know only that again."""


class Grammar:
    """A Pygments lexer with its rules prepared, shared by all blocks of its language."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        method = type(lexer).get_tokens_unprocessed
        extended = isinstance(lexer, ExtendedRegexLexer)
        self._resumes = isinstance(lexer, RegexLexer) and not extended
        self._overridden = method is not RegexLexer.get_tokens_unprocessed
        unchanged = method is ExtendedRegexLexer.get_tokens_unprocessed or lexer.name == "YAML"
        self._contextual = extended and unchanged
        if isinstance(lexer, RegexLexer):
            self.by_line, self.exact = Rules(lexer, openers=True), Rules(lexer, openers=False)

    def line_lexer(self) -> LineLexer:
        """A lexer for a text from its first line on."""
        if self._resumes:
            return _Resumed(self)
        return _Contextual(self) if self._contextual else _Stateless(self.lexer)

    def whole(self, text: str) -> Iterator[Token]:
        """The tokens that Pygments has for the whole text."""
        if self._resumes:
            run = self.filtered(lambda text: lex(self.lexer, self.exact, text, 0, self.first_stack(text)))
            return run(text)
        if self._contextual:
            return lex_context(self.lexer, self.exact, self.context(text))
        return self.lexer.get_tokens_unprocessed(text)

    def context(self, text: str = "") -> LexerContext:
        """What an ExtendedRegexLexer's callbacks expect at the beginning of a text."""
        if self.lexer.name != "YAML":
            return LexerContext(text, 0)
        from pygments.lexers.data import YamlLexerContext

        context: LexerContext = YamlLexerContext(text, 0)  # type: ignore[no-untyped-call]
        return context

    def first_stack(self, text: str) -> list[str]:
        """The states a text begins in: PHP in a chat often comes without its ``<?php``."""
        inline = self.lexer.name == "PHP" and not text.lstrip().startswith("<")
        return ["root", "php"] if inline else ["root"]

    def filtered(self, run: Callable[[str], Iterator[Token]]) -> Callable[[str], Iterator[Token]]:
        """`run` with its tokens changed as the lexer's class does it (C: names of the library's types)."""
        if not self._overridden:
            return run
        filtering: Any = copy.copy(self.lexer)
        filtering._tokens = _AnyState([(_ALL, lambda _, match: run(match.group()), None)])
        return filtering.get_tokens_unprocessed  # type: ignore[no-any-return]


_ALL = re.compile(r"[\s\S]+").match


class _AnyState(dict[str, list[Any]]):
    """A table of states that has the same rules for all of them."""

    def __init__(self, rules: list[Any]) -> None:
        super().__init__()
        self._same = rules

    def __missing__(self, state: str) -> list[Any]:
        return self._same


class _Open(NamedTuple):
    """A construct that the lines so far have not closed."""

    closer: re.Pattern[str]
    token: _TokenType
    inner: LineLexer | None

    @classmethod
    def by(cls, opener: Opener, match: re.Match[str]) -> _Open:
        """The construct that `match` opens."""
        name = match.group(1) if match.re.groups else ""
        grammar = find(opener.language.replace("{0}", name))
        closer = re.compile(opener.closer.replace("{0}", re.escape(name)), re.MULTILINE)
        return cls(closer, opener.token, grammar.line_lexer() if grammar else None)

    def content(self, text: str) -> Iterator[Token]:
        """The tokens of a text that is inside the construct."""
        return iter([(0, self.token, text)]) if self.inner is None else self.inner.tokens(text)


class _Resumed:
    """A RegexLexer: its stack of states is kept, and the construct that is open."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._stack: list[str] = []  # empty until a line isn't blank
        self._open: _Open | None = None
        self._filtered = grammar.filtered(self._tokens)

    def save(self) -> Any:
        inner = self._open.inner if self._open is not None else None
        return self._stack[:], self._open, inner.save() if inner is not None else None

    def restore(self, saved: Any) -> None:
        stack, self._open, inner = saved
        self._stack = stack[:]
        if self._open is not None and self._open.inner is not None:
            self._open.inner.restore(inner)

    def tokens(self, line: str) -> Iterator[Token]:
        return self._filtered(line)

    def _tokens(self, line: str) -> Iterator[Token]:
        start = 0
        if self._open is not None:
            closing = self._open.closer.search(line)
            yield from self._open.content(line[: closing.start()] if closing else line)
            if closing is None:
                return
            yield closing.start(), self._open.token, closing.group()
            self._open = None
            start = closing.end()
        elif not self._stack and line.isspace():
            yield 0, Whitespace, line
            return
        found = yield from self._lex(line, start)
        if found is not None:
            opener, match = found
            self._open = _Open.by(opener, match)
            yield match.start(), opener.token, match.group()
            yield from self._open.content(line[match.end() :])

    def _lex(self, line: str, start: int) -> Lexing:
        self._stack = self._stack or self._grammar.first_stack(line)
        return lex(self._grammar.lexer, self._grammar.by_line, line, start, self._stack)


class _Contextual(_Resumed):
    """An ExtendedRegexLexer: it keeps all it knows in a context, but reads ahead to the end of a heredoc."""

    def __init__(self, grammar: Grammar) -> None:
        super().__init__(grammar)
        self._context = grammar.context()
        self._has_heredocs = grammar.lexer.name in HEREDOC_LEXERS
        self._heredocs: list[str] = []  # names of those that begin with the next line

    def save(self) -> Any:
        known = vars(self._context).items()
        copied = {name: value[:] if isinstance(value, list) else value for name, value in known}
        return super().save(), copied, self._heredocs[:]

    def restore(self, saved: Any) -> None:
        resumed, known, heredocs = saved
        super().restore(resumed)
        self._context.__dict__ = known
        self._heredocs = heredocs[:]

    def tokens(self, line: str) -> Iterator[Token]:
        if self._heredocs:
            if line.strip() == self._heredocs[0]:
                del self._heredocs[0]
            yield 0, String.Heredoc, line
            return
        for token in self._tokens(line):
            if self._has_heredocs and token[1] is String.Delimiter:
                self._heredocs.append(token[2])
            yield token

    def _lex(self, line: str, start: int) -> Lexing:
        self._context.text, self._context.pos, self._context.end = line, start, len(line)
        return lex_context(self._grammar.lexer, self._grammar.by_line, self._context)


class _Stateless:
    """Any other lexer: each line is lexed as if it were all there is."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer

    def tokens(self, line: str) -> Iterator[Token]:
        return self._lexer.get_tokens_unprocessed(line)

    def save(self) -> None:
        """Nothing."""

    def restore(self, saved: None) -> None:
        """Nothing to do."""
