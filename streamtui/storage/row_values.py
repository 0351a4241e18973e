"""Row values: checks what the database returns, and replaces what no version of this program writes.

Another program, or a damaged page, can put anything into any column. One bad value costs that value, never the session.
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
"""The last day of the year 9999, in seconds since the epoch: no calendar goes further."""

_Value = TypeVar("_Value")
_Record = TypeVar("_Record", Usage, Timing, Recap, ModelInfo)


class Undecodable(str):
    """Text with bytes that are not UTF-8, each replaced by U+FFFD."""

    __slots__ = ()


def decoded(data: bytes) -> str:
    """Returns the text of a column, whatever bytes it has; for `sqlite3.Connection.text_factory`."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Undecodable(data.decode(errors="replace"))


def text(value: object) -> str:
    """Returns `value` if it is text. Raises ValueError."""
    if type(value) is str:
        return value
    raise ValueError(f"{type(value).__name__} in place of text")


def replaced(value: object) -> str:
    """Returns what can be shown of a value that should be text."""
    return "" if value is None else value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def moment(value: object) -> float:
    """Returns seconds since the epoch that have a date. Raises ValueError."""
    if isinstance(value, int | float) and 0 <= value <= LATEST:
        return float(value)
    raise ValueError(f"{value!r:.20} in place of a time")


def record(kind: type[_Record], value: object) -> _Record | None:
    """Returns the record whose JSON a column holds. Raises ValueError."""
    if value is None:
        return None
    try:
        return known(kind, json.loads(text(value)))
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def parameters(value: object) -> Parameters:
    """Returns the parameters whose JSON a column holds. Raises ValueError."""
    try:
        values = json.loads(text(value))
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    if not isinstance(values, dict):
        raise ValueError("no parameters")
    return parameters_from(values)


def known(kind: type[_Record], values: object) -> _Record:
    """Returns a record of the fields that this version knows. Raises ValueError where one is of another type."""
    return kind(**_arguments(kind, values))


def _arguments(kind: Any, values: object) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"no {kind.__name__}")
    return {item.name: _checked(item.type, values[item.name]) for item in fields(kind) if item.name in values}


def _checked(kind: Any, value: object) -> Any:
    """Returns `value`, of the type `kind` of a field. Raises ValueError."""
    if isinstance(kind, UnionType):
        kinds = get_args(kind)
        return None if value is None and type(None) in kinds else _checked(kinds[0], value)
    if is_dataclass(kind):
        return kind(**_arguments(kind, value))  # type: ignore[operator]
    fits = (
        isinstance(value, bool) if kind is bool else isinstance(value, str) if kind is str else _is_number(kind, value)
    )
    if not fits:
        raise ValueError(f"{type(value).__name__} in place of {kind.__name__}")
    return value


def _is_number(kind: Any, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (kind is float or isinstance(value, int)) and math.isfinite(value) and abs(value) < 2**63


class Lenient:
    """Reads the values of a row; what can't be read is replaced, and remembered as damage."""

    def __init__(self) -> None:
        self.damaged = False

    def text(self, value: object) -> str:
        """Returns the text, or what can be shown of it."""
        if type(value) is str:
            return value
        self.damaged = True
        return replaced(value)

    def read(self, reader: Callable[[Any], _Value], value: object, instead: _Value) -> _Value:
        """Returns what `reader` makes of the value, or `instead` where it raises ValueError."""
        try:
            return reader(value)
        except ValueError:
            self.damaged = True
            return instead
