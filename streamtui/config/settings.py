"""Config: all that the user asked for, by flags, environment and file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from streamtui.config.value_sources import BUILT_IN, Source
from streamtui.core.endpoint import Endpoint
from streamtui.core.parameters import Parameters

MB = 1024 * 1024
MAX_REPLY_MB = 16.0


class ConfigError(Exception):
    """A setting that can't be used; the text says which, what was expected, what to do."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of system prompt, model and parameters."""

    name: str
    system: str = ""
    endpoint: str = ""
    """Name of the endpoint to ask; empty: the one in use."""
    model: str = ""
    """Empty: the one in use."""
    parameters: Parameters = field(default_factory=Parameters)


@dataclass(frozen=True, slots=True)
class Config:
    """What the user asked for."""

    endpoint: Endpoint
    """Who answers at the start."""
    system: str = ""
    """The system prompt of a new session."""
    model: str = ""
    """The model asked for by a flag, also for a session that goes on; empty: none was."""
    parameters: Parameters = field(default_factory=Parameters)
    """CliOverrides for by flags: those of a new session, and laid over those of a session that goes on."""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    """Every endpoint that can be picked, by name."""
    presets: Mapping[str, Preset] = field(default_factory=dict)
    preset: str = ""
    """Name of the preset to start with; empty: none."""
    pace: float | None = None
    """Characters a second at which replies are shown at most; None: as they come."""
    title_model: str = ""
    """The model that gives new sessions their titles; empty: the first prompt does."""
    keymap: Mapping[str, str] = field(default_factory=dict)
    """Keys by the id of their action, in place of the usual ones."""
    theme: str = ""
    """The theme to start with; empty: the one picked last."""
    warnings: tuple[str, ...] = ()
    """What in the file could not be used, a sentence each, to be told at the start."""
    moderate: bool = False
    """Whether replies are shown to the server's moderation while they arrive, and stopped if it objects."""
    max_reply_mb: float = MAX_REPLY_MB
    """MB of text and reasoning at which a reply is stopped."""
    session_key: tuple[str, str] = field(default=("", ""), repr=False)
    """The environment variable that a flag names for the server of the session to resume, and the key in it."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Where values come from, by their dotted names, as in ``endpoints.groq.base_url``; see `source_of`."""

    def source_of(self, name: str) -> Source:
        """Returns where the value called `name` comes from."""
        return self.sources.get(name, BUILT_IN)

    def with_session_key(self, endpoint: Endpoint) -> Endpoint:
        """Returns `endpoint`, that of the session to resume, with the key that a flag names for it."""
        variable, key = self.session_key
        if not key:
            return endpoint
        return replace(endpoint, api_key=key, api_key_env=variable, api_key_command="", api_key_keyring=False)

    @property
    def max_reply(self) -> int:
        """Bytes at which a reply is stopped."""
        return round(self.max_reply_mb * MB)

    @property
    def new_parameters(self) -> Parameters:
        """Those of a new session: of the flags, above those of the preset."""
        preset = self.presets.get(self.preset)
        return self.parameters.over(preset.parameters) if preset else self.parameters
