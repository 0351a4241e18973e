"""Request parameters such as temperature. Only those that are set are sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The reasoning efforts of OpenAI's models; servers may support others."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of one request, by OpenAI's names. None and empty values are not sent."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    """Maximum tokens of the reply, whatever the API calls it."""
    seed: int | None = None
    stop: tuple[str, ...] = ()
    """Stop sequences."""
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning_effort: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of the body, as JSON values."""
    unset: tuple[str, ...] = ()
    """Names of parameters to omit even if set at a lower level; see `over`."""

    def __bool__(self) -> bool:
        return bool(self.as_dict())

    def over(self, below: Self) -> Self:
        """Return these parameters with those of `below` that are neither set nor unset here."""
        left = {name: value for name, value in _set(below).items() if name not in self.unset}
        values = {**left, **_set(self)}
        if extra := {**left.get("extra", {}), **self.extra}:
            values["extra"] = extra
        values["unset"] = tuple(sorted({*self.unset, *below.unset} - values.keys()))
        return type(self)(**values)

    def as_dict(self) -> dict[str, Any]:
        """Return the parameters that are set, as JSON values that `parameters_from` reads."""
        found = _set(self)
        if self.stop:
            found["stop"] = list(self.stop)
        if self.extra:
            found["extra"] = dict(self.extra)
        if self.unset:
            found["unset"] = list(self.unset)
        return found


def _set(parameters: Parameters) -> dict[str, Any]:
    values = {item.name: getattr(parameters, item.name) for item in fields(parameters)}
    return {name: value for name, value in values.items() if value is not None and value not in ((), "", {})}


_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2),
}  # fmt: skip


def parameters_from(values: Mapping[str, object]) -> Parameters:
    """Return the parameters that `values` (from TOML or JSON) name.

    Raise ValueError, with the key and what was expected, for an invalid value and for an unknown key.
    """
    known = {item.name for item in fields(Parameters)}
    if unknown := sorted(values.keys() - known):
        raise ValueError(f"{unknown[0]} is no parameter; put fields of a server's own under extra")
    return Parameters(**{name: _checked(name, value) for name, value in values.items()})


def _checked(name: str, value: object) -> Any:
    if name in _RANGES:
        low, high = _RANGES[name]
        # NaN, which TOML allows, is in no range.
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} should be a number from {low:g} to {high:g}")
        return float(value)
    if name in ("max_tokens", "seed"):
        least = 1 if name == "max_tokens" else -(2**63)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
            raise ValueError(f"{name} should be a whole number{' above 0' if name == 'max_tokens' else ''}")
        return value
    if name == "stop":
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
            raise ValueError("stop should be a text, or a list of texts")
        return tuple(texts)
    if name == "unset":
        return _names(value)
    if name == "extra":
        if not isinstance(value, Mapping):
            raise ValueError("extra should be a table of fields")
        return dict(value)
    if not isinstance(value, str):
        raise ValueError(f"{name} should be a text, such as {', '.join(EFFORTS[1:5])}")
    return value


def _names(value: object) -> tuple[str, ...]:
    """Return the names of parameters, without duplicates."""
    known = {item.name for item in fields(Parameters)} - {"unset"}
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name in known for name in value):
        raise ValueError('unset should be a list of parameters, as in ["temperature"]')
    return tuple(sorted(set(value)))
