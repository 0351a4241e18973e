"""ReadingScreen: the pane, the prompt and the status bar, and what a reader does: scroll and walk."""

from textual import events, on, work
from textual.app import ComposeResult

from streamtui.ui.pane_screen import PaneScreen
from streamtui.ui.transcript import Transcript
from streamtui.ui.widgets.prompt import Prompt
from streamtui.ui.widgets.prompt_queue import PromptQueue
from streamtui.ui.widgets.status_bar import StatusBar
from streamtui.ui.widgets.text_fit import BORDER_CELLS, fit_hints

PROMPT_KEYS = ("enter send", "ctrl+j new line", "F1 keys", "ctrl+p all")
PANE_KEYS = ("y copy", "c code", "e edit", "f letters", "/ find", "esc prompt")


class ReadingScreen(PaneScreen[None]):
    """The layout of the chat, without a conversation."""

    FIND_BEFORE = "#queued"

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

    def action_focus_prompt(self) -> None:
        """Goes to the prompt."""
        self.prompt.focus()

    def say_found(self, text: str) -> None:
        """Says how a search goes, in the bar."""
        self.status.search_status = text

    def say_url(self, url: str) -> None:
        """Shows where a link leads, in the bar."""
        self.status.link = url

    def take_edited(self, text: str) -> None:
        """Puts what was edited into the prompt."""
        self.prompt.insert(text)
        self.notify("What you changed is in the prompt.", markup=False)

    @work(exclusive=True, group="panel")
    async def action_edit_outside(self) -> None:
        """Lets the user write the prompt in an editor."""
        edited = await self.edit_outside(self.prompt.text, "prompt.md")
        if edited is not None:
            self.prompt.reset(edited.rstrip("\n"), self.prompt.attachments)
            self.save_draft()

    def save_draft(self) -> None:
        """Keep what is written and not sent; without a conversation there is nowhere to."""

    @on(Transcript.Typed)
    def write(self, event: Transcript.Typed) -> None:
        """Goes on in the prompt."""
        self.prompt.focus()
        self.prompt.insert(event.text)

    @on(events.Resize)
    @on(events.DescendantFocus)
    def show_mode(self) -> None:
        """Say which keys work where the focus is now: in the conversation, letters are commands."""
        in_pane = self.focused is self.transcript
        self.prompt.border_subtitle = fit_hints(PANE_KEYS if in_pane else PROMPT_KEYS, self.size.width - BORDER_CELLS)
        letters = in_pane and self.transcript.lines.letters
        self.status.mode = "Type a letter · esc cancel" if letters else "Messages · esc prompt" if in_pane else ""
