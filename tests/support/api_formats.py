"""How the three APIs say the same things."""

import json
from dataclasses import dataclass

from streamtui.config import Api
from tests.support.raw_server import event

USAGE = {"prompt_tokens": 1, "completion_tokens": 2}


@dataclass(frozen=True)
class Speaker:
    """What a server says by `api`."""

    api: Api

    def piece(self, text: str) -> bytes:
        """Return the event that says `text`."""
        if self.api is Api.RESPONSES:
            return event({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "delta": text})
        return event({"choices": [self._choice(text, None)]})

    def end(self) -> bytes:
        """Return the event that ends a reply."""
        if self.api is Api.RESPONSES:
            response: dict[str, object] = {"object": "response", "status": "completed", "output": [], "usage": None}
            return event({"type": "response.completed", "response": response})
        return event({"choices": [self._choice("", "stop")]})

    def whole(self, text: str) -> bytes:
        """Return the body of a reply that is not streamed."""
        body: dict[str, object]
        if self.api is Api.RESPONSES:
            item = {"type": "message", "content": [{"type": "output_text", "text": text}]}
            usage = {"input_tokens": 1, "output_tokens": 2}
            body = {"object": "response", "status": "completed", "error": None, "output": [item], "usage": usage}
        elif self.api is Api.COMPLETIONS:
            body = {"choices": [self._choice(text, "stop")], "usage": USAGE}
        else:
            message = {"role": "assistant", "content": text}
            body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
        return json.dumps(body).encode()

    def _choice(self, text: str, finish_reason: str | None) -> dict[str, object]:
        said = {"text": text} if self.api is Api.COMPLETIONS else {"delta": {"content": text}}
        return {"index": 0, "finish_reason": finish_reason, **said}


SPEAKERS = [Speaker(api) for api in Api]
