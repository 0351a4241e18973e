"""Decode the result of ``/moderations``."""

import json

from streamtui.core.sanitize import clean_line
from streamtui.providers.error_bodies import error_in
from streamtui.providers.error_explainer import Explainer


def flags_in(body: str, explain: Explainer) -> tuple[str, ...]:
    """Return the categories flagged in `body`: "something" if flagged without a category, () if not flagged.

    Raise ProviderError for an invalid result: a text must not pass because its result could not be read.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise explain.invalid_response() from None
    if (error := error_in(data)) is not None:
        raise explain.sent_error(error)
    results = data.get("results") if isinstance(data, dict) else None
    verdicts = [result for result in results if isinstance(result, dict)] if isinstance(results, list) else []
    if not verdicts or not all(isinstance(verdict.get("flagged"), bool) for verdict in verdicts):
        raise explain.invalid_response()
    flagged = [verdict for verdict in verdicts if verdict["flagged"]]
    names = [name for verdict in flagged for name in _categories(verdict.get("categories"))]
    return tuple(dict.fromkeys(names)) or (("something",) if flagged else ())


def _categories(categories: object) -> list[str]:
    if not isinstance(categories, dict):
        return []
    return [clean_line(str(name)) for name, hit in categories.items() if hit is True]
