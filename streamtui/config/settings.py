"""The merged configuration, and the contents of config.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streamtui.config.value_sources import BUILT_IN, Origin, Source
from streamtui.core.endpoint import Endpoint
from streamtui.core.parameters import Parameters

MB = 1024 * 1024
MAX_REPLY_MB = 16.0


class ConfigError(Exception):
    """Report an invalid flag or variable: which one, what was expected, what to do."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of endpoint, model, system prompt and parameters."""

    name: str
    system: str = ""
    endpoint: str = ""
    """Name of the endpoint; empty: the current one."""
    model: str = ""
    """Empty: the current one."""
    parameters: Parameters = field(default_factory=Parameters)


@dataclass(slots=True)
class FileSettings:
    """The validated contents of config.toml. Everything is empty if there is no file."""

    file: Path
    values: dict[str, Any] = field(default_factory=dict)
    """Top-level settings by name."""
    parameters: Parameters = field(default_factory=Parameters)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    """For each endpoint, the fields of `Endpoint` that are in the file."""
    presets: dict[str, Preset] = field(default_factory=dict)
    keymap: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    """A sentence for each setting that was ignored or is unsafe."""
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    """Line number of each key."""
    is_private: bool = True
    """Whether other users of the machine can't read the file."""

    def source(self, *keys: str) -> Source:
        """Return the source of the value at the path `keys`."""
        return Source(Origin.FILE, f"{self.file.name}, line {self.lines[keys]}")


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration merged from flags, environment, file and defaults."""

    endpoint: Endpoint
    """The endpoint to start with."""
    system: str = ""
    """The system prompt of a new session."""
    model: str = ""
    """The model given by a flag, which also applies to a resumed session; empty: none."""
    parameters: Parameters = field(default_factory=Parameters)
    """CliOverrides for by flags: those of a new session, and laid over those of a session that goes on."""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    """All endpoints by name."""
    presets: Mapping[str, Preset] = field(default_factory=dict)
    preset: str = ""
    """Name of the preset to start with; empty: none."""
    pace: float | None = None
    """Maximum display speed in characters per second; None: unlimited."""
    title_model: str = ""
    """The model that generates titles; empty: titles are taken from the first prompt."""
    keymap: Mapping[str, str] = field(default_factory=dict)
    """Key bindings by action, replacing the defaults."""
    theme: str = ""
    """The theme to start with; empty: the one used last."""
    warnings: tuple[str, ...] = ()
    """Problems in the file, a sentence each, to be shown at startup."""
    moderate: bool = False
    """Whether to check replies with the moderation API while they stream."""
    max_reply_mb: float = MAX_REPLY_MB
    """Maximum size of a reply in MB, including reasoning."""
    session_key: tuple[str, str] = field(default=("", ""), repr=False)
    """The variable named by --api-key-env for the resumed session's endpoint, and the key in it."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Sources of the values by dotted name, as in ``endpoints.groq.base_url``; see `source_of`."""

    def source_of(self, name: str) -> Source:
        """Return the source of the value with the dotted name `name`."""
        return self.sources.get(name, BUILT_IN)

    def with_session_key(self, endpoint: Endpoint) -> Endpoint:
        """Return `endpoint`, that of the resumed session, with the key given by --api-key-env."""
        variable, key = self.session_key
        if not key:
            return endpoint
        return replace(endpoint, api_key=key, api_key_env=variable, api_key_command="", api_key_keyring=False)

    @property
    def max_reply(self) -> int:
        """Maximum size of a reply in bytes."""
        return round(self.max_reply_mb * MB)

    @property
    def new_parameters(self) -> Parameters:
        """Parameters of a new session: those given by flags, then those of the preset."""
        preset = self.presets.get(self.preset)
        return self.parameters.over(preset.parameters) if preset else self.parameters
