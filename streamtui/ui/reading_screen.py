"""ReadingScreen: the pane, the prompt and the status bar, and what a reader does: walk, find, copy, open."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult, SuspendNotSupported
from textual.screen import Screen

from streamtui.ui.prompt import Prompt
from streamtui.ui.queue import PromptQueue
from streamtui.ui.status_bar import StatusBar
from streamtui.ui.transcript import Transcript

if TYPE_CHECKING:
    from streamtui.ui.find_bar import FindBar


PROMPT_KEYS = "enter send · ctrl+j new line · F1 keys · ctrl+p all"
PANE_KEYS = "y copy · c code · f letters · / find · esc prompt"


class ReadingScreen(Screen[None]):
    """The layout of the chat, without a conversation."""

    def compose(self) -> ComposeResult:
        """The conversation above, the prompt below, the status under it."""
        yield Transcript(id="transcript")
        yield PromptQueue(id="queued")
        yield Prompt(id="prompt")
        yield StatusBar(id="status")

    @property
    def transcript(self) -> Transcript:
        """The conversation pane."""
        return self.query_one("#transcript", Transcript)

    @property
    def prompt(self) -> Prompt:
        """The box the user writes in."""
        return self.query_one("#prompt", Prompt)

    @property
    def queue(self) -> PromptQueue:
        """The prompts that wait for their turn."""
        return self.query_one("#queued", PromptQueue)

    @property
    def status(self) -> StatusBar:
        """The bar at the bottom."""
        return self.query_one("#status", StatusBar)

    def action_scroll_page_up(self) -> None:
        """Scrolls the conversation up a page."""
        self.transcript.page(-1)

    def action_scroll_page_down(self) -> None:
        """Scrolls the conversation down a page."""
        self.transcript.page(1)

    def action_follow(self) -> None:
        """Goes to the end of the conversation."""
        self.transcript.follow()

    def action_previous_message(self) -> None:
        """Goes to the message above."""
        self.transcript.focus()
        self.transcript.walk(-1)

    def action_next_message(self) -> None:
        """Goes to the message below."""
        self.transcript.focus()
        self.transcript.walk(1)

    def action_hints(self) -> None:
        """Puts letters on code blocks and links."""
        self.transcript.action_hints()

    async def action_find(self) -> None:
        """Asks for words to find."""
        from streamtui.ui.find_bar import FindBar

        if not self.query(FindBar):
            await self.mount(FindBar(), before="#queued")
        self.query_one(FindBar).focus()

    def action_focus_prompt(self) -> None:
        """Goes to the prompt."""
        self.prompt.focus()

    def on_find_bar_wanted(self, event: "FindBar.Wanted") -> None:
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
        self.status.found = f"found: {found}" if finder.query else ""

    async def clear(self) -> bool:
        """Takes away what lies over the conversation: the search, letters, the cursor; False for nothing."""
        if found := self.query("#find"):
            self.transcript.find("")
            self.status.found = ""
            await found.remove()
        return self.transcript.clear_marks() or bool(found)

    @on(Transcript.Typed)
    def write(self, event: Transcript.Typed) -> None:
        """Goes on in the prompt."""
        self.prompt.focus()
        self.prompt.insert(event.text)

    def on_descendant_focus(self) -> None:
        """Says which keys work where the focus is now."""
        in_pane = self.focused is self.transcript
        self.prompt.border_subtitle = PANE_KEYS if in_pane else PROMPT_KEYS

    @on(Transcript.Asked)
    async def do_asked(self, event: Transcript.Asked) -> None:
        """Does what a key of the pane asked for."""
        await self.run_action(event.action)

    @on(Transcript.Copy)
    def copy(self, event: Transcript.Copy) -> None:
        """Copies text."""
        self.app.copy_to_clipboard(event.text)

    @on(Transcript.Hovered)
    def show_url(self, event: Transcript.Hovered) -> None:
        """Shows where the link under the mouse leads."""
        self.status.note = event.url

    @on(Transcript.Open)
    def open_link(self, event: Transcript.Open) -> None:
        """Opens a page in the browser, and says which."""
        from streamtui.ui import outside

        if outside.can_open(event.url):
            self.notify(f"Opening {event.url}", markup=False, timeout=4)
            self.app.open_url(event.url)
        else:
            self.notify(f"{event.url} is no address of a page; it was not opened.", severity="warning", markup=False)

    @on(Transcript.Chosen)
    @work(exclusive=True, group="panel")
    async def use_target(self, event: Transcript.Chosen) -> None:
        """Asks what to do with a code block or link, and does it."""
        from streamtui.ui.target_panel import TargetPanel

        target = event.target
        match await self.app.push_screen_wait(TargetPanel(target)):
            case "copy":
                self.app.copy_to_clipboard(target.url or target.code)
            case "open":
                self.open_link(Transcript.Open(target.url))
            case "save":
                self._save_code(target.code, target.language)
            case "edit":
                await self._edit_code(target.code, target.language)

    def _save_code(self, code: str, language: str) -> None:
        from streamtui.ui import outside

        try:
            file = outside.save_code(code, language, Path.cwd())
        except OSError as error:
            self.notify(f"The code was not saved: {error.strerror}.", severity="error", markup=False)
        else:
            self.notify(f"Saved as {file}", markup=False)

    async def _edit_code(self, code: str, language: str) -> None:
        from streamtui.ui import outside

        try:
            with self.app.suspend():
                # In a thread, so that a reply under way is read and saved meanwhile.
                edited = await asyncio.to_thread(outside.edit, code, f"code.{outside.ending(language)}")
        except (OSError, ValueError, SuspendNotSupported) as error:
            self.notify(f"The editor could not be used: {error}. Set $EDITOR.", severity="error", markup=False)
            return
        if edited.rstrip("\n") != code.rstrip("\n"):
            self.prompt.insert(f"```{language}\n{edited.rstrip()}\n```\n")
            self.notify("What you changed is in the prompt.", markup=False)
