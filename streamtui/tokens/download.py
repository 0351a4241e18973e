"""Download an encoding file within a strict time limit."""

from concurrent.futures import Future
from http.client import HTTPException
from threading import Thread
from urllib.error import URLError
from urllib.request import Request, build_opener

from streamtui import __version__
from streamtui.tokens.encoding_files import Source, SourceError

MOST = 64 * 1024 * 1024
"""Maximum bytes read; the largest file has 4 million."""


def download(source: Source, limit: float) -> bytes:
    """Return the file without checking its hash. Raise SourceError, after at most `limit` seconds.

    Uses the proxies of the environment.
    """
    answer: Future[bytes] = Future()
    # In a thread, because socket timeouts cover neither name resolution nor a server that sends a byte a second.
    # A daemon, so that the program doesn't wait for it.
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
    if type(error) is URLError:  # not HTTPError, whose text has more than its reason
        error = error.reason if isinstance(error.reason, Exception) else error
    return getattr(error, "strerror", None) or str(error)


def _read(url: str, limit: float, answer: "Future[bytes]") -> None:
    request = Request(url, headers={"User-Agent": f"streamtui/{__version__}"})
    try:
        with build_opener().open(request, timeout=limit) as response:
            answer.set_result(response.read(MOST))
    except (OSError, HTTPException, ValueError) as error:
        answer.set_exception(error)
