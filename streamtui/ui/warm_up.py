"""Load what is slow to load in a thread, once the screen is painted."""

import gc
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from streamtui.providers.base import Provider, ProviderError


def warm_up(provider: Provider, model: str, notify: Callable[[str], None], wait: Callable[[], bool]) -> None:
    """Load openai (0.6 s of CPU), the price list (0.3) and, if available locally, the encoding of `model` (0.3).

    The thread calls `notify`, with "" or a sentence for the user, when there is something new to show. It calls
    `wait` before work that blocks other threads; that returns once the app is idle, False if it has ended.
    """
    Thread(target=_load_all, args=[provider, model, notify, wait], name="warm-up", daemon=True).start()


def _load_all(provider: Provider, model: str, notify: Callable[[str], None], wait: Callable[[], bool]) -> None:
    from streamtui.core import price_list

    with suppress(ProviderError):  # the first request reports the same error
        provider.warm_up()
    price_list.load()
    # Modules are never freed: a full collection over it would take 70 ms in the middle of a reply.
    gc.freeze()
    notify("")
    # tiktoken makes an encoding of 200,000 ranks in one go of 0.15 s, in which no other thread runs.
    if wait() and (error := _load_encoding(model)):
        notify(error)


def _load_encoding(model: str) -> str:
    """Load the encoding of `model`. Return an error message if it is available but unreadable, else ""."""
    from streamtui.tokens.encoding_files import SourceError
    from streamtui.tokens.encodings import load_for

    try:
        load_for(model)
    except SourceError as error:
        return str(error)
    return ""
