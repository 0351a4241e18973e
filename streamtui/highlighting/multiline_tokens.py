"""What Pygments matches with one regular expression over many lines: how it opens and how it closes."""

from __future__ import annotations

from typing import NamedTuple


class Construct(NamedTuple):
    """A construct of many lines, found in any lexer by what its rules match (see `lexing._with_openers`)."""

    opened: str
    """An example of its beginning, as given to a lexer's rules."""
    closed: str
    """An example of its end."""
    opener: str
    """A regular expression for the beginning. With a look-ahead of its own it is tried before the rule,
    which would find less in the first line (bash: ``<<ENDE`` is ``<<E``, ``ND``, ``E``)."""
    closer: str
    """A regular expression for the end; ``{0}`` stands for the opener's first group."""


_UP_TO_QUOTE = r'(?:[^"\\]|\\.)*"'
_UP_TO_APOSTROPHE = r"(?:[^'\\]|\\.)*'"
_UP_TO_BACKTICK = r"(?:[^`\\]|\\.)*`"

CONSTRUCTS = (
    Construct("/*", "*/", r"/\*", r"\*/"),
    Construct("/**", "*/", r"/\*[*!]", r"\*/"),
    Construct('  r"""', '"""', r'^[ \t]*\w{0,2}"""', '"""'),  # a docstring, with its indentation
    Construct("  r'''", "'''", r"^[ \t]*\w{0,2}'''", "'''"),
    Construct('$"', '"', r'\$"', _UP_TO_QUOTE),
    Construct('"', '"', '"', _UP_TO_QUOTE),
    Construct("'", "'", "'", _UP_TO_APOSTROPHE),
    Construct("`", "`", "`", _UP_TO_BACKTICK),
    Construct('"""', '"""', '"""', '"""'),
    Construct("'''", "'''", "'''", "'''"),
    Construct("$'", "'", r"\$'", _UP_TO_APOSTROPHE),
    Construct('@"', '"', r'[$@]{1,2}"(?!(?:[^"\n]|"")*"(?!"))', r'(?:[^"]|"")*"(?!")'),
    Construct('b"', '"', r'\w{1,2}"', _UP_TO_QUOTE),
    Construct('@"\n', '\n"@', r'@"[ \t]*$', r'^"@'),
    Construct("@'\n", "\n'@", r"@'[ \t]*$", r"^'@"),
    Construct('R"d(', ')d"', r'(?:u8|[LuU])?R"([^()\\\s]{0,16})\(', r'\){0}"'),
    Construct('r#"', '"#', r'[bc]?r(#+)"', '"{0}'),
    Construct("--[==[", "]==]", r"--\[(=*)\[", r"\]{0}\]"),
    Construct("[==[", "]==]", r"\[(=*)\[", r"\]{0}\]"),
    Construct("<!--", "-->", "<!--", "-->"),
    Construct("<![CDATA[", "]]>", r"<!\[CDATA\[", r"\]\]>"),
    Construct("<?x", "?>", r"<\?", r"\?>"),
    Construct("<#", "#>", "<#", "#>"),
    Construct("(*", "*)", r"\(\*", r"\*\)"),
    Construct("{-", "-}", r"\{-", r"-\}"),
    Construct("#|", "|#", r"#\|", r"\|#"),
    Construct("#=", "=#", "#=", "=#"),
    Construct("=begin x", "=end", "^=begin", "^=end"),
    Construct("=pod", "=cut", r"^=\w+", "^=cut"),
    Construct("<<EOT", "xEOT", r"<<-?\s*'?\\?(\w+)\b(?!.*\1)", "{0}"),
    Construct("<<EOT", "\nEOT", r"<<[-~]?['\"]?(\w+)['\"]?;?", r"^\s*{0}"),
    Construct("<<<EOT", "\nEOT;", r"<<<['\"]?(\w+)['\"]?", r"^\s*{0}"),
)
"""In this order: a rule gets the first one that it matches (SQL's rule for 'a''b' matches '''a''' too)."""

LINE_QUOTES = frozenset({"JavaScript", "TypeScript", "JSX", "TSX", "Go"})
"""Lexers whose '' and "" go on only behind a backslash: else the apostrophe of a JSX text opens a string."""

NESTED = {
    "script-content": (r"(?!(?i:.*<\s*/\s*script\s*>))", r"(?=(?i:<\s*/\s*script\s*>))", "javascript"),
    "style-content": (r"(?!(?i:.*<\s*/\s*style\s*>))", r"(?=(?i:<\s*/\s*style\s*>))", "css"),
    "Markdown root": (r"^\s*```([\w-]*)[^`\n]*\n", r"^\s*```$", "{0}"),
    "PostgreSQL SQL dialect root": (r"\$(\w*)\$(?!.*\$\1\$)", r"\${0}\$", "plpgsql"),
}
"""States, of one lexer or any, in which code of another language opens on a line and closes on a later one:
what opens it, what closes it, its language (``{0}``: the opener's first group). HTML takes the end tag."""

SIGNATURE_RULE = r"""([^;/"\']*)(;)"""
"""How the rule of the C family ends that knows a function by its whole declaration, up to the semicolon."""

SIGNATURE = r"""((?!\d)[\w$:]+[&*\s]+)((?!\d)[\w$:]+)(?=\s*\([^;"')]*(?:\)[^;{/"']*)?$)"""
"""The first line of a function, without its end: return type, name."""

CLOSERS = {"PowerShell heredoc-double": r'^"@'}
"""Ends of states that a lexer looks for together with the newline before them."""

UNFIT = frozenset({"Maple", "Smithy", "Inform 6 template"})
"""Not used: two take minutes for a few lines of another language, one begins in a state of its own."""

HEREDOC_LEXERS = frozenset({"Ruby", "Crystal"})
"""Lexers whose callbacks read a heredoc ahead; its names are String.Delimiter."""
