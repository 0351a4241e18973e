"""The view: scroll, and move from message to message."""

from streamtui.ui.commands.base import Controller, handles


class ViewCommands(Controller):
    """Moves the conversation pane from anywhere on the screen."""

    @handles("view.page_up")
    def page_up(self) -> None:
        """Scroll up one page."""
        self.chat.transcript.page(-1)

    @handles("view.page_down")
    def page_down(self) -> None:
        """Scroll down one page."""
        self.chat.transcript.page(1)

    @handles("view.end")
    def go_to_end(self) -> None:
        """Scroll to the end and follow the reply."""
        self.chat.transcript.follow()

    @handles("view.previous_message")
    def previous_message(self) -> None:
        """Move to the previous message."""
        self._walk(-1)

    @handles("view.next_message")
    def next_message(self) -> None:
        """Move to the next message."""
        self._walk(1)

    def _walk(self, by: int) -> None:
        self.chat.transcript.focus()
        self.chat.transcript.walk(by)

    @handles("view.hints")
    def show_hints(self) -> None:
        """Label every visible link and code block with a letter."""
        self.chat.transcript.action_hints()
