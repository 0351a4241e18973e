"""What requests of a session ask for beside its messages, and how two of these differ."""

from typing import NamedTuple

from streamtui.config import Preset
from streamtui.conversation import Conversation
from streamtui.core.parameters import Parameters
from streamtui.ui.dialogs.parameter_fields import FIELDS, describe_parameter


class RequestSettings(NamedTuple):
    """Endpoint, model, system prompt and parameters of a session."""

    endpoint: str
    model: str
    system: str
    parameters: Parameters

    def with_preset(self, preset: Preset) -> "RequestSettings":
        """Return these settings with those of `preset`; its parameters, if any, replace all others."""
        return RequestSettings(
            preset.endpoint or self.endpoint,
            preset.model or self.model,
            preset.system or self.system,
            preset.parameters or self.parameters,
        )

    def changes_to(self, other: "RequestSettings") -> list[str]:
        """Return what is different in `other`, as in ``temperature 0.2``, ``default seed``, ``model o3``."""
        changes = []
        if (self.endpoint, self.model) != (other.endpoint, other.model):
            where = f" at {other.endpoint}" if self.endpoint != other.endpoint else ""
            changes.append(f"model {other.model or '(first available)'}{where}")
        if other.system != self.system:
            changes.append("new system prompt" if other.system else "no system prompt")
        for name in (field.name for field in FIELDS):
            words = describe_parameter(other.parameters, name)
            if words != describe_parameter(self.parameters, name):
                changes.append(words or f"default {name}")
        return changes


def request_settings(conversation: Conversation) -> RequestSettings:
    """Return the settings of the session of `conversation`."""
    session = conversation.session
    return RequestSettings(conversation.provider.endpoint.name, conversation.model, session.system, session.parameters)
