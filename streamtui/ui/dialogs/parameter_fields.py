"""Conversion between parameters and the text of their input fields."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from streamtui.core.parameters import EFFORTS, Parameters, parameters_from


class Field(NamedTuple):
    """A parameter and a short description of its values."""

    name: str
    expected: str


FIELDS = (
    Field("temperature", "0 to 2"),
    Field("top_p", "0 to 1"),
    Field("max_tokens", "a whole number"),
    Field("seed", "a whole number"),
    Field("stop", 'text, or ["one", "another"]'),
    Field("presence_penalty", "-2 to 2"),
    Field("frequency_penalty", "-2 to 2"),
    Field("reasoning_effort", ", ".join(EFFORTS[1:5])),
    Field("extra", 'JSON such as {"top_k": 40}'),
)


OMITTED = "-"
"""The text for a parameter that is not sent even if the endpoint sets it."""


def format_parameter(parameters: Parameters, name: str) -> str:
    """Return the text for the value of `name`, or "" if it is not set."""
    if name in parameters.unset:
        return OMITTED
    value = parameters.as_dict().get(name)
    if value is None:
        return ""
    if name == "stop":
        return value[0] if len(value) == 1 and _is_plain(value[0]) else json.dumps(value, ensure_ascii=False)
    if name == "extra":
        return json.dumps(value, ensure_ascii=False)
    return str(value).removesuffix(".0")


def describe_parameters(parameters: Parameters) -> list[str]:
    """Return the parameters that are set or omitted, such as ``temperature 0.2`` and ``seed not sent``."""
    return [text for field in FIELDS if (text := describe_parameter(parameters, field.name))]


def describe_parameter(parameters: Parameters, name: str) -> str:
    """Return ``temperature 0.2`` or ``seed not sent``, or "" if the parameter is not set."""
    text = format_parameter(parameters, name)
    return text and f"{name} {'not sent' if text == OMITTED else text}"


def parse_parameters(texts: Mapping[str, str]) -> tuple[Parameters, dict[str, str]]:
    """Return the parameters that `texts` set by name, and an error message for each invalid text."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, text in texts.items():
        if not text.strip():
            continue
        if text.strip() == OMITTED:
            values.setdefault("unset", []).append(name)
            continue
        try:
            value = _value_of(name, text)
            parameters_from({name: value})
            values[name] = value
        except ValueError as error:
            errors[name] = f"{error}."
    return parameters_from(values), errors


def _is_plain(text: str) -> bool:
    return text == text.strip() and text.isprintable() and text != OMITTED and not text.startswith(("[", '"'))


def _value_of(name: str, text: str) -> object:
    text = text.strip()
    if name == "extra" or (name == "stop" and text.startswith(("[", '"'))):
        return _parse_json(name, text)
    if name in ("stop", "reasoning_effort"):
        return text
    try:
        return int(text) if name in ("max_tokens", "seed") else float(text)
    except ValueError:
        return text  # rejected by `parameters_from` with a message about what is expected


def _parse_json(name: str, text: str) -> object:
    try:
        return json.loads(text, parse_constant=_reject_constant)
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{name} is not valid JSON{where}: {getattr(error, 'msg', error)}") from None


def _reject_constant(name: str) -> object:
    raise ValueError(f"{name} is not allowed")
