"""Parameters as text in fields: what is written there as a value, a value as what one would write."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from streamtui.core.parameters import EFFORTS, Parameters, parameters_from


class Field(NamedTuple):
    """A parameter as the user meets it."""

    name: str
    expected: str
    """What can be written, in a few words."""


FIELDS = (
    Field("temperature", "0 to 2"),
    Field("top_p", "0 to 1"),
    Field("max_tokens", "a whole number"),
    Field("seed", "a whole number"),
    Field("stop", 'a text, or ["one", "another"]'),
    Field("presence_penalty", "-2 to 2"),
    Field("frequency_penalty", "-2 to 2"),
    Field("reasoning_effort", ", ".join(EFFORTS[1:5])),
    Field("extra", 'JSON, as in {"top_k": 40}'),
)


NOT_SENT = "-"
"""What one writes for a parameter that is not sent, whatever the endpoint sets."""


def format_parameter(parameters: Parameters, name: str) -> str:
    """Returns what one would write for the value of `name`; empty where it is not set."""
    if name in parameters.unset:
        return NOT_SENT
    value = parameters.as_dict().get(name)
    if value is None:
        return ""
    if name == "stop":
        return value[0] if len(value) == 1 and _is_plain(value[0]) else json.dumps(value, ensure_ascii=False)
    if name == "extra":
        return json.dumps(value, ensure_ascii=False)
    return str(value).removesuffix(".0")


def describe_parameters(parameters: Parameters) -> list[str]:
    """Returns what is set, as in ``temperature 0.2``, and what is not sent whatever the endpoint sets."""
    return [words for field in FIELDS if (words := describe_parameter(parameters, field.name))]


def describe_parameter(parameters: Parameters, name: str) -> str:
    """Returns what holds for `name`, as in ``temperature 0.2`` or ``seed not sent``; empty where nothing is set."""
    text = format_parameter(parameters, name)
    return text and f"{name} {'not sent' if text == NOT_SENT else text}"


def parse_parameters(texts: Mapping[str, str]) -> tuple[Parameters, dict[str, str]]:
    """Returns the parameters that `texts` set, by their names, and a sentence for each that can't be used."""
    values: dict[str, Any] = {}
    mistakes: dict[str, str] = {}
    for name, text in texts.items():
        if not text.strip():
            continue
        if text.strip() == NOT_SENT:
            values.setdefault("unset", []).append(name)
            continue
        try:
            value = _value_of(name, text)
            parameters_from({name: value})
            values[name] = value
        except ValueError as error:
            mistakes[name] = f"{error}."
    return parameters_from(values), mistakes


def _is_plain(text: str) -> bool:
    return text == text.strip() and text.isprintable() and text != NOT_SENT and not text.startswith(("[", '"'))


def _value_of(name: str, text: str) -> object:
    text = text.strip()
    if name == "extra" or (name == "stop" and text.startswith(("[", '"'))):
        return _json(name, text)
    if name in ("stop", "reasoning_effort"):
        return text
    try:
        return int(text) if name in ("max_tokens", "seed") else float(text)
    except ValueError:
        return text  # which says what is expected when it is checked


def _json(name: str, text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{name} is no JSON{where}: {getattr(error, 'msg', error)}") from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number there")
