"""The table of commands: what the user can do, where, and with which keys. Knows no Textual.

Bindings, palette, help, README, manual and `streamtui config keys` are all generated from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can do, with its default keys."""

    id: str
    """Group and name, as in ``session.new``."""
    where: str
    """The place whose keys run it: chat, prompt, conversation, sessions, tree or models."""
    keys: str
    """Textual's key names, separated by commas."""
    title: str
    """A label of at most four words, for the palette."""
    description: str
    """What it does, in one sentence."""
    slash: str = ""
    """Name to type in the prompt, as in ``/retry``; empty for none."""
    hint: str = ""
    """A word for lines of key hints; empty where it appears in none."""

    @property
    def group(self) -> str:
        """The feature it belongs to, such as turn, branch or session."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """The id without the group."""
        return self.id.partition(".")[2]

    @property
    def shown_keys(self) -> str:
        """The keys as people write them, as in ``shift+enter, ctrl+j``."""
        return ", ".join(dict.fromkeys(_spelled(key) for key in self.keys.split(",")))

    @property
    def key_hint(self) -> str:
        """The first key and the hint, as in ``F5 retry``."""
        return f"{self.shown_keys.partition(', ')[0]} {self.hint}"


PLACES = {
    "prompt": "In the prompt",
    "chat": "Anywhere in the chat",
    "conversation": "In the conversation (alt+up moves there)",
    "sessions": "In the session list",
    "tree": "In the conversation tree",
    "models": "In the model picker",
}
"""Where keys work, with a heading for each place."""

_SPELLED = {
    "escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "less_than_sign": "<", "greater_than_sign": ">",
    "slash": "/", "question_mark": "?", "underscore": "_",
}  # fmt: skip


def _spelled(key: str) -> str:
    *modifiers, name = key.split("+")
    name = _SPELLED.get(name, name)
    if name[0] == "f" and name[1:].isdigit():
        name = name.upper()
    if len(name) == 1 and name.isupper() and not modifiers:
        return name
    return "+".join([*modifiers, name])


COMMANDS = (
    Command(
        "prompt.submit", "prompt", "enter", "Send",
        "Send the prompt. While a reply arrives, it waits its turn.", hint="send",
    ),
    Command(
        "prompt.newline", "prompt", "ctrl+j,shift+enter,alt+enter", "New line",
        "Insert a line break.", hint="new line",
    ),
    Command("prompt.previous", "prompt", "up", "Previous prompt", "On the first line: recall the previous prompt."),
    Command("prompt.next", "prompt", "down", "Next prompt", "On the last line: recall the next prompt."),
    Command(
        "prompt.search_history", "prompt", "ctrl+r", "Search prompt history",
        "Search the prompts of all sessions.", slash="/history",
    ),
    Command(
        "prompt.edit_externally", "prompt", "ctrl+g", "Open external editor",
        "Write the prompt in $EDITOR.", slash="/editor",
    ),
    Command("prompt.undo", "prompt", "ctrl+underscore", "Undo", "Undo typing."),
    Command(
        "turn.stop", "chat", "escape", "Stop reply",
        "Stop the reply and keep the text; otherwise close search or focus the prompt.", slash="/stop", hint="stop",
    ),
    Command(
        "turn.retry", "chat", "f5", "Retry",
        "Request another reply to the last prompt; both replies are kept.", slash="/retry", hint="retry",
    ),
    Command(
        "turn.continue", "chat", "f9", "Continue reply",
        "Continue a reply that was cut off.", slash="/continue", hint="continue",
    ),
    Command(
        "turn.interrupt", "chat", "ctrl+c", "Copy, stop or quit",
        "Copy the selection; otherwise stop the reply; otherwise clear the draft (kept in history); twice: quit.",
    ),
    Command(
        "context.include_all", "chat", "shift+f9", "Include all messages",
        "Include earlier messages that were left out of requests again.",
    ),
    Command(
        "model.switch", "chat", "ctrl+o,f2", "Switch model",
        "Choose the model for the next prompt.", slash="/model", hint="model",
    ),
    Command("model.next_favorite", "chat", "f3", "Next favorite model", "Switch to the next favorite model."),
    Command(
        "model.previous_favorite", "chat", "shift+f3", "Previous favorite model",
        "Switch to the previous favorite model.",
    ),
    Command(
        "endpoint.switch", "chat", "shift+f2", "Switch endpoint",
        "Choose the server for the next prompt.", slash="/endpoint",
    ),
    Command(
        "parameters.edit", "chat", "f4", "Edit parameters",
        "Set the system prompt and the parameters of this session.", slash="/parameters",
    ),
    Command(
        "preset.apply", "chat", "shift+f4", "Apply preset",
        "Apply a preset: system prompt, model and parameters in one.", slash="/preset",
    ),
    Command(
        "session.new", "chat", "ctrl+n", "New session",
        "Start a new session with the same model and parameters.", slash="/new", hint="new",
    ),
    Command(
        "session.list", "chat", "ctrl+s", "Sessions",
        "Search, open and organize saved sessions.", slash="/sessions", hint="sessions",
    ),
    Command(
        "session.export", "chat", "f6", "Export session",
        "Export this session as Markdown, HTML, JSON or text.", slash="/export",
    ),
    Command(
        "session.statistics", "chat", "shift+f1", "Session statistics",
        "Show tokens, speed and cost of every reply.", slash="/stats",
    ),
    Command("view.page_up", "chat", "pageup", "Page up", "Scroll the conversation up one page."),
    Command("view.page_down", "chat", "pagedown", "Page down", "Scroll the conversation down one page."),
    Command("view.end", "chat", "ctrl+end", "Go to end", "Scroll to the end and follow the reply."),
    # xterm.js (VS Code, the browser) sends alt+up and alt+down as ctrl+up and ctrl+down.
    Command(
        "view.previous_message", "chat", "alt+up,ctrl+up", "Previous message",
        "Move to the previous message in the conversation.",
    ),
    Command(
        "view.next_message", "chat", "alt+down,ctrl+down", "Next message",
        "Move to the next message in the conversation.",
    ),
    Command("branch.previous", "chat", "alt+left", "Previous reply", "Show the previous reply to the same prompt."),
    Command("branch.next", "chat", "alt+right", "Next reply", "Show the next reply to the same prompt."),
    Command(
        "branch.tree", "chat", "ctrl+t", "Conversation tree", "Show all branches of the conversation.", slash="/tree",
    ),
    Command("find.open", "chat", "ctrl+f", "Find in conversation", "Find text in the conversation.", slash="/find"),
    Command(
        "view.hints", "chat", "f8", "Link and code hints",
        "Label every visible link and code block with a letter to copy, save, edit or open it.",
    ),
    Command("app.palette", "chat", "ctrl+p", "Command palette", "Search all commands.", hint="commands"),
    Command("app.help", "chat", "f1", "Keys", "Show the keys of this screen.", slash="/help", hint="keys"),
    Command(
        "app.suspend", "chat", "ctrl+z", "Suspend", "Suspend streamtui and return to the shell (fg brings it back).",
    ),
    Command(
        "app.quit", "chat", "ctrl+q", "Quit", "Quit; a running reply is stopped and kept.", slash="/quit", hint="quit",
    ),
    Command("conversation.line_up", "conversation", "k,up", "Line up", "Scroll up one line."),
    Command("conversation.line_down", "conversation", "j,down", "Line down", "Scroll down one line."),
    Command("conversation.half_page_up", "conversation", "ctrl+u", "Half page up", "Scroll up half a page."),
    Command("conversation.half_page_down", "conversation", "ctrl+d", "Half page down", "Scroll down half a page."),
    Command("conversation.top", "conversation", "g,home", "Go to start", "Go to the first message."),
    Command("conversation.end", "conversation", "G,end", "Go to end", "Scroll to the end and follow the reply."),
    Command(
        "conversation.copy_message", "conversation", "y", "Copy message", "Copy the message as Markdown.", hint="copy",
    ),
    Command(
        "conversation.copy_code", "conversation", "c", "Copy code",
        "Copy the last code block of the message.", hint="code",
    ),
    Command("conversation.fold", "conversation", "space", "Fold reasoning", "Show or hide the reasoning."),
    Command("conversation.hints", "conversation", "f", "Link and code hints", "Same as F8."),
    Command(
        "conversation.edit_prompt", "conversation", "e", "Edit prompt",
        "Edit the prompt and branch from there; the original branch stays.", hint="edit",
    ),
    Command(
        "conversation.fork", "conversation", "b", "Fork session",
        "Continue from this message in a new session.", hint="fork",
    ),
    Command(
        "conversation.previous_sibling", "conversation", "less_than_sign", "Previous sibling",
        "Show the previous reply or prompt at this point.",
    ),
    Command(
        "conversation.next_sibling", "conversation", "greater_than_sign", "Next sibling",
        "Show the next reply or prompt at this point.",
    ),
    Command("conversation.find", "conversation", "slash", "Find", "Find text in the conversation.", hint="find"),
    Command("conversation.next_match", "conversation", "n", "Next match", "Go to the next match."),
    Command("conversation.previous_match", "conversation", "N", "Previous match", "Go to the previous match."),
    Command("conversation.wrap", "conversation", "w", "Wrap code", "Wrap or cut long lines of code."),
    Command("conversation.scroll_left", "conversation", "h,left", "Scroll left", "Scroll cut code to the left."),
    Command("conversation.scroll_right", "conversation", "l,right", "Scroll right", "Scroll cut code to the right."),
    Command(
        "conversation.leave", "conversation", "i,enter", "Back to prompt", "Return to the prompt.", hint="prompt",
    ),
    Command(
        "models.switch_endpoint", "models", "shift+f2", "Switch endpoint", "Choose another server.", hint="endpoint",
    ),
    Command("sessions.open", "sessions", "enter", "Open", "Open the session at the match.", hint="open"),
    Command(
        "sessions.mark", "sessions", "ctrl+space,insert", "Select",
        "Select the session to change several at once.", hint="select",
    ),
    Command("sessions.mark_down", "sessions", "shift+down", "Select down", "Select and move down."),
    Command("sessions.mark_up", "sessions", "shift+up", "Select up", "Select and move up."),
    Command("sessions.rename", "sessions", "f2,ctrl+r", "Rename", "Rename the session.", hint="rename"),
    Command("sessions.pin", "sessions", "f3,ctrl+t", "Pin", "Pin or unpin the session.", hint="pin"),
    Command(
        "sessions.archive", "sessions", "f4,ctrl+l", "Archive",
        "Archive the session, or restore it from archive or trash.", hint="archive",
    ),
    Command("sessions.duplicate", "sessions", "f5,ctrl+y", "Duplicate", "Duplicate the session.", hint="duplicate"),
    Command("sessions.export", "sessions", "f6,ctrl+o", "Export", "Export the selected sessions.", hint="export"),
    Command(
        "sessions.filter", "sessions", "f7,ctrl+f", "Filter",
        "Filter by pinned, archive, trash, model or endpoint.", hint="filter",
    ),
    Command(
        "sessions.delete", "sessions", "f8,delete", "Delete",
        "Move to the trash; in the trash, delete permanently.", hint="delete",
    ),
    Command("sessions.undo", "sessions", "ctrl+z", "Undo", "Undo the last change.", hint="undo"),
    Command("sessions.preview", "sessions", "tab", "Preview", "Switch between list and preview.", hint="preview"),
    Command(
        "sessions.leave", "sessions", "escape,ctrl+s", "Close",
        "Clear selection, search and filter, then close.", hint="close",
    ),
    Command("tree.open", "tree", "enter", "Open", "Show this branch at this message.", hint="open"),
    Command("tree.fork", "tree", "b", "Fork", "Continue from this message in a new session.", hint="fork"),
    Command("tree.edit_prompt", "tree", "e", "Edit prompt", "Edit this prompt and branch from there.", hint="edit"),
    Command(
        "tree.previous_sibling", "tree", "left,less_than_sign", "Previous sibling",
        "Go to the previous sibling.", hint="previous",
    ),
    Command(
        "tree.next_sibling", "tree", "right,greater_than_sign", "Next sibling", "Go to the next sibling.", hint="next",
    ),
    Command(
        "models.favorite", "models", "ctrl+t", "Favorite",
        "Add the model to or remove it from the favorites.", hint="favorite",
    ),
)  # fmt: skip

ALIASES = {
    "prompt.history_up": "prompt.previous", "prompt.history_down": "prompt.next",
    "prompt.edit_outside": "prompt.edit_externally",
    "chat.stop": "turn.stop", "chat.retry": "turn.retry", "chat.continue_reply": "turn.continue",
    "chat.interrupt": "turn.interrupt", "chat.send_all": "context.include_all",
    "chat.pick_model": "model.switch", "chat.pick_endpoint": "endpoint.switch",
    "chat.next_favourite": "model.next_favorite", "chat.previous_favourite": "model.previous_favorite",
    "chat.parameters": "parameters.edit", "chat.presets": "preset.apply",
    "chat.new_session": "session.new", "chat.open_sessions": "session.list",
    "chat.export_session": "session.export", "chat.details": "session.statistics",
    "chat.scroll_page_up": "view.page_up", "chat.scroll_page_down": "view.page_down", "chat.follow": "view.end",
    "chat.previous_message": "view.previous_message", "chat.next_message": "view.next_message",
    "chat.hints": "view.hints", "chat.previous_variant": "branch.previous", "chat.next_variant": "branch.next",
    "chat.tree": "branch.tree", "chat.find": "find.open", "chat.palette": "app.palette", "chat.help": "app.help",
    "chat.suspend": "app.suspend", "chat.quit": "app.quit",
    "pane.line_up": "conversation.line_up", "pane.line_down": "conversation.line_down",
    "pane.half_page_up": "conversation.half_page_up", "pane.half_page_down": "conversation.half_page_down",
    "pane.to_top": "conversation.top", "pane.to_end": "conversation.end",
    "pane.copy_message": "conversation.copy_message", "pane.copy_code": "conversation.copy_code",
    "pane.fold": "conversation.fold", "pane.hints": "conversation.hints",
    "pane.edit_prompt": "conversation.edit_prompt", "pane.fork": "conversation.fork",
    "pane.previous_variant": "conversation.previous_sibling", "pane.next_variant": "conversation.next_sibling",
    "pane.find": "conversation.find", "pane.next_hit": "conversation.next_match",
    "pane.previous_hit": "conversation.previous_match", "pane.wrap": "conversation.wrap",
    "pane.left": "conversation.scroll_left", "pane.right": "conversation.scroll_right",
    "pane.leave": "conversation.leave",
    "sessions.look": "sessions.preview",
    "tree.previous_variant": "tree.previous_sibling", "tree.next_variant": "tree.next_sibling",
    "models.pick_endpoint": "models.switch_endpoint", "models.toggle_favourite": "models.favorite",
}  # fmt: skip
"""Ids in settings files of earlier versions, with today's."""


def commands_in(where: str) -> tuple[Command, ...]:
    """Return the commands whose keys work in `where`, in the order of the table."""
    return tuple(command for command in COMMANDS if command.where == where)


def remapped(keymap: Mapping[str, str]) -> tuple[Command, ...]:
    """Return the table with the keys of `keymap`, by command id, in place of the defaults."""
    return tuple(replace(command, keys=keymap.get(command.id, command.keys)) for command in COMMANDS)


def key_of(id: str, keymap: Mapping[str, str]) -> str:
    """Return the first key of the command `id`, as people write it. Raise StopIteration if it doesn't exist."""
    return next(command for command in remapped(keymap) if command.id == id).shown_keys.partition(", ")[0]


def key_hints(keymap: Mapping[str, str], *ids: str) -> list[str]:
    """Return the key and hint of each of the commands `ids`."""
    hints = {command.id: command.key_hint for command in remapped(keymap)}
    return [hints[name] for name in ids]


def as_markdown(*places: str) -> str:
    """Return a Markdown table for each of `places`, or for all, for README, manual and demo."""
    tables = []
    for place in places or PLACES:
        rows = [f"| {command.shown_keys} | {command.description} |" for command in commands_in(place)]
        tables.append("\n".join([f"### {PLACES[place]}\n", "| Key | Action |", "| --- | --- |", *rows]))
    return "\n\n".join(tables)


def in_readme(text: str) -> str:
    """Return the README `text` with the current keys of the chat between its markers."""
    begin, end = "<!-- keys: written by python -m streamtui.commands -->", "<!-- /keys -->"
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n\n{as_markdown('prompt', 'chat')}\n\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    from pathlib import Path

    readme = Path(__file__).parent.parent / "README.md"
    readme.write_text(in_readme(readme.read_text(encoding="utf-8")), encoding="utf-8")
