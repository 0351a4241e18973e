"""Keys: every action a key can do, with its default keys; bindings, help, README and demo all read this table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Key:
    """An action and the keys that do it unless the user maps others."""

    id: str
    """Place and action, as in ``chat.new_session``; the part behind the dot is the name of the action."""
    keys: str
    """Textual's key names, separated by commas."""
    does: str
    """What happens, in a few words."""
    label: str = ""
    """The same in a word, for a line of keys; empty where it stands in none."""

    @property
    def place(self) -> str:
        """Where the key works: chat, prompt, pane, sessions or models."""
        return self.id.partition(".")[0]

    @property
    def action(self) -> str:
        """The name of the action, without its place."""
        return self.id.partition(".")[2]

    @property
    def shown(self) -> str:
        """The keys as people write them, as in ``shift+enter, ctrl+j``."""
        return ", ".join(dict.fromkeys(_spelled(key) for key in self.keys.split(",")))


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


KEYS = (
    Key("prompt.submit", "enter", "send the prompt"),
    Key("prompt.newline", "ctrl+j,shift+enter,alt+enter", "make a new line"),
    Key("prompt.history_up", "up", "on the first line: the earlier prompt"),
    Key("prompt.history_down", "down", "on the last line: the later prompt"),
    Key("prompt.search_history", "ctrl+r", "search the prompts of all sessions, to ask one again"),
    Key("prompt.edit_outside", "ctrl+g", "write the prompt in your editor ($EDITOR)"),
    Key("prompt.undo", "ctrl+underscore", "undo typing"),
    Key("chat.stop", "escape", "stop the reply and keep what came; else go to the prompt"),
    Key("chat.retry", "f5", "ask again"),
    Key("chat.continue_reply", "f9", "continue a reply that was cut off"),
    Key("chat.send_all", "shift+f9", "send again what was left out because it was too long"),
    Key("chat.pick_model", "ctrl+o,f2", "pick a model"),
    Key("chat.pick_endpoint", "shift+f2", "pick another server"),
    Key("chat.next_favourite", "f3", "switch to the next favourite model"),
    Key("chat.previous_favourite", "shift+f3", "switch to the favourite model before"),
    Key("chat.parameters", "f4", "set the system prompt and the parameters"),
    Key("chat.presets", "shift+f4", "pick a preset: system prompt, model and parameters in one"),
    Key("chat.new_session", "ctrl+n", "start a new session"),
    Key("chat.open_sessions", "ctrl+s", "show the saved sessions"),
    Key("chat.export_session", "f6", "export this session to a file"),
    Key("chat.scroll_page_up", "pageup", "scroll up a page"),
    Key("chat.scroll_page_down", "pagedown", "scroll down a page"),
    Key("chat.follow", "ctrl+end", "go to the end and follow the reply"),
    # xterm.js (VS Code, the browser) sends alt+up and alt+down as ctrl+up and ctrl+down.
    Key("chat.previous_message", "alt+up,ctrl+up", "go to the message above"),
    Key("chat.next_message", "alt+down,ctrl+down", "go to the message below"),
    Key("chat.previous_variant", "alt+left", "show the reply before, where a prompt was asked more than once"),
    Key("chat.next_variant", "alt+right", "show the reply after it"),
    Key("chat.tree", "ctrl+t", "show all branches of the conversation as a tree"),
    Key("chat.find", "ctrl+f", "find in the conversation"),
    Key("chat.hints", "f8", "put a letter on every code block and link in view, to copy, save, edit or open it"),
    Key("chat.interrupt", "ctrl+c", "copy the selection, stop the reply, put the draft away, or (twice) quit"),
    Key("chat.palette", "ctrl+p", "show everything that can be done"),
    Key("chat.help", "f1", "show the keys"),
    Key("chat.details", "shift+f1", "show the session in numbers: tokens, speed and cost of every reply"),
    Key("chat.suspend", "ctrl+z", "suspend streamtui and return to the shell; fg resumes it"),
    Key("chat.quit", "ctrl+q", "quit"),
    Key("pane.line_up", "k,up", "scroll up a line"),
    Key("pane.line_down", "j,down", "scroll down a line"),
    Key("pane.half_page_up", "ctrl+u", "scroll up half a page"),
    Key("pane.half_page_down", "ctrl+d", "scroll down half a page"),
    Key("pane.to_top", "g,home", "go to the first message"),
    Key("pane.to_end", "G,end", "go to the end and follow"),
    Key("pane.copy_message", "y", "copy the message as it was written"),
    Key("pane.copy_code", "c", "copy its last code block"),
    Key("pane.fold", "space", "fold or unfold the reasoning"),
    Key("pane.hints", "f", "letters on code blocks and links, as with F8"),
    Key("pane.edit_prompt", "e", "edit the prompt and ask again from there; what followed stays, as another branch"),
    Key("pane.fork", "b", "go on from this message in a new session"),
    Key("pane.previous_variant", "less_than_sign", "show the reply or prompt before, where there are several"),
    Key("pane.next_variant", "greater_than_sign", "show the one after it"),
    Key("pane.find", "slash", "find in the conversation"),
    Key("pane.next_hit", "n", "go to the next hit"),
    Key("pane.previous_hit", "N", "go to the hit before"),
    Key("pane.wrap", "w", "wrap wide code, or cut it"),
    Key("pane.left", "h,left", "move cut code to the left"),
    Key("pane.right", "l,right", "move cut code to the right"),
    Key("pane.leave", "i,enter", "go back to the prompt"),
    Key("models.pick_endpoint", "shift+f2", "pick another server"),
    Key("sessions.open", "enter", "open the session, at the words found", "open"),
    Key("sessions.mark", "ctrl+space,insert", "mark the session, to do the same to several", "mark"),
    Key("sessions.mark_down", "shift+down", "mark it and go down"),
    Key("sessions.mark_up", "shift+up", "mark it and go up"),
    Key("sessions.rename", "f2,ctrl+r", "rename the session", "rename"),
    Key("sessions.pin", "f3,ctrl+t", "keep it at the top, or no longer", "pin"),
    Key("sessions.archive", "f4,ctrl+l", "put it into the archive, or take it out, of the trash too", "archive"),
    Key("sessions.duplicate", "f5,ctrl+y", "make a copy of it", "copy"),
    Key("sessions.export", "f6,ctrl+o", "export it, or all that are marked, to files", "export"),
    Key("sessions.filter", "f7,ctrl+f", "show pinned ones, the archive, the trash, a model, an endpoint", "filter"),
    Key("sessions.delete", "f8,delete", "move it to the trash; there, delete it for good", "delete"),
    Key("sessions.undo", "ctrl+z", "take back what was done last", "undo"),
    Key("sessions.look", "tab", "go to the preview, to scroll and copy, and back", "preview"),
    Key("sessions.leave", "escape,ctrl+s", "take away marks, words and filter; then leave", "leave"),
    Key("tree.open", "enter", "show this branch, at this message", "show"),
    Key("tree.fork", "b", "go on from this message in a new session", "fork"),
    Key("tree.edit_prompt", "e", "edit this prompt and ask again from there", "edit"),
    Key("tree.previous_variant", "left,less_than_sign", "go to the one before, where there are several", "before"),
    Key("tree.next_variant", "right,greater_than_sign", "go to the one after it", "after"),
    Key("models.toggle_favourite", "ctrl+t", "make the model a favourite, or no longer one"),
)  # fmt: skip


def keys_of(place: str) -> tuple[Key, ...]:
    """Returns the keys that work in `place`, in the order of the table."""
    return tuple(key for key in KEYS if key.place == place)


def remapped(keymap: Mapping[str, str]) -> tuple[Key, ...]:
    """Returns the table with the keys of `keymap` (by the ids of actions) in place of the usual ones."""
    return tuple(replace(key, keys=keymap.get(key.id, key.keys)) for key in KEYS)


def name_of(id: str, keymap: Mapping[str, str]) -> str:
    """Returns the first key of the action `id`, as people write it. Raises StopIteration for an unknown one."""
    return next(key for key in remapped(keymap) if key.id == id).shown.partition(", ")[0]


def as_markdown() -> str:
    """Returns the whole table as Markdown, for the README, the manual and the demo."""
    rows = [f"| {key.shown} | {key.does} |" for key in KEYS]
    return "\n".join(["| key | does |", "| --- | --- |", *rows])


def in_readme(text: str) -> str:
    """Returns the README `text` with today's keys in it."""
    begin, end = "<!-- keys: written by python -m streamtui.keys -->", "<!-- /keys -->"
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n\n{as_markdown()}\n\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    from pathlib import Path

    readme = Path(__file__).parent.parent / "README.md"
    readme.write_text(in_readme(readme.read_text(encoding="utf-8")), encoding="utf-8")
