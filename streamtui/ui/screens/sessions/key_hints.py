"""KeyHints: the keys of a place in a line or two, as many as there is room for."""

from collections.abc import Mapping

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.widgets import Static

from streamtui.commands import remapped

LOW = 16
"""Lines of the terminal below which there is one line of keys, not two."""
_REST = ("F1", "keys")


class KeyHints(Static):
    """Shows keys with what they do in a word."""

    DEFAULT_CSS = """
    KeyHints { height: auto; padding: 0 1; background: $panel; color: $foreground 75%; }
    """

    def __init__(self, place: str, keymap: Mapping[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._keys = [key for key in remapped(keymap) if key.where == place]
        self._labels: Mapping[str, str] = {}

    def call(self, labels: Mapping[str, str]) -> None:
        """Gives actions other labels than the table of keys has; "" hides one."""
        if labels != self._labels:
            self._labels = labels
            self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Shows what there is room for."""
        self._fill()

    def _fill(self) -> None:
        lines = lines_of(self._entries(), self.size.width, 1 if self.app.size.height < LOW else 2)
        texts = [
            Content.assemble(*(part for key, label in line for part in ((key, "bold $primary"), f" {label}  ")))
            for line in lines
        ]
        self.update(Content("\n").join(texts))
        # Not “auto”: Textual measures that before the resize that brings the second line (8.2.8).
        self.styles.height = len(lines)

    def _entries(self) -> list[tuple[str, str]]:
        labels = ((key, self._labels.get(key.name, key.hint)) for key in self._keys)
        return [(key.shown_keys.split(", ")[0], label) for key, label in labels if label]


def lines_of(entries: list[tuple[str, str]], width: int, most: int) -> list[list[tuple[str, str]]]:
    """Returns the entries in at most `most` lines of `width` cells; where not all fit, the last one says F1."""
    lines: list[list[tuple[str, str]]] = [[]]
    for entry in entries:
        if lines[-1] and _length([*lines[-1], entry]) > width:
            lines.append([])
        lines[-1].append(entry)
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and _length([*last, _REST]) > width:
        last.pop()
    return [*lines[: most - 1], [*last, _REST]]


def _length(entries: list[tuple[str, str]]) -> int:
    return sum(cell_len(key) + cell_len(label) + 3 for key, label in entries) - 2
