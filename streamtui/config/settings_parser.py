"""Validation of a parsed config.toml: the usable settings, and a warning for everything else."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any

from streamtui.commands import ALIASES, COMMANDS
from streamtui.config import validators
from streamtui.config.keymap import clashes, keys_for
from streamtui.config.settings import FileSettings, Preset
from streamtui.config.toml_positions import Path as Keys
from streamtui.config.validators import Check
from streamtui.core.builtin_endpoints import ADDRESSES, BUILTIN, address_wanted
from streamtui.core.endpoint import DEMO, ModelSettings, Timeouts
from streamtui.core.parameters import Parameters, parameters_from
from streamtui.core.sanitize import clean_line
from streamtui.core.suggestions import nearest

TOP: dict[str, Check] = {
    "endpoint": validators.line, "model": validators.line, "system": validators.text, "preset": validators.line,
    "pace": validators.number(0, 1e6, above=True), "title_model": validators.line, "theme": validators.line,
    "moderate": validators.switch, "max_reply_mb": validators.number(0, 1024, above=True),
}  # fmt: skip
"""The top-level settings."""
ENDPOINT: dict[str, Check] = {
    "base_url": validators.url, "api_key_env": validators.variable, "api_key_command": validators.command,
    "api_key_keyring": validators.switch, "api_key": validators.secret, "organization": validators.line,
    "project": validators.line,
    "headers": validators.headers, "proxy": validators.proxy, "api": validators.api, "model": validators.line,
    "favorites": validators.string_list, "system": validators.text, "retries": validators.integer(0, 20),
    "input_price": validators.number(0), "output_price": validators.number(0),
}  # fmt: skip
"""The settings of an endpoint, without its tables."""
TIMEOUTS: dict[str, Check] = {item.name: validators.number(0, 86_400, above=True) for item in fields(Timeouts)}
MODEL: dict[str, Check] = {
    "api": validators.api, "window": validators.integer(1, 10**9), "input_price": validators.number(0),
    "output_price": validators.number(0),
}  # fmt: skip
OLD_NAMES = {"favourites": "favorites"}
"""Current names of settings that were released under another name."""
PRESET: dict[str, Check] = {"system": validators.text, "endpoint": validators.line, "model": validators.line}
PARAMETERS = tuple(item.name for item in fields(Parameters))

Table = Callable[[Keys, Mapping[str, object]], Any]


class SettingsParser:
    """Fill in `FileSettings` from parsed TOML and collect warnings."""

    def __init__(self, settings: FileSettings) -> None:
        self._settings = settings
        self._warnings: list[tuple[int, str]] = []

    def read(self, data: Mapping[str, object]) -> None:
        """Validate `data` and store the result in the settings."""
        settings = self._settings
        tables: dict[str, Table] = {
            "parameters": self._parameters, "endpoints": self._endpoints, "presets": self._presets,
            "keys": self._keymap,
        }  # fmt: skip
        found = self._table((), data, TOP, tables)
        settings.parameters = found.pop("parameters", settings.parameters)
        settings.endpoints = found.pop("endpoints", {})
        settings.presets = found.pop("presets", {})
        settings.keymap = found.pop("keys", {})
        settings.values = found
        self._check_names()
        self._check_permissions()
        settings.warnings += [f"{settings.file}, line {line}: {text}" for line, text in sorted(self._warnings)]

    # Warnings

    def _warn(self, at: Keys, text: str) -> None:
        lines = self._settings.lines
        line = next(lines[at[:length]] for length in range(len(at), -1, -1) if at[:length] in lines)
        self._warnings.append((line, clean_line(text)))

    def _ignore(self, at: Keys, problem: str) -> None:
        self._warn(at, f"{_dotted(at)} {problem} (ignored).")

    def _unknown(self, at: Keys, known: Iterable[str]) -> None:
        key, known = str(at[-1]), list(known)
        if near := nearest(key.lower(), known):
            advice = f'Did you mean "{near}"?'
        elif len(at) == 1 and key in ENDPOINT:
            advice = "It belongs in [endpoints.NAME]."
        elif len(at) > 1 and key in TOP:
            advice = "It belongs above the first [table]."
        else:
            advice = f"Known settings: {', '.join(sorted(known))}."
        self._warn(at, f"Unknown setting {_quoted(at)} (ignored). {advice}")

    # Tables

    def _table(
        self, at: Keys, table: Mapping[str, object], checks: Mapping[str, Check], tables: Mapping[str, Table]
    ) -> dict[str, Any]:
        """Return the valid part of `table`: values validated by `checks`, nested tables parsed by `tables`."""
        found: dict[str, Any] = {}
        for written, value in table.items():
            where, key = (*at, written), OLD_NAMES.get(written, written)
            if key != written:
                self._settings.lines.setdefault((*at, key), self._settings.lines[where])
            if key in tables:
                if isinstance(value, Mapping):
                    found[key] = tables[key](where, value)
                else:
                    self._ignore(where, f"should be a table, as in [{_dotted(where)}]")
            elif key in checks:
                try:
                    found[key] = checks[key](value)
                except ValueError as error:
                    self._ignore(where, str(error))
            else:
                self._unknown(where, [*checks, *tables])
        return found

    def _named(self, at: Keys, table: Mapping[str, object], read: Table) -> dict[str, Any]:
        """Return the valid part of a table of tables with arbitrary names."""
        return self._table(at, table, {}, dict.fromkeys(table, read))

    def _endpoints(self, at: Keys, table: Mapping[str, object]) -> dict[str, Any]:
        for name in [name for name in table if not validators.is_name(name) or name == DEMO.name]:
            what = (
                "is built in and can't be changed" if name == DEMO.name else "should have only letters, digits and ._:-"
            )
            self._ignore((*at, name), what)
        usable = {name: value for name, value in table.items() if validators.is_name(name) and name != DEMO.name}
        found = self._named(at, usable, self._endpoint)
        for name in list(found):
            builtin = BUILTIN.get(name)
            if not (found[name].get("base_url") or (builtin and builtin.base_url)):
                example = ADDRESSES.get(name, "http://localhost:11434/v1")
                self._ignore((*at, name), f'needs a base_url, as in base_url = "{example}"')
                del found[name]
        return found

    def _endpoint(self, at: Keys, table: Mapping[str, object]) -> dict[str, Any]:
        tables: dict[str, Table] = {
            "timeouts": lambda at, table: Timeouts(**self._table(at, table, TIMEOUTS, {})),
            "parameters": self._parameters,
            "models": lambda at, table: self._named(at, table, self._model),
        }
        found = self._table(at, table, {**ENDPOINT, "favourites": ENDPOINT["favorites"]}, tables)
        if "favourites" in found:  # the spelling of the first releases
            released = found.pop("favourites")
            found.setdefault("favorites", released)
        return found

    def _model(self, at: Keys, table: Mapping[str, object]) -> ModelSettings:
        return ModelSettings(**self._table(at, table, MODEL, {"parameters": self._parameters}))

    def _presets(self, at: Keys, table: Mapping[str, object]) -> dict[str, Preset]:
        return {clean_line(name): preset for name, preset in self._named(at, table, self._preset).items()}

    def _preset(self, at: Keys, table: Mapping[str, object]) -> Preset:
        return Preset(clean_line(str(at[-1])), **self._table(at, table, PRESET, {"parameters": self._parameters}))

    def _parameters(self, at: Keys, table: Mapping[str, object]) -> Parameters:
        checks = {name: _parameter(name) for name in PARAMETERS}
        for key in table.keys() - checks.keys():
            near = nearest(key, PARAMETERS)
            advice = f'Did you mean "{near}"? ' if near else ""
            text = f"Unknown parameter {_quoted((*at, key))} (ignored). {advice}Server-specific fields belong in extra."
            self._warn((*at, key), text)
        return Parameters(**self._table(at, {key: table[key] for key in table if key in checks}, checks, {}))

    def _keymap(self, at: Keys, table: Mapping[str, object]) -> dict[str, str]:
        found = dict(_actions(table))
        flat = {ALIASES[old]: at for old, at in found.items() if old in ALIASES}
        flat |= {action: at for action, at in found.items() if action not in ALIASES}
        ids = [command.id for command in COMMANDS]
        keymap: dict[str, str] = {}
        for action, (path, value) in flat.items():
            try:
                if action not in ids:
                    raise ValueError(f"should be the name of an action{_suggestion(action, ids)}")
                keymap[action] = keys_for(action, value)
            except ValueError as error:
                self._ignore((*at, *path), str(error))
        for action, key, other in clashes(keymap):
            if keymap.pop(action, ""):
                self._ignore((*at, *flat[action][0]), f"should be another key: {key} is bound to {other}")
        return keymap

    # The file as a whole

    def _check_names(self) -> None:
        """Ignore references to endpoints and presets that don't exist."""
        found, presets = self._settings.values, self._settings.presets
        if not self._is_endpoint(("endpoint",), found.get("endpoint", "")):
            del found["endpoint"]
        if not self._is_one(("preset",), found.get("preset", ""), presets, "a preset"):
            del found["preset"]
        for name, preset in presets.items():
            if not self._is_endpoint(("presets", name, "endpoint"), preset.endpoint):
                presets[name] = Preset(name, preset.system, "", preset.model, preset.parameters)

    def _is_endpoint(self, at: Keys, name: str) -> bool:
        """Return whether `name`, the value at `at`, is empty or a usable endpoint; warn if it isn't."""
        given, file = self._settings.endpoints, self._settings.file
        if name in ADDRESSES and name not in given:
            self._warn(at, f"{_dotted(at)} was ignored. {address_wanted(name, file)}")
            return False
        return self._is_one(at, name, {*BUILTIN, *given, DEMO.name}, "an endpoint")

    def _is_one(self, at: Keys, name: str, known: Collection[str], what: str) -> bool:
        if not name or name in known:
            return True
        self._ignore(at, f"should be the name of {what}{_suggestion(name, known)}")
        return False

    def _check_permissions(self) -> None:
        """Warn once if other users can read the file and it has API keys."""
        settings = self._settings
        first = next((name for name, found in settings.endpoints.items() if found.get("api_key")), None)
        if first is not None and not settings.is_private:
            at = ("endpoints", first, "api_key")
            text = f"{_dotted(at)} can be read by other users of this machine. Run: chmod 600 {settings.file}"
            self._warn(at, text)


def _parameter(name: str) -> Check:
    def check(value: object) -> Any:
        if name == "extra":
            return validators.fields(value)
        try:
            return getattr(parameters_from({name: value}), name)
        except ValueError as error:
            raise ValueError(str(error).removeprefix(f"{name} ")) from None

    return check


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f", perhaps {near}" if near else f": {', '.join(sorted(known)) or 'none exist yet'}"


def _actions(table: Mapping[str, object], before: tuple[str, ...] = ()) -> Iterable[tuple[str, tuple[Keys, object]]]:
    """Yield the actions in [keys] with their paths and values. The keys "find.open" and find.open are equivalent."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _actions(value, (*before, key))
        else:
            yield ".".join((*before, key)), ((*before, key), value)


def _quoted(at: Keys) -> str:
    dotted = _dotted(at)
    return dotted if '"' in dotted else f'"{dotted}"'


def _dotted(at: Keys) -> str:
    plain = re.compile(r"[\w-]+", re.ASCII)
    return ".".join(str(key) if plain.fullmatch(str(key)) else f'"{clean_line(str(key))}"' for key in at)
