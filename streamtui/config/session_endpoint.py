"""Resuming: at which endpoint a saved session goes on, without its conversation or a key going to another host."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from streamtui.config import validators
from streamtui.core.endpoint import Endpoint

_PORTS = {"http": 80, "https": 443}


def endpoint_for(name: str, address: str, endpoints: Iterable[Endpoint]) -> Endpoint | None:
    """Returns the endpoint of a session that was held at `address` with the endpoint `name`; None: ask the user.

    It is the one of `endpoints` that has the name, unless that is at another host now, or the one that has the
    address, or one without a key for a server that was named by its address, as by --base-url. A session that was
    saved by a version without addresses goes by the name.
    """
    known = list(endpoints)
    named = next((endpoint for endpoint in known if endpoint.name == name), None)
    if named is not None and (not address or is_same_host(named.address, address)):
        return named
    same = next((endpoint for endpoint in known if address and endpoint.address == address), None)
    if same is not None or named is not None:
        return same
    found = endpoint_at(address)
    return found if found is not None and found.name == name else None


def endpoint_at(address: str) -> Endpoint | None:
    """Returns an endpoint without a key at `address`; None where that is not one."""
    try:
        url = validators.url(address)
    except ValueError:
        return None
    found = Endpoint(urlsplit(url).netloc, url)
    return found if found.address == url else None


def is_same_host(address: str, other: str) -> bool:
    """Whether two addresses have the same scheme, host and port."""
    try:
        origins = [_origin(address), _origin(other)]
    except ValueError:
        return False
    return origins[0] == origins[1] and bool(origins[0][1])


def host_of(address: str) -> str:
    """Returns the host and port in `address`."""
    return address.partition("://")[2].partition("/")[0]


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
