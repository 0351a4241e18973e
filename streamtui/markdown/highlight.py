"""Plain rows until the highlighter is there."""

from __future__ import annotations

from streamtui.markdown.wrap import Run


class Highlighter:
    """Colours nothing."""

    def __init__(self, language: str) -> None:
        self.language = language

    def line(self, text: str, commit: bool) -> list[Run]:
        """One row."""
        return [(text, "")] if text else []

    def whole(self, lines: list[str]) -> list[list[Run]]:
        """All rows."""
        return [self.line(line, True) for line in lines]
