"""Named styles of the conversation and the status bar."""

from typing import TYPE_CHECKING

from rich.style import Style as RichStyle
from textual.style import Style

from streamtui.core.sanitize import clean_line

if TYPE_CHECKING:
    from textual.widget import Widget

# A table of our own and no component classes: Textual makes a node for each of those whenever a widget is styled,
# which for these 50 names took 60 ms CPU before the first paint. A theme changes one by a variable "chat-NAME".
STYLES = {
    "user": "bold $primary",
    "assistant": "bold $accent",
    "user-bar": "$primary",
    "cursor-bar": "$warning",
    "faint": "$foreground 45%",
    "fold": "italic $foreground 60%",
    "thought": "italic $foreground 60%",
    "error": "$error",
    "ending": "$warning",
    "badge": "bold $background on $primary",
    "thumb": "$foreground 25%",
    "selected": "on $primary 40%",
    "match": "$background on $warning",
    "hint": "bold $background on $accent",
    "em": "italic",
    "strong": "bold",
    "s": "strike",
    "code": "$warning on $surface",
    "link": "underline $secondary",
    "bullet": "$primary",
    "quote": "$secondary",
    "quoted": "$foreground 75%",
    "rule": "$foreground 25%",
    "task": "$success",
    "tex": "$secondary",
    "codebg": "on $surface",
    "h1": "bold underline $primary",
    "h2": "bold $primary",
    "h3": "bold $secondary",
    "h4": "bold $secondary 80%",
    "h5": "bold $foreground 80%",
    "h6": "bold $foreground 65%",
    "tok:c": "italic $foreground 50%",
    "tok:k": "$accent",
    "tok:s": "$success",
    "tok:sd": "italic $success 75%",
    "tok:n": "$warning",
    "tok:nf": "$primary",
    "tok:nc": "bold $warning",
    "tok:nd": "$secondary",
    "tok:nb": "$secondary",
    "tok:gi": "$success",
    "tok:gd": "$error",
    "tok:gh": "bold $primary",
    "tok:err": "$error",
    "ready": "$success",
    "connecting": "$warning",
    "waiting": "$warning",
    "retrying": "$error",
    "summarizing": "$warning",
    "streaming": "$primary",
    "stopped": "$warning",
    "failed": "$error",
    "trouble": "bold $error",
    "full": "bold $warning",
    "name": "bold $foreground",
    "mode": "bold $background on $warning",
    "heading": "bold $secondary",
    "star": "$warning",
    "chosen": "on $primary 25%",
}


class StyleTable:
    """The styles of a widget by name, cached until `clear`."""

    def __init__(self, widget: "Widget") -> None:
        self._widget = widget
        self._cache: dict[str, RichStyle] = {}

    def clear(self) -> None:
        """Clear the cache, after a change of theme."""
        self._cache.clear()

    def __getitem__(self, names: str) -> RichStyle:
        """Return the widget's style with those of `names` (separated by spaces) on top, translucent colors blended."""
        style = self._cache.get(names)
        if style is None:
            style = self._cache[names] = self._make(names.split())
        return style

    def _make(self, names: list[str]) -> RichStyle:
        style, link = self._widget.visual_style, ""
        for name in names:
            if name.startswith("link:"):
                name, link = "link", clean_line(name[5:])
            style += self._named(name)
        rich = style.rich_style
        return rich + RichStyle(link=link) if link else rich

    def _named(self, name: str) -> Style:
        own = self._widget.app.theme_variables.get(f"chat-{name.replace(':', '-')}")
        return self._widget.app.stylesheet.parse_style(own or STYLES.get(name, ""))
