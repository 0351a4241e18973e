"""The rules of Pygments' regex lexers, made to work line by line and faster; the loops that apply them."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

from pygments.lexer import LexerContext, RegexLexer, bygroups, this, using
from pygments.token import Error, Name, Punctuation, String, _TokenType

from streamtui.highlighting.multiline_tokens import (
    CLOSERS,
    CONSTRUCTS,
    LINE_QUOTES,
    NESTED,
    SIGNATURE,
    SIGNATURE_RULE,
    Construct,
)


class LexerStuckError(Exception):
    """A lexer matches nothing over and over again (Pygments' McSchema does for ever, behind an open comment)."""


# What lexers end with on odd text, mostly in their callbacks (YAML: pop from an empty list).
LEXER_FAILURES = (
    AssertionError,
    AttributeError,
    LexerStuckError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_STUCK = 500  # matches of nothing in a row: a lexer needs at most one for each state on its stack

Token = tuple[int, _TokenType, str]
"""As lexers yield it; the position isn't always right (PostgreSQL's), the texts are."""
Match = Callable[..., "re.Match[str] | None"]
Lexing = Generator[Token, None, "tuple[Opener, re.Match[str]] | None"]
"""Tokens, then the opener of a construct where the loop ended because the line's rest is inside it."""


class Rule(NamedTuple):
    """As in RegexLexer._tokens; with `joined`, by `lastindex`, if the matcher stands for several rules."""

    match: Match
    action: Any
    new_state: Any
    joined: dict[int | None, Rule] | None = None


class Opener(NamedTuple):
    """The action of a rule that matches where a construct begins that doesn't end on its line."""

    token: _TokenType
    closer: str
    language: str = ""
    """Of what is inside; ``{0}`` is the opener's first group. Empty: all of it is one token."""


# ----------------------------------------------------------------------------------------- a lexer's rules

# A state's rules are joined into one regular expression when it was entered this often: a Python line falls
# from 33 to 17 us, but compiling costs 1-4 ms a state, which a short snippet never earns back.
_JOIN_AFTER = 150
_LONG_PATTERN = 1000  # Unicode classes: 5 ms each to compile again, so these rules stay on their own
_LEADING_FLAGS = re.compile(r"\(\?([a-zA-Z]+)\)")
_COUNTS_GROUPS = re.compile(r"\\[1-9]|\(\?P|\(\?\(")  # joining would renumber what these refer to


class Rules:
    """The rules of a lexer by state, joined where they are used much, with or without openers."""

    def __init__(self, lexer: RegexLexer, openers: bool) -> None:
        self._lexer = lexer
        self._openers = openers
        self._rules: dict[str, list[Rule]] = {}
        self._uses: dict[str, int] = {}

    def of(self, state: str) -> list[Rule]:
        uses = self._uses[state] = self._uses.get(state, 0) + 1
        if uses == 1 and state == _IN_SIGNATURE:
            self._rules[state] = _SIGNATURE_ENDS + self.of("statement")
        elif uses == 1:
            rules = [Rule(*rule) for rule in self._lexer._tokens[state]]  # type: ignore[attr-defined]
            self._rules[state] = _with_openers(self._lexer, state, rules) if self._openers else rules
        elif uses == _JOIN_AFTER:
            self._rules[state] = list(_joined(self._rules[state], self._lexer.flags))
        return self._rules[state]


def _joined(rules: list[Rule], flags: int) -> Iterator[Rule]:
    """The same rules, neighbours as one expression whose alternatives an empty group tells apart."""
    run: list[tuple[Rule, str]] = []
    for rule in rules:
        source = _alternative(rule.match, flags)
        if source is not None:
            run.append((rule, source))
            continue
        yield from _alternatives(run, flags)
        yield rule
        run = []
    yield from _alternatives(run, flags)


def _alternatives(run: list[tuple[Rule, str]], flags: int) -> Iterator[Rule]:
    if len(run) < 2:
        yield from (rule for rule, _ in run)
        return
    table: dict[int | None, Rule] = {}
    groups = 0
    for rule, _ in run:
        groups += _pattern(rule.match).groups + 1
        table[groups] = rule
    joined = re.compile("|".join(f"(?:{source})()" for _, source in run), flags)
    yield Rule(joined.match, None, None, table)


def _alternative(match: Match, flags: int) -> str | None:
    """The source of a rule as part of a larger expression; None: it can't or shouldn't be one."""
    pattern = _pattern(match)
    source: str = pattern.pattern
    if len(source) > _LONG_PATTERN or _COUNTS_GROUPS.search(source):
        return None
    end = "\n" if pattern.flags & re.VERBOSE else ""  # a comment may be the last thing in it
    if leading := _LEADING_FLAGS.match(source):
        return f"(?{leading[1]}:{source[leading.end() :]}{end})"
    return source + end if not (pattern.flags ^ flags) & re.VERBOSE else None


def _pattern(match: Match) -> re.Pattern[str]:
    pattern = match.__self__  # type: ignore[attr-defined]
    assert isinstance(pattern, re.Pattern)
    return pattern


# ----------------------------------------------------------------------------------- openers of constructs


_IN_SIGNATURE = "a signature of the C family"  # no lexer has a state of this name
_SIGNATURE = re.compile(SIGNATURE, re.MULTILINE).match
_signature = bygroups(using(this), Name.Function)  # type: ignore[no-untyped-call]
_SIGNATURE_ENDS = [
    Rule(re.compile(r"\{").match, Punctuation, ("#pop", "function")),
    Rule(re.compile(";").match, Punctuation, -1),
]


def _with_openers(lexer: RegexLexer, state: str, rules: list[Rule]) -> list[Rule]:
    """The rules of a state, and beside each that matches over several lines one for its first line."""
    result: list[Rule] = []
    for index, rule in enumerate(rules):
        result += _with_opener(lexer, rule, rules[index + 1 :])
        if state == "root" and _pattern(rule.match).pattern.endswith(SIGNATURE_RULE):
            result.append(Rule(_SIGNATURE, _signature, (_IN_SIGNATURE,)))
    for place in (state, f"{lexer.name} {state}"):
        if place in NESTED:
            opener, *closer_and_language = NESTED[place]
            result.insert(0, Rule(re.compile(opener).match, Opener(String, *closer_and_language), None))
        if place in CLOSERS:
            result.insert(0, Rule(re.compile(CLOSERS[place], re.M).match, String.Heredoc, -1))
    return result


def _with_opener(lexer: RegexLexer, rule: Rule, later: list[Rule]) -> list[Rule]:
    """`rule`; with one for the first line if it matches over several and none of `later` goes on as well."""
    for construct in CONSTRUCTS:
        token = _token_across_lines(lexer, rule, construct)
        if token is not None and not _has_own_state(later, construct, token):
            first_line = re.compile(_first_line(construct, lexer.name in LINE_QUOTES), re.MULTILINE)
            opener = Rule(first_line.match, Opener(token, construct.closer), rule.new_state)
            return [opener, rule] if "(?!" in construct.opener else [rule, opener]
    return [rule]


def _first_line(construct: Construct, line_quotes: bool) -> str:
    """A regular expression for an opener that is not closed on its line."""
    opener, closer = construct.opener, construct.closer
    if line_quotes and opener in "\"'":
        return opener + r"(?=[^\n]*\\\n)"
    if "(?!" in opener or "{0}" in closer:
        return opener
    return f"{opener}(?!{closer})" if closer.startswith("(?:") else f"{opener}(?!.*{closer})"


def _token_across_lines(lexer: RegexLexer, rule: Rule, construct: Construct) -> _TokenType | None:
    """The token that `rule` gives to an example of the construct; None: it doesn't match just that."""
    example = f"{construct.opened}\nx\n{construct.closed}"
    match = rule.match(f"{example}\n~~", 0)
    if match is None or not len(example) <= match.end() <= len(example) + 1:
        return None
    if isinstance(rule.action, _TokenType):
        return rule.action
    if rule.action is None:
        return None
    try:
        tokens = list(rule.action(lexer, match))
    except LEXER_FAILURES:
        return None
    return next((token for _, token, value in tokens if "\nx\n" in value), None)


def _has_own_state(later: list[Rule], construct: Construct, token: _TokenType) -> bool:
    """Whether a later rule would enter a state for the unfinished construct and paint it the same."""
    example = f"{construct.opened}x\n"
    return any(
        rule.match(example, 0) is not None and rule.action is token and isinstance(rule.new_state, tuple)
        for rule in later
    )


# ----------------------------------------------------------------------------------------------- the loops


def lex(lexer: Any, rules_by_state: Rules, text: str, pos: int, stack: list[str]) -> Lexing:
    """RegexLexer's loop from `pos` to the end of `text`; it changes `stack`."""
    lexer.text = text  # PostgreSQL's callback looks around in it
    stuck = 0
    rules = rules_by_state.of(stack[-1])
    while pos < len(text):  # at its end rules that match nothing would guess the next line
        for matches, action, new_state, joined in rules:
            match = matches(text, pos)
            if match is None:
                continue
            if joined is not None:
                matches, action, new_state, _ = joined[match.lastindex]
            if type(action) is _TokenType:
                yield pos, action, match.group()
            elif action is not None:
                match = matches(text, pos) or match  # again if joined: callbacks count groups
                if type(action) is Opener:
                    _move(stack, new_state)
                    return action, match
                yield from action(lexer, match)
            stuck = stuck + 1 if pos == match.end() else 0
            if stuck > _STUCK:
                raise LexerStuckError(stack[-1])
            pos = match.end()
            if new_state is not None:
                _move(stack, new_state)
                rules = rules_by_state.of(stack[-1])
            break
        else:
            yield pos, Error, text[pos]
            if text[pos] == "\n":
                stack[:] = ["root"]
                rules = rules_by_state.of("root")
            pos += 1
    return None


def lex_context(lexer: Any, rules_by_state: Rules, context: LexerContext) -> Lexing:
    """ExtendedRegexLexer's loop from the context's position to its end; callbacks change the context."""
    text = context.text
    stuck = 0
    rules = rules_by_state.of(context.stack[-1])
    while context.pos < context.end:
        pos = context.pos
        for matches, action, new_state, joined in rules:
            match = matches(text, pos, context.end)
            if match is None:
                continue
            if joined is not None:
                matches, action, new_state, _ = joined[match.lastindex]
            if type(action) is _TokenType:
                yield pos, action, match.group()
                context.pos = match.end()
            elif action is not None:
                match = matches(text, pos, context.end) or match
                if type(action) is Opener:
                    _move(context.stack, new_state)
                    return action, match
                yield from action(lexer, match, context)
            stuck = stuck + 1 if pos == context.pos else 0
            if stuck > _STUCK:
                raise LexerStuckError(context.stack[-1])
            _move(context.stack, new_state)
            rules = rules_by_state.of(context.stack[-1])
            break
        else:
            yield pos, Error, text[pos]
            if text[pos] == "\n":
                context.stack = ["root"]
                rules = rules_by_state.of("root")
            context.pos += 1
    return None


def _move(stack: list[str], new_state: Any) -> None:
    """Change the stack as RegexLexer does for a rule's new state; it never gets empty."""
    if isinstance(new_state, tuple):
        for state in new_state:
            if state == "#push":
                stack.append(stack[-1])
            elif state != "#pop":
                stack.append(state)
            elif len(stack) > 1:
                stack.pop()
    elif isinstance(new_state, int):
        del stack[max(1, len(stack) + new_state) :]
    elif new_state == "#push":
        stack.append(stack[-1])
