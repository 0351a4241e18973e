"""Make untrusted text safe to show: control characters become visible symbols."""

import re

# ESC, C1 and bidi overrides pass through Textual and Rich to the terminal unchanged (measured with
# textual 8.2.8: 17 of 17 widgets), so no layer below does this.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# \Z, as $ also matches before a line end at the end: "\r\n" would be cut in two.
_HELD = re.compile("[\r\ud800-\udbff]\\Z")


def _symbol(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code in (0x85, 0x2028, 0x2029):
        return "\n"
    return "\ufffd"


def _join(match: re.Match[str]) -> str:
    return match[0].encode("utf-16", "surrogatepass").decode("utf-16")


def clean(text: str) -> str:
    """Return `text` with line ends as ``\\n`` and no character that could control a terminal.

    C0 controls and DEL become their Unicode pictures (ESC is ``␛``); C1 controls, bidi overrides and lone
    surrogates become ``\\ufffd``; Unicode line separators become line ends. Tabs and line ends stay. The
    result can always be encoded as UTF-8. Cleaning twice changes nothing.
    """
    if _UNSAFE.search(text) is None:
        return text
    text = text.replace("\r\n", "\n")
    return _UNSAFE.sub(_symbol, _SURROGATE_PAIR.sub(_join, text))


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line: for names, titles and messages of one sentence."""
    return " ".join(clean(text).split())


def escape_json(text: str) -> str:
    """Return JSON `text` that means the same, with ``\\u`` escapes for everything that could control a terminal."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def short_line(text: str, longest: int) -> str:
    """Return `text` cleaned and on one line, with an ellipsis for what exceeds `longest` characters.

    Looks only at the beginning of `text`, so that megabytes cost no more than a line.
    """
    line = clean_line(text[: 2 * longest])
    return line if len(line) <= longest and len(text) <= 2 * longest else line[: longest - 1].rstrip() + "…"


class Cleaner:
    """Cleans text that arrives in chunks, even if a line end or a surrogate pair is split between two."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return the text of `piece`, and of what was held back before it, that can be shown now."""
        text = self._held + piece
        self._held = text[-1:] if _HELD.search(text) else ""
        return clean(text[: len(text) - len(self._held)])

    def finish(self) -> str:
        """Return what was held back, at the end of the text."""
        held, self._held = self._held, ""
        return clean(held)
