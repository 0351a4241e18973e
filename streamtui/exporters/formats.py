"""Export formats."""

from enum import StrEnum
from pathlib import PurePath

from streamtui.core.session import Session
from streamtui.exporters.theme_colors import Colors


class Format(StrEnum):
    """An export format."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    TEXT = "text"

    @property
    def suffix(self) -> str:
        """The file extension, with the dot."""
        return _SUFFIXES[self]

    @property
    def does(self) -> str:
        """A short description."""
        return _DOES[self]


_SUFFIXES = {Format.MARKDOWN: ".md", Format.HTML: ".html", Format.JSON: ".json", Format.TEXT: ".txt"}
_DOES = {
    Format.MARKDOWN: "for reading and editing",
    Format.HTML: "web page in the colors of the theme",
    Format.JSON: "complete, can be imported again",
    Format.TEXT: "plain text",
}


def format_of(name: str) -> Format | None:
    """Return the format for a file name; None if its extension is unknown."""
    ending = PurePath(name).suffix.lower()
    return next((known for known in Format if ending in (known.suffix, f".{known}")), None)


def export_session(session: Session, format: Format, *, tree: bool = False, colors: Colors | None = None) -> str:
    """Return the session as text: the current branch, or with `tree` all branches (JSON always has all).

    `colors` are for HTML, by default those of the default theme. Raises TransferError if the theme can't be read.
    """
    # Imported on demand: the Markdown parser and the highlighter are slow to import.
    if format is Format.JSON:
        from streamtui.exporters.json_export import to_json

        return to_json(session)
    if format is Format.HTML:
        from streamtui.exporters.html_page import to_html

        return to_html(session, tree=tree, colors=colors)
    if format is Format.MARKDOWN:
        from streamtui.exporters.markdown_export import to_markdown

        return to_markdown(session, tree=tree)
    from streamtui.exporters.text_export import to_text

    return to_text(session, tree=tree)
