"""Puts flags, environment, file and defaults together: the earlier beats the later."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streamtui import paths
from streamtui.commands import ALIASES
from streamtui.config.adhoc_endpoint import endpoint_from, key_from_variable, openai_base_url
from streamtui.config.configured_endpoints import configured_endpoints, with_defaults
from streamtui.config.keyring_index import names_in_keyring
from streamtui.config.settings import MAX_REPLY_MB, Config, ConfigError, Preset
from streamtui.config.settings_file import FileSettings, read_settings
from streamtui.config.value_sources import BUILT_IN, Origin, Source, Sources, flag, variable
from streamtui.core.builtin_endpoints import ADDRESSES, BUILTIN, address_wanted
from streamtui.core.endpoint import DEMO, OPENAI_URL, Api, Endpoint
from streamtui.core.parameters import Parameters
from streamtui.core.sanitize import clean
from streamtui.core.suggestions import nearest


@dataclass(frozen=True, slots=True)
class CliOverrides:
    """What flags ask for; empty or None: nothing."""

    demo: bool = False
    endpoint: str = ""
    base_url: str = ""
    api_key_env: str = ""
    model: str = ""
    system: str = ""
    preset: str = ""
    api: Api | None = None
    parameters: Parameters = field(default_factory=Parameters)
    pace: float | None = None
    moderate: bool = False


def load(asked: CliOverrides, environ: Mapping[str, str], file: Path | None = None) -> Config:
    """Returns the whole config; `file` stands in for the user's config.toml.

    What is wrong in the file is left out and told in `Config.warnings`. Raises ConfigError for flags and an
    environment that can't be used.
    """
    return _Loading(asked, environ, read_settings(file or paths.config_file())).config()


class _Loading:
    """One reading of everything."""

    def __init__(self, asked: CliOverrides, environ: Mapping[str, str], settings: FileSettings) -> None:
        self._asked, self._environ, self._settings = asked, environ, settings
        self._sources = Sources()
        self._troubles = list(settings.warnings)
        self._endpoints = configured_endpoints(settings, environ, self._in_keyring(), self._sources)
        self._by_flag = self._asked_preset()
        self._by_file = settings.presets.get(settings.values.get("preset", ""))
        for action in settings.keymap:
            names = [action, *(old for old, new in ALIASES.items() if new == action)]
            written = [path for name in names for path in (("keys", name), ("keys", *name.split(".")))]
            at = next(keys for keys in written if keys in settings.lines)
            self._sources[f"keys.{action}"] = settings.source(*at)

    def config(self) -> Config:
        settings, first, written = self._settings, self._sources.first, self._written
        endpoint = self._named(self._chosen())
        if not self._is_usual and self._by_file and self._by_file.endpoint != endpoint.name:
            self._by_file = None  # made for another server
        preset = self._by_flag or self._by_file
        self._note_parameters(preset)
        endpoint = self._with_flags(self._with_model(endpoint))
        return Config(
            endpoint,
            system=self._system(endpoint, preset),
            model=self._asked.model or self._model_of(self._by_flag, endpoint),
            parameters=self._parameters(),
            endpoints={**self._endpoints, endpoint.name: endpoint},
            presets=settings.presets,
            preset=first("preset", (preset and preset.name, self._of_preset)) or "",
            pace=first("pace", (self._asked.pace, flag("--pace")), written("pace")),
            title_model=first("title_model", written("title_model")) or "",
            keymap=settings.keymap,
            theme=first("theme", written("theme")) or "",
            moderate=bool(first("moderate", (self._asked.moderate or None, flag("--moderate")), written("moderate"))),
            max_reply_mb=first("max_reply_mb", written("max_reply_mb"), (MAX_REPLY_MB, BUILT_IN)) or MAX_REPLY_MB,
            warnings=tuple(self._troubles),
            sources=self._sources,
        )

    def _in_keyring(self) -> frozenset[str]:
        try:
            return names_in_keyring()
        except OSError as error:
            self._troubles.append(f"{paths.keyring_list()} can't be read ({error.strerror}): no keyring is asked.")
            return frozenset()

    def _written(self, name: str) -> tuple[Any, Source]:
        """The value of the setting `name` above all tables of the file, with its source."""
        value = self._settings.values.get(name)
        return value, BUILT_IN if value is None else self._settings.source(name)

    # Presets

    def _asked_preset(self) -> Preset | None:
        name, presets = self._asked.preset, self._settings.presets
        if name and name not in presets:
            raise ConfigError(f"--preset names {name!r}, which is none; {_advice(name, presets)}")
        return presets[name] if name else None

    @property
    def _of_preset(self) -> Source:
        return flag(f"--preset {self._asked.preset}") if self._by_flag else self._written("preset")[1]

    @staticmethod
    def _model_of(preset: Preset | None, endpoint: Endpoint) -> str:
        return preset.model if preset and preset.endpoint in ("", endpoint.name) else ""

    # Who answers

    @property
    def _is_usual(self) -> bool:
        """Whether the endpoint is the one that a start without flags and variables has."""
        return self._sources["endpoint"].origin in (Origin.FILE, Origin.DEFAULT)

    def _chosen(self) -> str:
        asked, by_flag, by_file, first = self._asked, self._by_flag, self._by_file, self._sources.first
        name = first(
            "endpoint",
            (DEMO.name if asked.demo else "", flag("--demo")),
            (asked.base_url and self._add(asked.base_url, flag("--base-url")), flag("--base-url")),
            (asked.endpoint, flag("--endpoint")),
            (by_flag and by_flag.endpoint, self._of_preset),
        )
        if not name and openai_base_url(self._environ) != OPENAI_URL:
            source = variable("OPENAI_BASE_URL")
            name = first("endpoint", (self._add("", source), source))
        written = (by_file and by_file.endpoint, self._of_preset), self._written("endpoint")
        return str(name or first("endpoint", *written, ("openai", BUILT_IN)))

    def _add(self, base_url: str, source: Source) -> str:
        """Adds the endpoint at `base_url`, by default the one of the environment, and returns its name."""
        endpoint = endpoint_from(self._environ, base_url=base_url)
        self._endpoints[endpoint.name] = with_defaults(endpoint, self._settings)
        self._sources[f"endpoints.{endpoint.name}.base_url"] = source
        if endpoint.api_key:
            self._sources[f"endpoints.{endpoint.name}.api_key"] = variable("OPENAI_API_KEY")
        return endpoint.name

    def _named(self, name: str) -> Endpoint:
        if name in self._endpoints:
            return self._endpoints[name]
        raise ConfigError(endpoint_not_configured("--endpoint", name, self._endpoints, self._settings.file))

    def _with_flags(self, endpoint: Endpoint) -> Endpoint:
        """With the API and the key that flags ask for."""
        asked, name = self._asked, f"endpoints.{endpoint.name}"
        if asked.api is not None:
            models = {model: replace(settings, api=None) for model, settings in endpoint.models.items()}
            endpoint = replace(endpoint, api=asked.api, models=models)
            self._sources[f"{name}.api"] = flag("--api")
        if asked.api_key_env:
            key = key_from_variable(self._environ, asked.api_key_env)
            self._sources[f"{name}.api_key"] = flag(f"--api-key-env {asked.api_key_env}")
            endpoint = replace(
                endpoint, api_key=key, api_key_env=asked.api_key_env, api_key_command="", api_key_keyring=False
            )
        return endpoint

    # What a new session begins with

    def _with_model(self, endpoint: Endpoint) -> Endpoint:
        name = f"endpoints.{endpoint.name}.model"
        own = endpoint.model, self._sources.get(name, BUILT_IN)
        # The model above all tables is one of the usual endpoint's, not of every server's.
        model = self._sources.first(
            name,
            (self._asked.model, flag("--model")),
            (self._model_of(self._by_flag, endpoint), self._of_preset),
            (self._model_of(self._by_file, endpoint), self._of_preset),
            self._written("model") if self._is_usual else own,
            own,
        )
        return replace(endpoint, model=model or "")

    def _parameters(self) -> Parameters:
        """Those that flags ask for, by themselves or by a preset."""
        return self._asked.parameters.over(self._by_flag.parameters if self._by_flag else Parameters())

    def _note_parameters(self, preset: Preset | None) -> None:
        of_preset = preset.parameters.as_dict() if preset else {}
        self._sources.update((f"parameters.{name}", self._of_preset) for name in of_preset)
        asked = self._asked.parameters.as_dict()
        self._sources.update((f"parameters.{name}", flag(f"--{name.replace('_', '-')}")) for name in asked)

    def _system(self, endpoint: Endpoint, preset: Preset | None) -> str:
        own = self._sources.get(f"endpoints.{endpoint.name}.system", self._written("system")[1])
        system = self._sources.first(
            "system",
            (self._asked.system, flag("--system")),
            (preset and preset.system, self._of_preset),
            (endpoint.system, own),
        )
        return clean(system or "")


def endpoint_not_configured(who: str, name: str, known: Collection[str], file: Path) -> str:
    """Returns the sentence for a `name`, given by `who`, that is none of `known`, the endpoints with an address."""
    if name in ADDRESSES:
        return address_wanted(name, file)
    return f"{who} names {name!r}, which is none; {_advice(name, {*known, *BUILTIN})}"


def _advice(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f"did you mean {near}?" if near else f"there are {', '.join(sorted(known)) or 'none yet'}."
