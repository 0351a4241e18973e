"""Parameter compatibility: drop or rename the fields of a request that a server rejects."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from streamtui.core.message import Delta
from streamtui.core.sanitize import clean_line
from streamtui.providers.error_bodies import MAX_MESSAGE
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.json_body import Body, names_in, put, take
from streamtui.providers.json_values import table, text

_NEVER = {"model", "messages", "input", "prompt", "instructions", "stream"}
"""Required fields, which are never dropped."""
_ALTERNATIVES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_PARAMETER_NAMES = {
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "reasoning.effort": "reasoning_effort",
}
"""Names of parameters, by field."""
_ALIASES = {"reasoning_effort": ("think", "thinking"), "reasoning.effort": ("reasoning_effort", "think", "thinking")}
"""Other names that servers use for a field. Ollama: `"gemma" does not support thinking`."""
_UNSUPPORTED = re.compile(
    r"unsupported|not support|n't support|not (be )?(permitted|allowed|recogni[sz]ed|accepted|available|implemented)"
    r"|unrecogni[sz]ed|unknown|unexpected|extra_forbidden|extra (inputs|fields)|deprecated|only be |cannot both",
    re.IGNORECASE,
)
# A value out of range is the user's mistake: dropping the field would hide it.
_OUT_OF_RANGE = re.compile(
    r"at (most|least)|(less|greater) than|between|maximum|minimum|range|too (large|small|high|low|long)|exceed",
    re.IGNORECASE,
)
_ONLY_THIS_VALUE = re.compile(r"supported values|cannot both", re.IGNORECASE)
"""Errors about one value, or about two fields together: another value may be accepted."""
_MAX_DEPTH = 6
_MAX_TEXTS = 100
"""Strings of a response that are examined."""
MAX_CHANGES = 6
"""Changes made to one request at most."""


@dataclass(frozen=True, slots=True)
class RejectedField:
    """A field that a server rejects."""

    field: str
    lasting: bool
    """True if it rejects every value."""


def rejected_field(response: str, body: Body) -> RejectedField | None:
    """Return the field of `body` that the server rejects in `response` (a body with status 400 or 422), if any.

    Understands OpenAI's ``param``, the ``loc`` of FastAPI and Mistral, and plain sentences that name a field. Never
    returns a required field, nor one whose value is merely out of range.
    """
    try:
        data = json.loads(response)
    except (ValueError, RecursionError):
        data = response
    words = " ".join(text[:MAX_MESSAGE] for text in islice(_texts_in(data), _MAX_TEXTS))
    if not _UNSUPPORTED.search(words) or _OUT_OF_RANGE.search(words):
        return None
    names = [name for name in names_in(body) if name.partition(".")[0] not in _NEVER]
    pointed = [name.removeprefix("body.") for name in _pointed_at(data)]
    if any(re.split(r"[.\[]", name)[0] in _NEVER for name in pointed):
        return None
    found = next((name for name in pointed if name in names), "") or _first_in(words, names)
    return RejectedField(found, not _ONLY_THIS_VALUE.search(words)) if found else None


def _texts_in(data: object, depth: int = _MAX_DEPTH) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif depth and isinstance(data, list | dict):
        for item in data.values() if isinstance(data, dict) else data:
            yield from _texts_in(item, depth - 1)


def _pointed_at(data: object, depth: int = _MAX_DEPTH) -> Iterator[str]:
    """Yield the dotted names of the fields in ``param`` and ``loc``."""
    if not depth or not isinstance(data, list | dict):
        return
    if name := text(table(data).get("param")):
        yield name
    loc = table(data).get("loc")
    if isinstance(loc, list):
        yield ".".join(str(part) for part in loc)
    for item in data.values() if isinstance(data, dict) else data:
        yield from _pointed_at(item, depth - 1)


def _first_in(words: str, names: list[str]) -> str:
    """Return the one of `names` that occurs first in `words`; of several at one place, the longest."""
    found = [(match.start(), -len(name), name) for name in names if (match := _pattern(name).search(words))]
    return min(found)[2] if found else ""


def _pattern(name: str) -> re.Pattern[str]:
    # xAI says presencePenalty for presence_penalty.
    spelled = (re.escape(word).replace("_", "_?") for word in (name, *_ALIASES.get(name, ())))
    return re.compile(rf"(?<!\w)(?:{'|'.join(spelled)})(?!\w)", re.IGNORECASE)


class RequestAdapter:
    """The body of one request, adapted to what its server accepts."""

    def __init__(self, body: Body, known: Mapping[str, str], explain: Explainer) -> None:
        """`known`: fields known to be rejected, as in `Delta.adapted`."""
        self.body = body
        self._explain = explain
        self._left = MAX_CHANGES
        self._first_names: dict[str, str] = {}
        """Original names of renamed fields."""
        for name, other in known.items():
            self._change(name, other)

    def adapt(self, response: str) -> Delta | None:
        """Change the body as the server's error `response` requires; return a notice for the user.

        Return None if it names no field that can be changed. A field is renamed at most once, then dropped.
        """
        rejected = rejected_field(response, self.body) if self._left else None
        if rejected is None:
            return None
        self._left -= 1
        name = rejected.field
        first = self._first_names.get(name, name)
        other = _ALTERNATIVES.get(name, "") if name == first else ""
        if other in self.body:
            other = ""
        value = self._change(name, other)
        notice = self._renamed(name, other) if other else self._left_out(first, value)
        return Delta(notice=notice, adapted={first: other} if rejected.lasting else None)

    def _change(self, name: str, other: str) -> object:
        if name not in names_in(self.body):
            return None
        value = take(self.body, name)
        if other:
            put(self.body, other, value)
            self._first_names[other] = name
        return value

    def _renamed(self, name: str, other: str) -> str:
        return f"{self._explain.name} expects {other} instead of {name}. Retried with that name."

    def _left_out(self, name: str, value: object) -> str:
        said = clean_line(_PARAMETER_NAMES.get(name, name))
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            said += f" {clean_line(str(value))[:40]}"
        return f"{self._explain.name} doesn't support {said} for {self._explain.model_name}. Retried without it."
