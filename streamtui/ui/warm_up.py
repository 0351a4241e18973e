"""Warm-up: what is loaded in a thread once the screen is painted, while the user looks around."""

import gc
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from streamtui.providers.base import Provider, ProviderError


def warm_up(provider: Provider, model: str, tell: Callable[[str], None], wait: Callable[[], bool]) -> None:
    """Loads openai (0.6 s of CPU), the price list (0.3) and, where it is at hand, the encoding of `model` (0.3).

    In that thread `tell` is called, with "" or a sentence for the user, when there is something new to show, and
    `wait` before what would be noticed: it returns once nobody does anything, False where the app has ended.
    """
    Thread(target=_load_all, args=[provider, model, tell, wait], name="warm-up", daemon=True).start()


def _load_all(provider: Provider, model: str, tell: Callable[[str], None], wait: Callable[[], bool]) -> None:
    from streamtui.core import price_list

    with suppress(ProviderError):  # the first request meets the same trouble and tells it
        provider.warm_up()
    price_list.load()
    # What is loaded by now stays: a full collection over it would take 70 ms in the middle of a reply.
    gc.freeze()
    tell("")
    # tiktoken makes an encoding of 200,000 ranks in one go of 0.15 s, in which no other thread runs.
    if wait() and (trouble := _loaded(model)):
        tell(trouble)


def _loaded(model: str) -> str:
    """Loads the encoding of `model`. Returns why it could not be, if it is at hand."""
    from streamtui.tokens.encoding_files import SourceError
    from streamtui.tokens.encodings import load_for

    try:
        load_for(model)
    except SourceError as error:
        return str(error)
    return ""
