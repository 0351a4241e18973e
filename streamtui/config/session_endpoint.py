"""Choice of the endpoint for a resumed session, so that neither its messages nor a key go to another host."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from streamtui.config import validators
from streamtui.core.endpoint import Endpoint

_PORTS = {"http": 80, "https": 443}


def endpoint_for(name: str, address: str, endpoints: Iterable[Endpoint]) -> Endpoint | None:
    """Return the endpoint for a session saved with endpoint `name` at `address`; None: ask the user.

    Prefer the endpoint of that name unless its host has changed, then any endpoint with that address. A server that
    was given by --base-url gets an endpoint without a key. Sessions saved before addresses were stored (`address` is
    empty) are matched by name.
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
    """Return an endpoint without a key at `address`; None if it is not a valid URL."""
    try:
        url = validators.url(address)
    except ValueError:
        return None
    found = Endpoint(urlsplit(url).netloc, url)
    return found if found.address == url else None


def is_same_host(address: str, other: str) -> bool:
    """Return whether two URLs have the same scheme, host and port."""
    try:
        origins = [_origin(address), _origin(other)]
    except ValueError:
        return False
    return origins[0] == origins[1] and bool(origins[0][1])


def host_of(address: str) -> str:
    """Return the host and port of `address`."""
    return address.partition("://")[2].partition("/")[0]


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
