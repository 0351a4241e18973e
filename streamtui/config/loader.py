"""Merging of flags, environment, file and defaults, in this order of precedence."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streamtui import paths
from streamtui.commands import ALIASES
from streamtui.config.adhoc_endpoint import endpoint_from, key_from_variable, openai_base_url
from streamtui.config.configured_endpoints import configured_endpoints, with_defaults
from streamtui.config.keyring_index import names_in_keyring
from streamtui.config.settings import MAX_REPLY_MB, Config, ConfigError, FileSettings, Preset
from streamtui.config.settings_file import read_settings
from streamtui.config.value_sources import BUILT_IN, Origin, Source, Sources, flag, variable
from streamtui.core.builtin_endpoints import ADDRESSES, BUILTIN, address_wanted
from streamtui.core.endpoint import DEMO, OPENAI_URL, Api, Endpoint
from streamtui.core.parameters import Parameters
from streamtui.core.sanitize import clean, clean_line
from streamtui.core.suggestions import nearest


@dataclass(frozen=True, slots=True)
class CliOverrides:
    """Settings given by flags; empty or None: not given."""

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


def load(flags: CliOverrides, environ: Mapping[str, str], file: Path | None = None) -> Config:
    """Return the merged configuration. `file` replaces the user's config.toml.

    Invalid settings in the file are ignored and reported in `Config.warnings`. Raise ConfigError for invalid flags and
    environment variables.
    """
    return _Loader(flags, environ, read_settings(file or paths.config_file())).config()


class _Loader:
    """Merge all sources once."""

    def __init__(self, flags: CliOverrides, environ: Mapping[str, str], settings: FileSettings) -> None:
        self._flags, self._environ, self._settings = flags, environ, settings
        self._sources = Sources()
        self._warnings = list(settings.warnings)
        self._endpoints = configured_endpoints(settings, environ, self._in_keyring(), self._sources)
        self._preset_flag = self._flag_preset()
        self._preset_setting = settings.presets.get(settings.values.get("preset", ""))
        for action in settings.keymap:
            names = [action, *(old for old, new in ALIASES.items() if new == action)]
            written = [path for name in names for path in (("keys", name), ("keys", *name.split(".")))]
            at = next(keys for keys in written if keys in settings.lines)
            self._sources[f"keys.{action}"] = settings.source(*at)

    def config(self) -> Config:
        settings, first, written = self._settings, self._sources.first, self._from_file
        endpoint = self._endpoint(self._endpoint_name())
        if not self._is_default and self._preset_setting and self._preset_setting.endpoint != endpoint.name:
            self._preset_setting = None  # meant for another server
        preset = self._preset_flag or self._preset_setting
        self._record_parameters(preset)
        endpoint = self._with_flags(self._with_model(endpoint))
        return Config(
            endpoint,
            system=self._system(endpoint, preset),
            model=self._flags.model or self._preset_model(self._preset_flag, endpoint),
            parameters=self._parameters(),
            endpoints={**self._endpoints, endpoint.name: endpoint},
            presets=settings.presets,
            preset=first("preset", (preset and preset.name, self._preset_source)) or "",
            pace=first("pace", (self._flags.pace, flag("--pace")), written("pace")),
            title_model=first("title_model", written("title_model")) or "",
            keymap=settings.keymap,
            theme=first("theme", written("theme")) or "",
            moderate=bool(first("moderate", (self._flags.moderate or None, flag("--moderate")), written("moderate"))),
            max_reply_mb=first("max_reply_mb", written("max_reply_mb"), (MAX_REPLY_MB, BUILT_IN)) or MAX_REPLY_MB,
            warnings=tuple(self._warnings),
            sources=self._sources,
        )

    def _in_keyring(self) -> frozenset[str]:
        try:
            return names_in_keyring()
        except OSError as error:
            self._warnings.append(
                f"{paths.keyring_list()} can't be read: {error.strerror}. Keys in the keyring are not used."
            )
            return frozenset()

    def _from_file(self, name: str) -> tuple[Any, Source]:
        """Return the top-level setting `name` of the file and its source."""
        value = self._settings.values.get(name)
        return value, BUILT_IN if value is None else self._settings.source(name)

    # Presets

    def _flag_preset(self) -> Preset | None:
        name, presets = self._flags.preset, self._settings.presets
        if name and name not in presets:
            raise ConfigError(f'Preset "{clean_line(name)}" does not exist. {_advice(name, presets)}')
        return presets[name] if name else None

    @property
    def _preset_source(self) -> Source:
        return flag(f"--preset {self._flags.preset}") if self._preset_flag else self._from_file("preset")[1]

    @staticmethod
    def _preset_model(preset: Preset | None, endpoint: Endpoint) -> str:
        return preset.model if preset and preset.endpoint in ("", endpoint.name) else ""

    # The endpoint

    @property
    def _is_default(self) -> bool:
        """Whether the endpoint was not chosen by a flag or a variable."""
        return self._sources["endpoint"].origin in (Origin.FILE, Origin.DEFAULT)

    def _endpoint_name(self) -> str:
        flags, first = self._flags, self._sources.first
        by_flag, by_file = self._preset_flag, self._preset_setting
        name = first(
            "endpoint",
            (DEMO.name if flags.demo else "", flag("--demo")),
            (flags.base_url and self._add(flags.base_url, flag("--base-url")), flag("--base-url")),
            (flags.endpoint, flag("--endpoint")),
            (by_flag and by_flag.endpoint, self._preset_source),
        )
        if not name and openai_base_url(self._environ) != OPENAI_URL:
            source = variable("OPENAI_BASE_URL")
            name = first("endpoint", (self._add("", source), source))
        written = (by_file and by_file.endpoint, self._preset_source), self._from_file("endpoint")
        return str(name or first("endpoint", *written, ("openai", BUILT_IN)))

    def _add(self, base_url: str, source: Source) -> str:
        """Add the endpoint at `base_url`, or that of the environment if it is empty, and return its name."""
        endpoint = endpoint_from(self._environ, base_url=base_url)
        self._endpoints[endpoint.name] = with_defaults(endpoint, self._settings)
        self._sources[f"endpoints.{endpoint.name}.base_url"] = source
        if endpoint.api_key:
            self._sources[f"endpoints.{endpoint.name}.api_key"] = variable("OPENAI_API_KEY")
        return endpoint.name

    def _endpoint(self, name: str) -> Endpoint:
        if name in self._endpoints:
            return self._endpoints[name]
        raise ConfigError(endpoint_not_configured(name, self._endpoints, self._settings.file))

    def _with_flags(self, endpoint: Endpoint) -> Endpoint:
        """Return `endpoint` with the API and the key given by flags."""
        flags, name = self._flags, f"endpoints.{endpoint.name}"
        if flags.api is not None:
            models = {model: replace(settings, api=None) for model, settings in endpoint.models.items()}
            endpoint = replace(endpoint, api=flags.api, models=models)
            self._sources[f"{name}.api"] = flag("--api")
        if flags.api_key_env:
            key = key_from_variable(self._environ, flags.api_key_env)
            self._sources[f"{name}.api_key"] = flag(f"--api-key-env {flags.api_key_env}")
            endpoint = replace(
                endpoint, api_key=key, api_key_env=flags.api_key_env, api_key_command="", api_key_keyring=False
            )
        return endpoint

    # Settings of a new session

    def _with_model(self, endpoint: Endpoint) -> Endpoint:
        name = f"endpoints.{endpoint.name}.model"
        default = endpoint.model, self._sources.get(name, BUILT_IN)
        # The top-level model belongs to the default endpoint.
        model = self._sources.first(
            name,
            (self._flags.model, flag("--model")),
            (self._preset_model(self._preset_flag, endpoint), self._preset_source),
            (self._preset_model(self._preset_setting, endpoint), self._preset_source),
            self._from_file("model") if self._is_default else default,
            default,
        )
        return replace(endpoint, model=model or "")

    def _parameters(self) -> Parameters:
        """Return the parameters given by flags and by the preset that a flag names."""
        return self._flags.parameters.over(self._preset_flag.parameters if self._preset_flag else Parameters())

    def _record_parameters(self, preset: Preset | None) -> None:
        preset_parameters = preset.parameters.as_dict() if preset else {}
        self._sources.update((f"parameters.{name}", self._preset_source) for name in preset_parameters)
        given = self._flags.parameters.as_dict()
        self._sources.update((f"parameters.{name}", flag(f"--{name.replace('_', '-')}")) for name in given)

    def _system(self, endpoint: Endpoint, preset: Preset | None) -> str:
        own = self._sources.get(f"endpoints.{endpoint.name}.system", self._from_file("system")[1])
        system = self._sources.first(
            "system",
            (self._flags.system, flag("--system")),
            (preset and preset.system, self._preset_source),
            (endpoint.system, own),
        )
        return clean(system or "")


def endpoint_not_configured(name: str, known: Collection[str], file: Path) -> str:
    """Return the error for an endpoint `name` that is not in `known`, the endpoints with a base URL."""
    if name in ADDRESSES:
        return address_wanted(name, file)
    return f'Endpoint "{clean_line(name)}" is not configured. {_advice(name, {*known, *BUILTIN})}'


def _advice(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f'Did you mean "{near}"?' if near else f"Available: {', '.join(sorted(known)) or 'none'}."
