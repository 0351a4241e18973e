"""The key hints at the bottom of the sessions screen."""

from collections.abc import Mapping

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.widgets import Static

from streamtui.commands import remapped

LOW = 16
"""Terminal height, in lines, below which the hints take one line instead of two."""
_REST = ("F1", "keys")


class KeyHints(Static):
    """Shows as many keys with their labels as fit into one or two lines."""

    DEFAULT_CSS = """
    KeyHints { height: auto; padding: 0 1; background: $panel; color: $foreground 75%; }
    """

    def __init__(self, place: str, keymap: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._keys = [key for key in remapped(keymap) if key.where == place]
        self._labels: Mapping[str, str] = {}

    def set_labels(self, labels: Mapping[str, str]) -> None:
        """Override the labels of actions; "" hides one."""
        if labels != self._labels:
            self._labels = labels
            self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Show as many keys as fit."""
        self._fill()

    def _fill(self) -> None:
        lines = lines_of(self._entries(), self.size.width, 1 if self.app.size.height < LOW else 2)
        texts = [
            Content.assemble(*(part for key, label in line for part in ((key, "bold $primary"), f" {label}  ")))
            for line in lines
        ]
        self.update(Content("\n").join(texts))
        # Not "auto": Textual 8.2.8 measures it before the resize that adds the second line.
        self.styles.height = len(lines)

    def _entries(self) -> list[tuple[str, str]]:
        labels = ((key, self._labels.get(key.name, key.hint)) for key in self._keys)
        return [(key.shown_keys.split(", ")[0], label) for key, label in labels if label]


def lines_of(entries: list[tuple[str, str]], width: int, max_lines: int) -> list[list[tuple[str, str]]]:
    """Return the entries in at most `max_lines` lines of `width` cells; F1 comes last if some do not fit."""
    lines: list[list[tuple[str, str]]] = [[]]
    for entry in entries:
        if lines[-1] and _length([*lines[-1], entry]) > width:
            lines.append([])
        lines[-1].append(entry)
    if len(lines) <= max_lines:
        return lines
    last = lines[max_lines - 1]
    while last and _length([*last, _REST]) > width:
        last.pop()
    return [*lines[: max_lines - 1], [*last, _REST]]


def _length(entries: list[tuple[str, str]]) -> int:
    return sum(cell_len(key) + cell_len(label) + 3 for key, label in entries) - 2
