"""Keys: fetches the key of an endpoint from where the user keeps it."""

import asyncio
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from streamtui import processes
from streamtui.config import Endpoint
from streamtui.core.sanitize import clean_line
from streamtui.providers.base import ErrorKind, ProviderError

SERVICE = "streamtui"
"""The name in the keyring under which the keys of all endpoints lie, each by the name of its endpoint."""
FETCH_LIMIT = 20.0
"""Seconds in which a command or the keyring should give the key."""
KEEP_LIMIT = 120.0
"""Seconds in which a key should be put away: a keyring that is locked asks for its password first."""
_WORDS_LENGTH = 200
_EXCEPTION = re.compile(r"^[\w.]+\.[A-Z]\w+: ")
"""How a traceback names what was raised."""


async def fetch_key(endpoint: Endpoint) -> str:
    """Returns the key of `endpoint`, "" where it wants none; runs its command or asks the keyring, if it names one.

    The order is: the environment (which the config has read into `Endpoint.api_key`, dropping the others), the
    command, the keyring, the key written in the file. Cancelling ends the command at once. Raises ProviderError
    for a command that fails or says nothing, for a keyring without the key, after `FETCH_LIMIT` seconds, and
    where a key is needed and none is set.
    """
    if endpoint.api_key_command:
        return await _from_command(endpoint)
    if endpoint.api_key_keyring:
        return await _from_keyring(endpoint)
    if endpoint.needs_key:
        raise _no_key(endpoint, f"No API key is set for {_name(endpoint)}: set {endpoint.key_variable}.")
    return endpoint.api_key


def fetch_key_blocking(endpoint: Endpoint) -> str:
    """Returns what `fetch_key` does, for threads without an event loop; blocks until it is there."""
    return asyncio.run(fetch_key(endpoint))


async def store_key(name: str, key: str) -> None:
    """Puts the key of endpoint `name` into the system's keyring. Raises ProviderError where there is none."""
    code, _, said = await _keyring("set", name, given=key, limit=KEEP_LIMIT)
    if not code:
        # The null backend, and a broken one, take a key without a word and forget it.
        _, kept, said = await _keyring("get", name)
        code = kept.strip("\r\n") != key
    if code:
        raise _not_done(name, "was not put into", said)


async def delete_key(name: str) -> None:
    """Takes the key of endpoint `name` out of the keyring. Raises ProviderError where it is not there."""
    code, _, said = await _keyring("del", name, limit=KEEP_LIMIT)
    if code:
        raise _not_done(name, "was not taken out of", said)


async def _from_command(endpoint: Endpoint) -> str:
    name = _name(endpoint)
    # A session of its own takes the terminal from it: a program asking for a password there would draw over the chat.
    process = await processes.start(endpoint.api_key_command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        code, output, said = await _ended(process, FETCH_LIMIT)
    except TimeoutError:
        raise _no_key(
            endpoint, f"The command for the key of {name} gave none in {FETCH_LIMIT:.0f} s: run it by hand to see why."
        ) from None
    if code:
        raise _no_key(endpoint, f"The command for the key of {name} failed ({code}): correct api_key_command.", said)
    # What stores of passwords print below the first line are notes.
    key = next((line.strip() for line in output.splitlines() if line.strip()), "")
    if not key:
        raise _no_key(endpoint, f"The command for the key of {name} printed nothing: correct api_key_command.", said)
    return key


async def _from_keyring(endpoint: Endpoint) -> str:
    name = _name(endpoint)
    code, output, said = await _keyring("get", endpoint.name)
    key = output.strip("\r\n")
    if not code and key:
        return key
    if endpoint.api_key:
        return endpoint.api_key
    sentence = f"The keyring has no key for {name}: put it there with streamtui config set-key {name}"
    other = f", or set {endpoint.key_variable}." if endpoint.key_variable else "."
    raise _no_key(endpoint, sentence + other, said)


async def _keyring(action: str, name: str, *, given: str = "", limit: float = FETCH_LIMIT) -> tuple[int, str, str]:
    """Runs the keyring package in a process of its own, which can be ended: a dialogue on the desktop may stay open.

    -P keeps a keyring.py of the folder we are in from being taken for it.
    """
    command = (sys.executable, "-P", "-m", "keyring", action, SERVICE, name)
    process = await processes.start(command, stdin=PIPE if given else DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        return await _ended(process, limit, given)
    except TimeoutError:
        return 1, "", f"nothing for {limit:.0f} s; it may be waiting to be unlocked"


async def _ended(process: Process, limit: float, given: str = "") -> tuple[int, str, str]:
    """Waits for `process`; returns its exit code, its output and the last line of its errors. Raises TimeoutError."""
    output, errors = await processes.communicate(process, limit, given.encode() if given else None)
    lines = [clean_line(line) for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    return process.returncode or 0, output.decode("utf-8", "replace"), lines[-1] if lines else ""


def _name(endpoint: Endpoint) -> str:
    return clean_line(endpoint.name) or "the server"


def _not_done(name: str, what: str, said: str) -> ProviderError:
    return ProviderError(f"The key of {clean_line(name)} {what} the keyring.{_quoted(said)}", ErrorKind.NO_KEY)


def _no_key(endpoint: Endpoint, sentence: str, said: str = "") -> ProviderError:
    return ProviderError(clean_line(sentence) + _quoted(said), ErrorKind.NO_KEY)


def _quoted(said: str) -> str:
    if "No module named" in said and "keyring" in said:
        return " The package for it is missing: install streamtui[keyring]."
    said = _EXCEPTION.sub("", said)
    return f" It said: “{said[:_WORDS_LENGTH]}”" if said else ""
