"""PaneScreen: a screen with a conversation pane, which does what the pane can only ask for."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.screen import ScreenResultType

from streamtui.core.sanitize import clean
from streamtui.ui.transcript import Transcript
from streamtui.ui.working_screen import WorkingScreen

if TYPE_CHECKING:
    from streamtui.ui.widgets.find_bar import FindBar


class PaneScreen(WorkingScreen[ScreenResultType]):
    """Finds words, copies, opens links and uses code blocks for the pane it shows."""

    FIND_BEFORE: ClassVar[str] = ""
    """The widget above which the words to find are asked for."""

    @property
    def transcript(self) -> Transcript:
        """The conversation pane."""
        return self.query_one(Transcript)

    def say_found(self, text: str) -> None:
        """Says how a search goes; "" when there is none."""

    def say_url(self, url: str) -> None:
        """Shows where the link under the mouse leads."""

    def take_edited(self, text: str) -> None:
        """Does something with the code that the user has edited."""
        self.app.copy_to_clipboard(text)

    @on(Transcript.Left)
    async def leave_pane(self) -> None:
        """Go back to where the user writes."""
        await self.run_action("focus_prompt")

    def action_hints(self) -> None:
        """Puts letters on code blocks and links."""
        self.transcript.action_hints()

    # Finding

    async def action_find(self) -> None:
        """Asks for words to find."""
        from streamtui.ui.widgets.find_bar import FindBar

        if not self.query(FindBar):
            await self.mount(FindBar(), before=self.FIND_BEFORE)
        self.query_one(FindBar).focus()

    def on_find_bar_query_changed(self, event: "FindBar.QueryChanged") -> None:
        """Shows where the words stand."""
        self.transcript.find(event.query)
        self.show_hits()

    def on_find_bar_stepped(self, event: "FindBar.Stepped") -> None:
        """Goes from hit to hit."""
        self.transcript.step(event.by)
        self.show_hits()

    def show_hits(self) -> None:
        """Says which hit of how many is shown."""
        finder = self.transcript.finder
        found = f"{finder.position} of {finder.total:,}" if finder.total else "nothing"
        self.say_found(f"found: {found}" if finder.is_searching else "")

    async def clear(self) -> bool:
        """Takes away what lies over the conversation: the search, letters, the cursor; False for nothing."""
        searching = self.transcript.finder.is_searching
        if searching:
            self.transcript.find("")
            self.say_found("")
        found = self.query("#find")
        await found.remove()
        return self.transcript.clear_marks() or searching or bool(found)

    # Copying and opening

    @on(Transcript.Copy)
    def copy(self, event: Transcript.Copy) -> None:
        """Copies text."""
        self.app.copy_to_clipboard(event.text)

    @on(Transcript.Hovered)
    def show_url(self, event: Transcript.Hovered) -> None:
        """Shows where the link under the mouse leads."""
        self.say_url(event.url)

    @on(Transcript.Open)
    def open_link(self, event: Transcript.Open) -> None:
        """Opens a page in the browser, and says which."""
        from streamtui.ui import code_files

        if code_files.can_open(event.url):
            self.notify(f"Opening {event.url}", markup=False, timeout=4)
            self.app.open_url(event.url)
        else:
            self.notify(f"{event.url} is no address of a page; it was not opened.", severity="warning", markup=False)

    @on(Transcript.Chosen)
    @work(exclusive=True, group="panel")
    async def use_target(self, event: Transcript.Chosen) -> None:
        """Asks what to do with a code block or link, and does it."""
        from streamtui.ui.dialogs.target_dialog import TargetDialog

        target = event.target
        match await self.app.push_screen_wait(TargetDialog(target)):
            case "copy":
                self.app.copy_to_clipboard(target.url or target.code)
            case "open":
                self.open_link(Transcript.Open(target.url))
            case "save":
                self._save_code(target.code, target.language)
            case "edit":
                await self._edit_code(target.code, target.language)

    def _save_code(self, code: str, language: str) -> None:
        from streamtui.ui import code_files

        try:
            file = code_files.save_code(code, language, Path.cwd())
        except OSError as error:
            self.notify(f"The code was not saved: {error.strerror}.", severity="error", markup=False)
        else:
            self.notify(f"Saved as {file}", markup=False)

    async def _edit_code(self, code: str, language: str) -> None:
        from streamtui.ui import code_files

        edited = await self.edit_outside(code, f"code.{code_files.ending(language)}")
        if edited is not None and edited.rstrip("\n") != code.rstrip("\n"):
            self.take_edited(f"```{language}\n{edited.rstrip()}\n```\n")

    async def edit_outside(self, text: str, name: str) -> str | None:
        """Return `text` as edited in the user's editor and cleaned, or None after telling why that failed."""
        from streamtui.ui import external_editor

        try:
            return clean(await external_editor.edit(self.app, text, name))
        except external_editor.EditorError as error:
            self.notify(str(error), severity="error", markup=False)
            return None
