"""Validation of values read from the database, replacing those that no version of this program writes.

Another program, or a damaged page, can put anything into any column. A bad value costs that value, never the session.
"""

import json
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, get_args

from streamtui.core.message import Recap, Timing, Usage
from streamtui.core.models import ModelInfo
from streamtui.core.parameters import Parameters, parameters_from

LATEST = 253_402_214_400.0
"""The last day of the year 9999 in seconds since the epoch: the end of Python's calendar."""

_Value = TypeVar("_Value")
_Record = TypeVar("_Record", Usage, Timing, Recap, ModelInfo)


class Undecodable(str):
    """Text in which bytes that aren't UTF-8 were replaced by U+FFFD."""

    __slots__ = ()


def decode(data: bytes) -> str:
    """Decode the text of a column, replacing invalid bytes; for `sqlite3.Connection.text_factory`."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Undecodable(data.decode(errors="replace"))


def text(value: object) -> str:
    """Return `value` if it is text. Raise ValueError otherwise."""
    if type(value) is str:
        return value
    raise ValueError(f"{type(value).__name__} instead of text")


def to_text(value: object) -> str:
    """Return the readable part of a value that should be text."""
    return "" if value is None else value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def timestamp(value: object) -> float:
    """Return seconds since the epoch within the range of dates. Raise ValueError otherwise."""
    if isinstance(value, int | float) and 0 <= value <= LATEST:
        return float(value)
    raise ValueError(f"{value!r:.20} instead of a time")


def record(kind: type[_Record], value: object) -> _Record | None:
    """Parse a record from the JSON in a column. Raise ValueError."""
    if value is None:
        return None
    try:
        return parse_fields(kind, json.loads(text(value)))
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def parameters(value: object) -> Parameters:
    """Parse parameters from the JSON in a column. Raise ValueError."""
    try:
        values = json.loads(text(value))
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")
    return parameters_from(values)


def parse_fields(kind: type[_Record], values: object) -> _Record:
    """Build a record from the fields that this version knows. Raise ValueError if one has the wrong type."""
    return kind(**_arguments(kind, values))


def _arguments(kind: Any, values: object) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"{type(values).__name__} instead of {kind.__name__}")
    return {item.name: _checked(item.type, values[item.name]) for item in fields(kind) if item.name in values}


def _checked(kind: Any, value: object) -> Any:
    """Return `value` if it has the type `kind` of a field. Raise ValueError otherwise."""
    if isinstance(kind, UnionType):
        kinds = get_args(kind)
        return None if value is None and type(None) in kinds else _checked(kinds[0], value)
    if is_dataclass(kind):
        return kind(**_arguments(kind, value))  # type: ignore[operator]
    valid = isinstance(value, kind) if kind in (bool, str) else _is_number(kind, value)
    if not valid:
        raise ValueError(f"{type(value).__name__} instead of {kind.__name__}")
    return value


def _is_number(kind: Any, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (kind is float or isinstance(value, int)) and math.isfinite(value) and abs(value) < 2**63


class LenientRow:
    """Reads the values of a row; replaces invalid ones and records the damage."""

    def __init__(self) -> None:
        self.damaged = False

    def text(self, value: object) -> str:
        """Return the text, or the readable part of it."""
        if type(value) is str:
            return value
        self.damaged = True
        return to_text(value)

    def read(self, reader: Callable[[Any], _Value], value: object, default: _Value) -> _Value:
        """Return `reader(value)`, or `default` if it raises ValueError."""
        try:
            return reader(value)
        except ValueError:
            self.damaged = True
            return default
