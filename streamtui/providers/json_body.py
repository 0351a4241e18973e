"""Body: the fields of a JSON body, by names whose dots lead inside."""

from collections.abc import Iterator, Mapping
from typing import Any

from streamtui.core.parameters import Parameters

Body = dict[str, Any]


def put(body: Body, name: str, value: object) -> None:
    """Sets field `name` of `body`, and makes the objects around it."""
    *around, last = name.split(".")
    for part in around:
        body = body.setdefault(part, {})
    body[last] = value


def take(body: Body, name: str) -> object:
    """Takes field `name` out of `body` and returns it, None if it is not there. An object left empty goes too."""
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
    """Yields the names of all fields, those inside others before those around them."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from names_in(value, f"{before}{name}.")
        yield f"{before}{name}"


def put_parameters(body: Body, parameters: Parameters, names: Mapping[str, str]) -> None:
    """Sets what `parameters` hold, by the `names` that an API has for them; `merge` is for the extra fields."""
    for name, value in parameters.as_dict().items():
        if name in names:
            put(body, names[name], value)


def merge(body: Body, extra: Mapping[str, Any]) -> Body:
    """Returns `body` with the fields of `extra`, which count where both have one; objects are merged as well."""
    merged = dict(body)
    for name, value in extra.items():
        own = merged.get(name)
        merged[name] = merge(own, value) if isinstance(own, dict) and isinstance(value, Mapping) else value
    return merged
