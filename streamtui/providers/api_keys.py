"""API keys: get an endpoint's key from a command or the keyring, and store it in the keyring."""

import asyncio
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from streamtui import processes
from streamtui.config import Endpoint
from streamtui.core.sanitize import clean_line
from streamtui.providers.base import ErrorKind, ProviderError

SERVICE = "streamtui"
"""The keyring service that holds the API keys, by endpoint name."""
FETCH_LIMIT = 20.0
"""Seconds that a command or the keyring has to return a key."""
STORE_LIMIT = 120.0
"""Seconds to wait for a key to be stored: a locked keyring asks for its password first."""
_DETAIL_LENGTH = 200
_EXCEPTION = re.compile(r"^[\w.]+\.[A-Z]\w+: ")
"""The name of the exception in the last line of a traceback."""


async def fetch_key(endpoint: Endpoint) -> str:
    """Return the API key of `endpoint`, "" if it needs none.

    The order is: the environment (which the config has read into `Endpoint.api_key`, dropping the other sources),
    the command, the keyring, the key in the settings file. Canceling ends the command at once. Raise ProviderError
    if the command fails, prints nothing or takes more than `FETCH_LIMIT` seconds, if the keyring has no key, and if
    a required key is not set.
    """
    if endpoint.api_key_command:
        return await _from_command(endpoint)
    if endpoint.api_key_keyring:
        return await _from_keyring(endpoint)
    if endpoint.needs_key:
        raise _error(f"No API key for {_name(endpoint)} yet", f"Set {endpoint.key_variable}.")
    return endpoint.api_key


def fetch_key_blocking(endpoint: Endpoint) -> str:
    """Return the result of `fetch_key`, for threads without an event loop."""
    return asyncio.run(fetch_key(endpoint))


async def store_key(name: str, key: str) -> None:
    """Store the API key of endpoint `name` in the system keyring. Raise ProviderError if that fails."""
    code, _, detail = await _keyring("set", name, given=key, limit=STORE_LIMIT)
    if not code:
        # The null backend, and a broken one, silently discard the key.
        _, stored, detail = await _keyring("get", name)
        code = stored.strip("\r\n") != key
    if code:
        raise _error(f"Can't store the API key for {clean_line(name)} in the keyring", "", detail)


async def delete_key(name: str) -> None:
    """Delete the API key of endpoint `name` from the keyring. Raise ProviderError if there is none."""
    code, _, detail = await _keyring("del", name, limit=STORE_LIMIT)
    if code:
        raise _error(f"Can't delete the API key for {clean_line(name)} from the keyring", "", detail)


async def _from_command(endpoint: Endpoint) -> str:
    what = f"The API key command for {_name(endpoint)}"
    # In its own session it has no terminal: a program asking for a password there would draw over the chat.
    process = await processes.start(endpoint.api_key_command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        code, output, detail = await _finish(process, FETCH_LIMIT)
    except TimeoutError:
        raise _error(f"{what} timed out after {FETCH_LIMIT:.0f} s", "Run it by hand to see why.") from None
    if code:
        raise _error(f"{what} failed (exit code {code})", "Check api_key_command.", detail)
    # Password managers print notes below the first line.
    key = next((line.strip() for line in output.splitlines() if line.strip()), "")
    if not key:
        raise _error(f"{what} printed nothing", "Check api_key_command.", detail)
    return key


async def _from_keyring(endpoint: Endpoint) -> str:
    name = _name(endpoint)
    code, output, detail = await _keyring("get", endpoint.name)
    key = output.strip("\r\n")
    if not code and key:
        return key
    if endpoint.api_key:
        return endpoint.api_key
    other = f", or set {endpoint.key_variable}" if endpoint.key_variable else ""
    advice = f"Store it with `streamtui config set-key {name}`{other}."
    raise _error(f"No API key for {name} in the keyring", advice, detail)


async def _keyring(action: str, name: str, *, given: str = "", limit: float = FETCH_LIMIT) -> tuple[int, str, str]:
    """Run the keyring package in its own process, which can be ended while a dialog on the desktop stays open.

    -P ignores a keyring.py in the current folder.
    """
    command = (sys.executable, "-P", "-m", "keyring", action, SERVICE, name)
    process = await processes.start(command, stdin=PIPE if given else DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        return await _finish(process, limit, given)
    except TimeoutError:
        return 1, "", f"no response within {limit:.0f} s; it may be locked"


async def _finish(process: Process, limit: float, given: str = "") -> tuple[int, str, str]:
    """Wait for `process`; return its exit code, output and the last line of its errors. Raise TimeoutError."""
    output, errors = await processes.communicate(process, limit, given.encode() if given else None)
    lines = [clean_line(line) for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    return process.returncode or 0, output.decode("utf-8", "replace"), lines[-1] if lines else ""


def _name(endpoint: Endpoint) -> str:
    return clean_line(endpoint.name) or "the server"


def _error(what: str, advice: str, detail: str = "") -> ProviderError:
    if "No module named" in detail and "keyring" in detail:
        detail, advice = "", "Install the package for it: streamtui[keyring]."
    detail = _EXCEPTION.sub("", detail)[:_DETAIL_LENGTH]
    end = "" if detail.endswith((".", "!", "?")) else "."
    message = clean_line(f"{what}: {detail}{end} {advice}" if detail else f"{what}. {advice}")
    return ProviderError(message, ErrorKind.NO_KEY)
