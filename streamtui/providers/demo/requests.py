"""Requests to the demo, by each of the three APIs."""

import re
from typing import Any, NamedTuple

from streamtui.providers.base import CONTINUE_PROMPT
from streamtui.providers.demo.answers import Answer
from streamtui.providers.demo.events import ChatEncoder, CompletionsEncoder, EventEncoder, Reply, ResponsesEncoder

SPEEDS = {"demo-1": 60.0, "demo-fast": 400.0, "demo-slow": 8.0, "demo-thinking": 60.0}
"""Tokens a second of every model."""
_TOKEN = re.compile(r"\s*\S{1,5}|\s+")
_SEAM = re.compile(r"(?<=[.!?`])(?=[A-Za-z])")


class Refusal(NamedTuple):
    """An error response to a request."""

    status: int
    words: str
    code: str
    param: str | None = None


def _text_of(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return str(content)


class ChatRequest:
    """A Chat Completions request."""

    speech: type[EventEncoder] = ChatEncoder
    limits: tuple[str, ...] = ("max_completion_tokens", "max_tokens")

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.model: str = body["model"]

    def messages(self) -> list[tuple[str, str]]:
        """Return the role and text of each message."""
        return [(message["role"], _text_of(message["content"])) for message in self.body["messages"]]

    def prompts(self) -> list[str]:
        """What the user wrote, first to last."""
        return [text for role, text in self.messages() if role == "user" and text != CONTINUE_PROMPT]

    def cut(self) -> str:
        """The reply that is to be continued; empty for a new one."""
        *_, (role, text), last = [("", ""), *self.messages()]
        return text if role == "assistant" and last == ("user", CONTINUE_PROMPT) else ""

    def refusal(self) -> Refusal | None:
        """What is wrong with the request, if anything is."""
        if self.model not in SPEEDS:
            return Refusal(404, f"The model `{self.model}` does not exist.", "model_not_found")
        heat = self.body.get("temperature")
        if isinstance(heat, int | float) and heat > 2:
            words = f"Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got {heat}."
            return Refusal(400, words, "decimal_above_max_value", "temperature")
        if heat not in (None, 1) and self.model == "demo-thinking":
            words = (
                f"Unsupported value: 'temperature' does not support {heat} with this model. "
                "Only the default (1) value is supported."
            )
            return Refusal(400, words, "unsupported_value", "temperature")
        return None

    def reply(self, found: Answer) -> Reply:
        """What there is to say, as far as the request lets it."""
        thinks = found.thinks or self.model == "demo-thinking"
        thinking = _TOKEN.findall(found.thinking) if thinks else []
        text = _TOKEN.findall(found.text)
        limit = next((self.body[name] for name in self.limits if name in self.body), len(thinking) + len(text))
        asked = sum(4 + len(said) // 4 for _, said in self.messages())
        with_usage = (self.body.get("stream_options") or {}).get("include_usage", False)
        cut = limit < len(thinking) + len(text)
        left = max(0, limit - len(thinking))
        return Reply(self.model, thinking[:limit], text[:left], asked, cut, found.ending, with_usage)


class CompletionsRequest(ChatRequest):
    """A legacy Completions request."""

    speech = CompletionsEncoder

    def messages(self) -> list[tuple[str, str]]:
        """The text, as if the user had said all of it."""
        return [("user", str(self.body["prompt"]))]

    def prompts(self) -> list[str]:
        """The prompt used last is what follows the last reply: a line of its own, or behind the end of a sentence."""
        last = str(self.body["prompt"]).rstrip().rpartition("\n")[2]
        return [_SEAM.split(last)[-1]]


class ResponsesRequest(ChatRequest):
    """A Responses request."""

    speech = ResponsesEncoder
    limits: tuple[str, ...] = ("max_output_tokens",)

    def messages(self) -> list[tuple[str, str]]:
        """Return the role and text of each message."""
        said = self.body["input"]
        if isinstance(said, str):
            return [("user", said)]
        return [(item.get("role", ""), _text_of(item.get("content", ""))) for item in said]


REQUESTS = {"/chat/completions": ChatRequest, "/completions": CompletionsRequest, "/responses": ResponsesRequest}
