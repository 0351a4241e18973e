"""The text of `streamtui config show`: what holds and where it comes from, without keys and passwords."""

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
"""A name, a value fit to show, and its source."""


def shown(config: Config) -> str:
    """Returns the whole text."""
    file = paths.config_file()
    parts = [f"{file}{'' if file.exists() else ' (there is none; streamtui config init writes one)'}"]
    parts.append(_table(list(_settings(config))))
    ours = [endpoint for endpoint in config.endpoints.values() if _is_shown(config, endpoint)]
    for endpoint in sorted(ours, key=lambda endpoint: endpoint is not config.endpoint):
        title = f"[endpoints.{endpoint.name}]{'  answers at the start' if endpoint is config.endpoint else ''}"
        parts.append(f"{title}\n{_table(list(_endpoint(config, endpoint)))}")
    parts += [f"[presets.{clean_line(name)}]\n{_preset(config, name)}" for name in config.presets]
    others = [endpoint for endpoint in config.endpoints.values() if endpoint not in ours and not endpoint.demo]
    rows = [_ready_made(config, endpoint) for endpoint in [*others, *without_address(config.endpoints)]]
    parts.append(f"Ready-made, unchanged:\n{_table(rows)}")
    return _without_keys("\n\n".join(parts), config)


def _ready_made(config: Config, endpoint: Endpoint) -> Row:
    if not endpoint.base_url:
        return endpoint.name, "no address yet", f"set base_url below [endpoints.{endpoint.name}]"
    source = f" from {config.source_of(f'endpoints.{endpoint.name}.api_key')}" if endpoint.api_key else ""
    return endpoint.name, masked_url(endpoint.base_url), f"key: {_key_state(endpoint)}{source}"


def _is_shown(config: Config, endpoint: Endpoint) -> bool:
    """Whether the endpoint is in use, or not wholly ready-made."""
    name = f"endpoints.{endpoint.name}."
    # Parameters that hold for every endpoint are noted at each of them.
    own = any(
        key.startswith(name) and not key.startswith(f"{name}parameters.") and source.origin is Origin.FILE
        for key, source in config.sources.items()
    )
    return endpoint is config.endpoint or own


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
    """The fields that say something: those that are set, and the address and the key in any case."""
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
    """What is set, what is not sent whatever others set, and by which setting that is said."""
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
        whom = "the command" if endpoint.api_key_command else "the keyring"
        return f"asked of {whom} at the first use"
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
    """The value on one line, as it would stand in the file."""
    if value is None or value == "":
        return "-"
    if isinstance(value, Timeouts):
        value = {item.name: getattr(value, item.name) for item in fields(value)}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    line = clean_line(text)
    return line if len(line) <= 200 else f"{line[:199]}…"


def _without_keys(text: str, config: Config) -> str:
    """The last look: no key stands in the text, wherever it was written."""
    for endpoint in config.endpoints.values():
        if len(endpoint.api_key) >= 8:
            text = text.replace(endpoint.api_key, masked(endpoint.api_key) or MASK)
    return text
