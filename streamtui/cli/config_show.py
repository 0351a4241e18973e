"""The output of `streamtui config show`: effective settings and their sources, without secrets."""

import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from streamtui import paths
from streamtui.config import Config, Endpoint, ModelSettings, Timeouts
from streamtui.config.value_sources import Origin
from streamtui.core.builtin_endpoints import without_address
from streamtui.core.parameters import Parameters
from streamtui.core.redaction import MASK, masked, masked_command, masked_fields, masked_headers, masked_url
from streamtui.core.sanitize import clean_line

Row = tuple[str, str, str]
"""A name, a value without secrets, and its source."""


def format_config(config: Config) -> str:
    """Return the effective settings as text."""
    file = paths.config_file()
    parts = [f"{file}{'' if file.exists() else ' (does not exist)'}"]
    parts.append(_table(list(_settings(config))))
    configured = [endpoint for endpoint in config.endpoints.values() if _is_configured(config, endpoint)]
    for endpoint in sorted(configured, key=lambda endpoint: endpoint is not config.endpoint):
        title = f"[endpoints.{endpoint.name}]{' (default)' if endpoint is config.endpoint else ''}"
        parts.append(f"{title}\n{_table(list(_endpoint(config, endpoint)))}")
    parts += [f"[presets.{clean_line(name)}]\n{_preset(config, name)}" for name in config.presets]
    unchanged = [endpoint for endpoint in config.endpoints.values() if endpoint not in configured and not endpoint.demo]
    rows = [_builtin(config, endpoint) for endpoint in [*unchanged, *without_address(config.endpoints)]]
    parts.append(f"Other built-in endpoints:\n{_table(rows)}")
    return _redact_keys("\n\n".join(parts), config)


def _builtin(config: Config, endpoint: Endpoint) -> Row:
    if not endpoint.base_url:
        return endpoint.name, "no base URL", f"set base_url in [endpoints.{endpoint.name}]"
    source = f" from {config.source_of(f'endpoints.{endpoint.name}.api_key')}" if endpoint.api_key else ""
    return endpoint.name, masked_url(endpoint.base_url), f"key: {_key_state(endpoint)}{source}"


def _is_configured(config: Config, endpoint: Endpoint) -> bool:
    """Return whether the endpoint is the current one or set up in the settings file."""
    name = f"endpoints.{endpoint.name}."
    # Parameters for all endpoints are recorded with each of them.
    in_file = any(
        key.startswith(name) and not key.startswith(f"{name}parameters.") and source.origin is Origin.FILE
        for key, source in config.sources.items()
    )
    return endpoint is config.endpoint or in_file


def _table(rows: list[Row]) -> str:
    names = max((len(name) for name, _, _ in rows), default=0)
    values = min(60, max((len(value) for _, value, _ in rows), default=0))
    return "\n".join(f"  {name:<{names}}  {value:<{values}}  {source}".rstrip() for name, value, source in rows)


def _settings(config: Config) -> Iterator[Row]:
    values: dict[str, Any] = {
        "endpoint": config.endpoint.name, "model": config.endpoint.model, "system": config.system,
        "preset": config.preset, "pace": config.pace, "title_model": config.title_model, "theme": config.theme,
        "moderate": config.moderate, "max_reply_mb": config.max_reply_mb,
    }  # fmt: skip
    for name, value in values.items():
        source = config.source_of(f"endpoints.{config.endpoint.name}.model" if name == "model" else name)
        yield name, _text(value), str(source) if value not in (None, "") else ""
    for name, value, key in _parameters(config.new_parameters):
        yield name, value, str(config.source_of(key))
    for action, keys in config.keymap.items():
        yield f"keys.{action}", keys, str(config.source_of(f"keys.{action}"))


def _endpoint(config: Config, endpoint: Endpoint) -> Iterator[Row]:
    """Yield the fields that are set, and the API key in any case."""
    for item in fields(endpoint):
        value = getattr(endpoint, item.name)
        source = str(config.source_of(f"endpoints.{endpoint.name}.{item.name}"))
        if item.name == "api_key":
            yield "api_key", _key_state(endpoint), source if value else ""
        elif item.name == "parameters":
            for name, parameter, key in _parameters(value):
                yield name, parameter, str(config.source_of(f"endpoints.{endpoint.name}.{key}"))
        elif item.name == "models":
            for name, settings in value.items():
                yield f"models.{json.dumps(name)}", _text(_model(settings)), source
        elif item.name not in ("name", "demo") and value is not False and value not in ("", None, (), {}):
            yield item.name, _masked(item.name, value), source


def _parameters(parameters: Parameters) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the value and the setting of each parameter that is set or unset."""
    for name, value in parameters.as_dict().items():
        if name != "unset":
            yield f"parameters.{name}", _text(masked_fields(value)), f"parameters.{name}"
    for name in parameters.unset:
        yield f"parameters.{name}", "not sent", "parameters.unset"


def _masked(name: str, value: Any) -> str:
    if name in ("base_url", "proxy"):
        return masked_url(value)
    if name == "headers":
        return _text(masked_headers(value))
    return masked_command(value) if name == "api_key_command" else _text(value)


def _model(settings: ModelSettings) -> dict[str, Any]:
    values = {item.name: getattr(settings, item.name) for item in fields(settings)}
    values["parameters"] = masked_fields(settings.parameters.as_dict())
    return {name: value for name, value in values.items() if value not in (None, {})}


def _key_state(endpoint: Endpoint) -> str:
    if endpoint.fetches_key:
        return f"read from the {'command' if endpoint.api_key_command else 'keyring'} on first use"
    if endpoint.api_key:
        return masked(endpoint.api_key)
    return f"none: set {endpoint.key_variable}" if endpoint.needs_key else "none"


def _preset(config: Config, name: str) -> str:
    preset = config.presets[name]
    values = {"endpoint": preset.endpoint, "model": preset.model, "system": preset.system}
    rows = [(key, _text(value), "") for key, value in values.items() if value]
    rows += [(name, value, "") for name, value, _ in _parameters(preset.parameters)]
    return _table(rows)


def _text(value: Any) -> str:
    """Return the value on one line, as in the settings file."""
    if value is None or value == "":
        return "-"
    if isinstance(value, Timeouts):
        value = {item.name: getattr(value, item.name) for item in fields(value)}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    line = clean_line(text)
    return line if len(line) <= 200 else f"{line[:199]}…"


def _redact_keys(text: str, config: Config) -> str:
    """Mask API keys wherever else they appear in the text."""
    for endpoint in config.endpoints.values():
        if len(endpoint.api_key) >= 8:
            text = text.replace(endpoint.api_key, masked(endpoint.api_key) or MASK)
    return text
