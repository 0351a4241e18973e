"""Textual bindings made from the table of commands."""

from collections.abc import Collection

from textual.binding import Binding, BindingType

from streamtui.commands import COMMANDS, Command, commands_in


def bindings_for(where: str, *, priority: bool = False, by_screen: Collection[str] = ()) -> list[BindingType]:
    """Return a binding for every command of `where`, to be remapped by its id.

    A command runs the action of its name; the screen's commands, and those named in `by_screen`, run on the screen.
    """
    bindings: list[BindingType] = []
    for command in commands_in(where):
        is_screens = where == "chat" or command.name in by_screen
        action = f"screen.command('{command.id}')" if is_screens else command.name
        bindings.append(_binding(command, action, priority))
    return bindings


def binding_for(id: str, action: str) -> Binding:
    """Return a priority binding that runs `action` for the keys of the command `id`."""
    return _binding(next(command for command in COMMANDS if command.id == id), action, priority=True)


def _binding(command: Command, action: str, priority: bool) -> Binding:
    description = command.description
    return Binding(command.keys, action, description, id=command.id, show=False, priority=priority, tooltip=description)
