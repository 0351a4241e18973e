"""The demo's replies: sections of the manual and a few examples."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from importlib import resources

from streamtui import manual

_SHOW = re.compile(r"<!-- show (\w+); (.*?) -->\n")
_WORD = re.compile(r"\w+")
_FILLER = frozenset(
    _WORD.findall(
        "a an and another can could demo demonstrate display example give how i in it kind language "
        "like let looks me of one or please print reply response see send short show simple some text "
        "the to try want with would write you"
    )
)
_GREETINGS = frozenset(
    _WORD.findall("hello hi hey hallo hola bonjour tere ciao servus moin good morning evening day there")
)
_THANKS = frozenset(_WORD.findall("thanks thank thx cheers great nice cool ok okay very much"))
_HELP = frozenset(_WORD.findall("help what who are do does ask am able about list options commands"))
_EARLIER = re.compile(r"what (did|have) i (ask|say|said|asked)|(earlier|previous|last) (question|prompt)s?|we talk")


class Ending(Enum):
    """How the demo ends a reply."""

    COMPLETE = "complete"
    ERROR = "error"
    """With an error event in the middle of the stream."""
    BREAK = "break"
    """By closing the connection in the middle."""
    GARBAGE = "garbage"
    """It sends an HTML page in place of a stream."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the demo replies, and how."""

    text: str
    thinking: str = ""
    """How the answer was found; sent only where thinking is asked for."""
    thinks: bool = False
    """Whether the thinking is sent whatever the model."""
    speed: float = 1.0
    """Times the model's speed."""
    ending: Ending = Ending.COMPLETE
    status: int = 200
    """The HTTP status; other than 200 nothing is streamed."""


def answer(prompts: Sequence[str]) -> Answer:
    """Return the answer to the last of `prompts`, which are what the user wrote so far, first to last."""
    prompt = prompts[-1] if prompts else ""
    asked = [word for word in _WORD.findall(prompt.lower()) if word not in _FILLER]
    found = _failure(asked) or _showpiece(frozenset(asked)) or _talk(prompt, frozenset(asked), prompts)
    return found or _looked_up(prompt)


def continued(found: Answer, said: str) -> Answer:
    """Return what is left to say of `found` once `said` was, which may have broken off."""
    if not found.text.startswith(said):
        return replace(found, text=f"\n\n{found.text}", thinking="")
    rest = found.text[len(said) :]
    if found.ending is not Ending.COMPLETE:
        rest += " which keys help. One of them you have found: this is the same reply, and it has gone on."
    return Answer(rest, speed=found.speed)


def _failure(asked: list[str]) -> Answer | None:
    match asked:
        case ["error" | "errors"]:
            return Answer(_piece_of_text("an error event"), ending=Ending.ERROR)
        case ["error", code] if re.fullmatch(r"[45]\d\d", code):
            return Answer("", status=int(code))
        case ["break" | "broken" | "disconnect"]:
            return Answer(_piece_of_text("a lost connection"), ending=Ending.BREAK)
        case ["garbage"]:
            return Answer("", ending=Ending.GARBAGE)
    return None


def _piece_of_text(what: str) -> str:
    return (
        f"This reply ends in {what}, a few words from here. What you have read by then stays on the screen "
        "and in the session, with a sentence beside it that says what happened, and"
    )


def _showpiece(asked: frozenset[str]) -> Answer | None:
    for name, keywords, text in _showpieces():
        if asked and asked <= keywords:
            found = Answer(text, thinking=f"The user wants to see this: {name}. I have one ready.")
            if name == "slow":
                return replace(found, speed=0.12)
            if name == "thinking":
                return replace(found, thinking=_THINKING, thinks=True)
            return found
    return None


_THINKING = (
    "The user wants to see how thinking looks, so I work out something small: how long does a reply of "
    "1,200 tokens take at 60 tokens a second? 1,200 / 60 = 20 seconds. And how fast do people read? "
    "About 300 words a minute, that is five words a second; a word is about 1.4 tokens, so seven "
    "tokens a second. The reply is much faster than the reader."
)


_WHO = (
    "I am streamtui's built-in demo, and there is no model behind me: I answer questions about streamtui "
    "from its manual, and show how replies look."
)


@cache
def _showpieces() -> tuple[tuple[str, frozenset[str], str], ...]:
    source = resources.files("streamtui.providers.demo").joinpath("demo.md").read_text(encoding="utf-8")
    _, *parts = _SHOW.split(source)
    pieces = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return tuple((name, frozenset(words.split()), manual.fill_in(text).strip()) for name, words, text in pieces)


def _talk(prompt: str, asked: frozenset[str], prompts: Sequence[str]) -> Answer | None:
    if _EARLIER.search(prompt.lower()):
        return Answer(_earlier(prompts[:-1]), thinking="The user asks about this conversation. It is in the request.")
    if asked & _GREETINGS and asked <= _GREETINGS | _HELP:
        return Answer(f"Hello! {_introduction()}", thinking="The user greets me. I say what I am and can do.")
    if asked and asked <= _THANKS:
        return Answer("You are welcome. Ask for `help` to see what else I can show.", thinking="The user is pleased.")
    if asked <= _HELP:
        return Answer(_all_i_know(), thinking="The user wants to know what can be asked.")
    return None


def _earlier(prompts: Sequence[str]) -> str:
    if not prompts:
        return "This is your first prompt in this session, so there is nothing before it."
    listed = "\n".join(f"{number}. {' '.join(text.split())[:200]}" for number, text in enumerate(prompts, 1))
    return f"Every request carries the conversation so far. Before this prompt you wrote:\n\n{listed}"


def _looked_up(prompt: str) -> Answer:
    section = manual.search(prompt)
    if section is None:
        thinking = "This is not in the manual. I say so, and what can be asked."
        return Answer(f"I can't answer that. {_introduction()}", thinking=thinking)
    thinking = f"The user asks about streamtui. The section of the manual that fits best: {section.title}."
    return Answer(f"## {section.title}\n\n{section.text}", thinking=thinking)


def _introduction() -> str:
    return f"""{_WHO}

Ask me, for instance:

- How do I connect to Ollama? To OpenAI?
- How do I switch the model?
- Where are my sessions?
- Which keys are there?

Or ask for a `table`, `code`, a `long` or a `slow` reply, the `showcase`, `thinking`, or an `error`. \
`help` lists all I know."""


def _all_i_know() -> str:
    topics = "\n".join(f"- {section.title}" for section in manual.sections())
    return f"""{_WHO}

The manual has these sections; any question about them will do:

{topics}

To see how replies look, ask for one of these:

- `table`, `code`, `showcase`: Markdown of every kind
- `long`, `slow`, `thinking`: replies to scroll, to stop, to watch
- `error`, `error 401`, `error 429`, `error 500`: what failures look like
- `break`, `garbage`: a stream that breaks off, and a reply that is none
- `what did I ask before?`: the conversation goes with every prompt

To chat with a real model, set `OPENAI_API_KEY` or start with `--base-url`."""
