"""Asking: whom a session asks, and how; what changes from one to another."""

from typing import NamedTuple

from streamtui.config import Preset
from streamtui.conversation import Conversation
from streamtui.core.parameters import Parameters
from streamtui.ui.dialogs.parameter_fields import FIELDS, describe_parameter


class Asking(NamedTuple):
    """What a session asks with, beside its messages."""

    endpoint: str
    model: str
    system: str
    parameters: Parameters

    def with_preset(self, preset: Preset) -> "Asking":
        """Returns the same with what `preset` names; its parameters, if it has any, replace all."""
        return Asking(
            preset.endpoint or self.endpoint,
            preset.model or self.model,
            preset.system or self.system,
            preset.parameters or self.parameters,
        )

    def changes_to(self, other: "Asking") -> list[str]:
        """Returns what is different in `other`, as in ``temperature 0.2``, ``no seed``, ``o3 answers``."""
        said = []
        if (self.endpoint, self.model) != (other.endpoint, other.model):
            where = f" at {other.endpoint}" if self.endpoint != other.endpoint else ""
            said.append(f"{other.model or 'its first model'}{where} answers")
        if other.system != self.system:
            said.append("another system prompt" if other.system else "no system prompt")
        for name in (field.name for field in FIELDS):
            words = describe_parameter(other.parameters, name)
            if words != describe_parameter(self.parameters, name):
                said.append(words or f"no {name} of its own")
        return said


def asking_of(conversation: Conversation) -> Asking:
    """Returns what the session of `conversation` asks with."""
    session = conversation.session
    return Asking(conversation.provider.endpoint.name, conversation.model, session.system, session.parameters)
