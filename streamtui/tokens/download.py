"""Downloads a file of ranks, within a time limit that holds."""

from concurrent.futures import Future
from http.client import HTTPException
from threading import Thread
from urllib.error import URLError
from urllib.request import Request, build_opener

from streamtui import __version__
from streamtui.tokens.encoding_files import Source, SourceError

MOST = 64 * 1024 * 1024
"""Bytes that are read at most; the largest file has 4 million."""


def download(source: Source, limit: float) -> bytes:
    """Return the file, its hash not yet checked. Raises SourceError, after `limit` seconds at the latest.

    Proxies are those of the environment.
    """
    answer: Future[bytes] = Future()
    # In a thread, because no limit of a socket covers the look-up of names, nor a server that sends a byte a second.
    # A daemon, because the program does not wait for it.
    Thread(target=_read, args=[source.url, limit, answer], name="download", daemon=True).start()
    try:
        return answer.result(limit)
    except TimeoutError:
        reason = f"no answer within {limit:g} s"
    except (OSError, HTTPException, ValueError) as error:
        reason = _words(error)
    raise SourceError(
        f"{source.name} was not downloaded: {reason}. Try again, or download {source.url} "
        "with another program and give the file to `streamtui tokens import`."
    )


def _words(error: Exception) -> str:
    if type(error) is URLError:  # not HTTPError, which says more than its reason
        error = error.reason if isinstance(error.reason, Exception) else error
    return getattr(error, "strerror", None) or str(error)


def _read(url: str, limit: float, answer: "Future[bytes]") -> None:
    request = Request(url, headers={"User-Agent": f"streamtui/{__version__}"})
    try:
        with build_opener().open(request, timeout=limit) as response:
            answer.set_result(response.read(MOST))
    except (OSError, HTTPException, ValueError) as error:
        answer.set_exception(error)
