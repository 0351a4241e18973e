"""Adapting: a body without the fields that a server refuses."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from streamtui.core.message import Delta
from streamtui.core.sanitize import clean_line
from streamtui.providers.error_bodies import WORDS_READ
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.json_body import Body, names_in, put, take
from streamtui.providers.json_values import table, text

_NEVER = {"model", "messages", "input", "prompt", "instructions", "stream"}
"""What a request is nothing without."""
_OTHER_NAMES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_SAID_OF = {
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "reasoning.effort": "reasoning_effort",
}
"""What the user calls a field."""
_ALSO = {"reasoning_effort": ("think", "thinking"), "reasoning.effort": ("reasoning_effort", "think", "thinking")}
"""What servers call a field beside its own name. Ollama: `"gemma" does not support thinking`."""
_UNKNOWN = re.compile(
    r"unsupported|not support|n't support|not (be )?(permitted|allowed|recogni[sz]ed|accepted|available|implemented)"
    r"|unrecogni[sz]ed|unknown|unexpected|extra_forbidden|extra (inputs|fields)|deprecated|only be |cannot both",
    re.IGNORECASE,
)
# A value out of range is a mistake to be told of, not to be passed over.
_MISTAKE = re.compile(
    r"at (most|least)|(less|greater) than|between|maximum|minimum|range|too (large|small|high|low|long)|exceed",
    re.IGNORECASE,
)
_ONLY_THIS_VALUE = re.compile(r"supported values|cannot both", re.IGNORECASE)
"""What is said of a value, or of two fields together: another value may do the next time."""
_DEEPEST = 6
_MOST_TEXTS = 100
"""Texts of an answer that are looked at."""
ROUNDS = 6
"""How often one request is changed at most."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server says that it does not take."""

    field: str
    lasting: bool
    """Whether it takes no other value either."""


def refusal_in(answer: str, body: Body) -> Refusal | None:
    """Returns which field of `body` the server's `answer` (a body with status 400 or 422) refuses; None for none.

    Knows OpenAI's ``param``, the ``loc`` of FastAPI and Mistral, and plain sentences that name a field. A field
    without which nothing could be asked is never named, nor one whose value is merely out of range.
    """
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError):
        data = answer
    words = " ".join(text[:WORDS_READ] for text in islice(_texts_in(data), _MOST_TEXTS))
    if not _UNKNOWN.search(words) or _MISTAKE.search(words):
        return None
    names = [name for name in names_in(body) if name.partition(".")[0] not in _NEVER]
    pointed = [name.removeprefix("body.") for name in _pointed_at(data)]
    if any(re.split(r"[.\[]", name)[0] in _NEVER for name in pointed):
        return None
    found = next((name for name in pointed if name in names), "") or _first_in(words, names)
    return Refusal(found, not _ONLY_THIS_VALUE.search(words)) if found else None


def _texts_in(data: object, depth: int = _DEEPEST) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif depth and isinstance(data, list | dict):
        for item in data.values() if isinstance(data, dict) else data:
            yield from _texts_in(item, depth - 1)


def _pointed_at(data: object, depth: int = _DEEPEST) -> Iterator[str]:
    """Yields the fields that ``param`` and ``loc`` name, with dots."""
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
    """Returns which of `names` is named first in `words`, the longest where two begin there."""
    found = [(match.start(), -len(name), name) for name in names if (match := _pattern(name).search(words))]
    return min(found)[2] if found else ""


def _pattern(name: str) -> re.Pattern[str]:
    # xAI says presencePenalty for presence_penalty.
    spelled = (re.escape(word).replace("_", "_?") for word in (name, *_ALSO.get(name, ())))
    return re.compile(rf"(?<!\w)(?:{'|'.join(spelled)})(?!\w)", re.IGNORECASE)


class RequestAdapter:
    """The body of one request, changed for its server."""

    def __init__(self, body: Body, known: Mapping[str, str], explain: Explainer) -> None:
        """`known`: fields that are known to be refused, as in `Delta.adapted`."""
        self.body = body
        self._explain = explain
        self._left = ROUNDS
        self._first_names: dict[str, str] = {}
        """Names that fields had before they were renamed."""
        for name, other in known.items():
            self._change(name, other)

    def answer(self, refusal: str) -> Delta | None:
        """Changes the body as the server's answer `refusal` wants it; returns the notice that says how.

        Returns None where it names no field that can be changed. A field is renamed once and left out once.
        """
        refused = refusal_in(refusal, self.body) if self._left else None
        if refused is None:
            return None
        self._left -= 1
        name = refused.field
        first = self._first_names.get(name, name)
        other = _OTHER_NAMES.get(name, "") if name == first else ""
        if other in self.body:
            other = ""
        value = self._change(name, other)
        notice = self._renamed(name, other) if other else self._left_out(first, value)
        return Delta(notice=notice, adapted={first: other} if refused.lasting else None)

    def _change(self, name: str, other: str) -> object:
        if name not in names_in(self.body):
            return None
        value = take(self.body, name)
        if other:
            put(self.body, other, value)
            self._first_names[other] = name
        return value

    def _renamed(self, name: str, other: str) -> str:
        return f"{self._explain.name} wants {other} in place of {name}: asked again with that name."

    def _left_out(self, name: str, value: object) -> str:
        said = clean_line(_SAID_OF.get(name, name))
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            said += f" {clean_line(str(value))[:40]}"
        return f"{self._explain.name} does not take {said} for {self._explain.model_name}: asked again without it."
