"""The formats of an export, by which any session becomes text."""

from enum import StrEnum
from pathlib import PurePath

from streamtui.core.session import Session
from streamtui.exporters.theme_colors import Colors


class Format(StrEnum):
    """What a session can be exported as."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    TEXT = "text"

    @property
    def suffix(self) -> str:
        """The ending of its files, with the dot."""
        return _SUFFIXES[self]

    @property
    def does(self) -> str:
        """What it is good for, in a few words."""
        return _DOES[self]


_SUFFIXES = {Format.MARKDOWN: ".md", Format.HTML: ".html", Format.JSON: ".json", Format.TEXT: ".txt"}
_DOES = {
    Format.MARKDOWN: "to read and to edit",
    Format.HTML: "a page for the browser, in the theme's colors",
    Format.JSON: "everything, to keep and to import again",
    Format.TEXT: "plain text",
}


def format_of(name: str) -> Format | None:
    """Returns the format of files with such a name; None where its ending is of none."""
    ending = PurePath(name).suffix.lower()
    return next((known for known in Format if ending in (known.suffix, f".{known}")), None)


def export_session(session: Session, format: Format, *, tree: bool = False, colors: Colors | None = None) -> str:
    """Returns the path shown, or with `tree` all branches; as JSON always everything.

    `colors` are those of the page, by default of the default theme. Raises TransferError if that can't be read.
    """
    # Imported by name: Markdown's parser and the highlighter are for those who need them.
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
