"""The conversation pane's requests to its screen: find, copy, open links, use code blocks. Every screen with a pane
has them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from streamtui.core.sanitize import clean
from streamtui.ui.commands.base import handles, in_worker
from streamtui.ui.transcript import Transcript
from streamtui.ui.transcript.targets import Target

if TYPE_CHECKING:
    from textual.screen import Screen


class PaneCommands:
    """Does what a conversation pane can't do itself."""

    def __init__(
        self,
        screen: "Screen[Any]",
        find_before: str,
        show_search: Callable[[str], None],
        use_edited: Callable[[str], None] | None = None,
        show_url: Callable[[str], None] = lambda url: None,
    ) -> None:
        """`find_before`: the widget above which the search bar goes; `show_search` shows how a search goes, "" if
        there is none; `use_edited` takes edited code (default: copies it); `show_url` shows the link under the mouse.
        """
        self.screen = screen
        self._find_before = find_before
        self._show_search = show_search
        self._use_edited = use_edited or self._copy
        self._show_url = show_url

    @property
    def transcript(self) -> Transcript:
        """The pane."""
        return self.screen.query_one(Transcript)

    def handle(self, event: Message) -> None:
        """Do what the pane, or its search bar, asks for with a message."""
        from streamtui.ui.widgets.find_bar import FindBar

        match event:
            case Transcript.Copy():
                self._copy(event.text)
            case Transcript.Hovered():
                self._show_url(event.url)
            case Transcript.Open():
                self._open(event.url)
            case Transcript.Chosen():
                self._use(event.target)
            case FindBar.QueryChanged():
                self.transcript.find(event.query)
                self.show_matches()
            case FindBar.Stepped():
                self.transcript.step(event.by)
                self.show_matches()

    # Finding

    @handles("find.open", "conversation.find")
    async def find(self) -> None:
        """Open the search bar."""
        from streamtui.ui.widgets.find_bar import FindBar

        if not self.screen.query(FindBar):
            await self.screen.mount(FindBar(), before=self._find_before)
        self.screen.query_one(FindBar).focus()

    def show_matches(self) -> None:
        """Show which match of how many is current."""
        finder = self.transcript.finder
        found = f"{finder.position} of {finder.total:,}" if finder.total else "nothing"
        self._show_search(f"found: {found}" if finder.is_searching else "")

    async def clear(self) -> bool:
        """Remove search, letters and cursor; False if there are none."""
        is_searching = self.transcript.finder.is_searching
        if is_searching:
            self.transcript.find("")
            self._show_search("")
        bar = self.screen.query("#find")
        await bar.remove()
        return self.transcript.clear_marks() or is_searching or bool(bar)

    # Links and code

    def _copy(self, text: str) -> None:
        self.screen.app.copy_to_clipboard(text)

    def _open(self, url: str) -> None:
        from streamtui.ui import code_files

        if code_files.can_open(url):
            self.screen.notify(f"Opening {url}", markup=False, timeout=4)
            self.screen.app.open_url(url)
        else:
            self.screen.notify(f"Can't open {url}: unsupported link type.", severity="warning", markup=False)

    @in_worker("panel")
    async def _use(self, target: Target) -> None:
        """Ask what to do with a code block or link, and do it."""
        from streamtui.ui.dialogs.target_dialog import TargetDialog

        match await self.screen.app.push_screen_wait(TargetDialog(target)):
            case "copy":
                self._copy(target.url or target.code)
            case "open":
                self._open(target.url)
            case "save":
                self._save(target)
            case "edit":
                await self._edit(target)

    def _save(self, target: Target) -> None:
        from streamtui.ui import code_files

        try:
            file = code_files.save_code(target.code, target.language, Path.cwd())
        except OSError as error:
            self.screen.notify(f"Can't save the code: {error.strerror}.", severity="error", markup=False)
        else:
            self.screen.notify(f"Saved to {file}", markup=False)

    async def _edit(self, target: Target) -> None:
        from streamtui.ui import code_files

        edited = await self.edit_externally(target.code, f"code.{code_files.extension(target.language)}")
        if edited is not None and edited.rstrip("\n") != target.code.rstrip("\n"):
            self._use_edited(f"```{target.language}\n{edited.rstrip()}\n```\n")

    async def edit_externally(self, text: str, name: str) -> str | None:
        """Return `text` as edited in the user's editor and cleaned, or None after telling why that failed."""
        from streamtui.ui import external_editor

        try:
            return clean(await external_editor.edit(self.screen.app, text, name))
        except external_editor.EditorError as error:
            self.screen.notify(str(error), severity="error", markup=False)
            return None
