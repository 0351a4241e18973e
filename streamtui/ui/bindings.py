"""Makes Textual's bindings from the table of keys."""

from textual.binding import Binding, BindingType

from streamtui.keys import keys_of


def bindings_of(place: str, *actions: str, priority: bool = False) -> list[BindingType]:
    """Returns a binding for every key of `place`; each runs the action of its name and can be remapped by its id.

    With `actions`, only for those.
    """
    return [
        Binding(key.keys, key.action, key.does, id=key.id, show=False, priority=priority, tooltip=key.does)
        for key in keys_of(place)
        if not actions or key.action in actions
    ]
