"""The tree of a conversation: all branches, to open, fork or edit."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from streamtui.commands import remapped
from streamtui.core.message import Role
from streamtui.core.session import Session, title_from
from streamtui.core.styled_text import Run
from streamtui.ui.bindings import bindings_for
from streamtui.ui.dialogs.dialog import Dialog
from streamtui.ui.screens.sessions.rows import short_date
from streamtui.ui.screens.tree_rows import Node, nodes_of
from streamtui.ui.widgets.line_list import LineList


class Chosen(NamedTuple):
    """What to do with a message."""

    action: str
    """open, fork or edit_prompt"""
    message_id: str


class TreeList(LineList):
    """The messages, one per row."""

    def runs(self, row: Any, width: int) -> Sequence[Run]:
        """Return the styled text of a row."""
        return runs_of(row, width)


class TreeScreen(Dialog[Chosen | None]):
    """Returns a message and what to do with it, or None if closed."""

    BINDINGS = [
        *bindings_for("tree"),
        ("escape,ctrl+t,q", "dismiss", "close"),
        ("up,k", "move(-1)"),
        ("down,j", "move(1)"),
        ("pageup", "page(-1)"),
        ("pagedown", "page(1)"),
        ("home,g", "to_top"),
        ("end,G", "to_end"),
    ]
    DEFAULT_CSS = """
    TreeList { height: 1fr; background: $surface; }
    """

    def __init__(self, session: Session, message_id: str, keymap: Mapping[str, str]) -> None:
        """`message_id` is highlighted first; "" for the last one of the branch shown. `keymap`: the user's keys."""
        super().__init__(classes="tall")
        self._keymap = keymap
        self._session = session
        self._tree = nodes_of(session)
        self._first = message_id or session.leaf_id

    def compose(self) -> ComposeResult:
        """Lay out the tree in a box."""
        with Vertical(id="dialog"):
            yield TreeList(id="tree")

    def on_mount(self) -> None:
        """Show the tree."""
        labels = (command.key_hint for command in remapped(self._keymap) if command.where == "tree")
        self.set_title(f"Branches of “{self._session.title or 'New session'}”", *labels, "esc close")
        at = next((at for at, node in enumerate(self._tree) if node.message.id == self._first), 0)
        # Once it has its size, so that the highlight can be scrolled into view.
        self.call_after_refresh(self.tree_list.show, self._tree, at)

    @property
    def tree_list(self) -> TreeList:
        """The list."""
        return self.query_one(TreeList)

    def action_move(self, by: int) -> None:
        """Move the highlight."""
        self.tree_list.move(by)

    def action_page(self, by: int) -> None:
        """Move the highlight by a page."""
        self.tree_list.page(by)

    def action_to_top(self) -> None:
        """Go to the first message."""
        self.tree_list.to_top()

    def action_to_end(self) -> None:
        """Go to the last message."""
        self.tree_list.to_end()

    def action_next_sibling(self, by: int = 1) -> None:
        """Go to the next sibling of the highlighted message, or of the nearest ancestor that has one."""
        at = self.tree_list.highlighted
        while at >= 0:
            message = self._tree[at].message
            family = [sibling.id for sibling in self._session.siblings(message)]
            wanted = family.index(message.id) + by
            if 0 <= wanted < len(family):
                self.tree_list.show(self._tree, self._place(family[wanted]))
                return
            at = self._place(message.parent_id)

    def action_previous_sibling(self) -> None:
        """Go to the previous sibling."""
        self.action_next_sibling(-1)

    def _place(self, message_id: str | None) -> int:
        return next((at for at, node in enumerate(self._tree) if node.message.id == message_id), -1)

    @on(TreeList.Opened)
    def action_open(self) -> None:
        """Return the highlighted message, to be shown."""
        self._end("open")

    def action_fork(self) -> None:
        """Return the highlighted message, to fork from it."""
        self._end("fork")

    def action_edit_prompt(self) -> None:
        """Return the highlighted message, to edit its prompt."""
        self._end("edit_prompt")

    def _end(self, action: str) -> None:
        node = self.tree_list.row
        self.dismiss(None if node is None else Chosen(action, node.message.id))


def runs_of(node: Node, width: int) -> list[Run]:
    """Return the row of a message: branch lines, author, beginning of the text, ending, time."""
    message = node.message
    who, style = ("You", "user") if message.role is Role.USER else (message.model or "…", "assistant")
    number = f" {node.variant[0]}/{node.variant[1]}" if node.variant else ""
    facts = f"{number} {short_date(message.created, date.today()):>8}" if width >= 50 else number
    before: list[Run] = [("● " if node.is_shown else "  ", "ready"), (node.lines, "faint"), (f"{who}  ", style)]
    ending = f" ■ {node.ending}" if node.ending else ""
    room = max(4, width - sum(cell_len(text) for text, _ in before) - cell_len(ending) - cell_len(facts) - 1)
    words = title_from(message.text) or message.error or ("a file" if message.attachments else "nothing")
    words = set_cell_size(words, room) if cell_len(words) <= room else set_cell_size(words, room - 1) + "…"
    return [*before, (words, "" if node.is_shown else "quoted"), (ending, "ending"), (f"{facts} ", "faint")]
