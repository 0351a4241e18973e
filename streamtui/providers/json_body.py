"""Get and set fields of a JSON body by dotted names."""

from collections.abc import Iterator, Mapping
from typing import Any

from streamtui.core.parameters import Parameters

Body = dict[str, Any]


def put(body: Body, name: str, value: object) -> None:
    """Set field `name` of `body`, creating the objects around it."""
    *around, last = name.split(".")
    for part in around:
        body = body.setdefault(part, {})
    body[last] = value


def take(body: Body, name: str) -> object:
    """Remove field `name` from `body` and return it; None if missing. Also remove an object left empty."""
    if name in body:
        return body.pop(name)
    outer, _, rest = name.partition(".")
    inner = body.get(outer)
    if not rest or not isinstance(inner, dict):
        return None
    found = take(inner, rest)
    if not inner:
        del body[outer]
    return found


def names_in(body: Body, before: str = "") -> Iterator[str]:
    """Yield the names of all fields, inner ones first."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from names_in(value, f"{before}{name}.")
        yield f"{before}{name}"


def put_parameters(body: Body, parameters: Parameters, names: Mapping[str, str]) -> None:
    """Set the fields for `parameters`, by an API's `names` for them; for extra fields see `merge`."""
    for name, value in parameters.as_dict().items():
        if name in names:
            put(body, names[name], value)


def merge(body: Body, extra: Mapping[str, Any]) -> Body:
    """Return `body` with the fields of `extra`, which take precedence; objects are merged recursively."""
    merged = dict(body)
    for name, value in extra.items():
        own = merged.get(name)
        merged[name] = merge(own, value) if isinstance(own, dict) and isinstance(value, Mapping) else value
    return merged
