"""Text into styled blocks, a piece at a time; knows no Textual and no colours."""

import textwrap

Run = tuple[str, str]


class Block:
    """A paragraph."""

    kind = "text"
    level = 0

    def __init__(self, text: str = "", margin: int = 0, base: str = "") -> None:
        self.text, self.margin, self.base = text, margin, base
        self.lines: list[tuple[int, list[Run]]] = []
        self.width = 0
        self.fresh = 0

    def layout(self, width: int) -> None:
        self.lines, offset = [], 0
        for line in textwrap.wrap(self.text, width, drop_whitespace=False) or [""]:
            self.lines.append((offset, [(line, "")]))
            offset += len(line)

    @property
    def height(self) -> int:
        return self.margin + len(self.lines)

    @property
    def lines_count(self) -> int:
        return len(self.lines)

    def line(self, i: int) -> tuple[int, list[Run]]:
        return self.lines[i]

    def prefix(self, i: int) -> list[Run]:
        return []

    def plain(self) -> str:
        return self.text


class Document:
    """A message's text as blocks."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.stable = 0
        self._pieces: list[str] = []

    @property
    def source(self) -> str:
        return "".join(self._pieces)

    def feed(self, text: str) -> None:
        self._pieces.append(text)
        first, *rest = text.split("\n")
        if not self.blocks:
            self.blocks.append(Block())
        self.blocks[-1].text += first
        self.blocks.extend(Block(line) for line in rest)
        self.stable = len(self.blocks) - 1

    def finish(self) -> None:
        self.stable = len(self.blocks)
