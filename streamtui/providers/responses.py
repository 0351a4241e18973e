"""OpenAI's Responses API: encode requests, and decode events tolerating unexpected data."""

from typing import Any

from streamtui.core.message import Delta, FinishReason, Message, Role, Usage
from streamtui.core.models import reasons
from streamtui.providers.attachments import images_of, text_of
from streamtui.providers.base import ProviderError, Request
from streamtui.providers.error_bodies import error_in
from streamtui.providers.error_explainer import Explainer
from streamtui.providers.json_body import merge, put, put_parameters
from streamtui.providers.json_values import count, number, table, tables, text
from streamtui.providers.stream_assembler import StreamEvent, ToolCallDelta

PATH = "/responses"
PARAMETERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
}
"""What the API calls the parameters it has."""
_TEXT = {"response.output_text.delta", "response.refusal.delta"}
_REASONING = {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
_ARGUMENTS = {
    "response.function_call_arguments.delta", "response.custom_tool_call_input.delta",
    "response.mcp_call_arguments.delta",
}  # fmt: skip
_ENDS = {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
_CALLS = {"function_call", "custom_tool_call", "mcp_call"}
_INCOMPLETE = {"max_output_tokens": FinishReason.LENGTH, "content_filter": FinishReason.CONTENT_FILTER}


def encode(request: Request) -> dict[str, Any]:
    """Return the JSON body for ``/responses``. The server is asked not to keep the conversation.

    Replies without text are left out; reasoning and error texts are never sent. Raises ProviderError for an
    attachment that is neither an image nor text.
    """
    turns = [m for m in request.messages if m.text or m.role is not Role.ASSISTANT]
    body: dict[str, Any] = {
        "model": request.model,
        "input": [{"type": "message", "role": message.role.value, "content": _content(message)} for message in turns],
        "stream": request.stream,
        "store": False,
    }
    if request.system:
        body["instructions"] = request.system
    put_parameters(body, request.parameters, PARAMETERS)
    # A model's thinking is shown only if it is asked for; a model that does none refuses the field.
    effort = request.parameters.reasoning_effort
    if effort != "none" and (effort or reasons(request.model)):
        put(body, "reasoning.summary", "auto")
    return merge(body, request.parameters.extra)


def _content(message: Message) -> str | list[dict[str, Any]]:
    said, images = text_of(message), images_of(message)
    if message.role is Role.ASSISTANT:
        # llama.cpp takes a reply in no other form; vLLM insists on annotations.
        return [{"type": "output_text", "text": said, "annotations": []}]
    if not images:
        return said
    return [{"type": "input_text", "text": said}, *({"type": "input_image", "image_url": url} for url in images)]


def decode(data: object, explain: Explainer) -> Delta | StreamEvent | None:
    """Return what one event (or a whole response that was not streamed) holds; None if that is nothing.

    `data` is any parsed JSON: what is not of the shape expected is passed over. Raises ProviderError for an
    error. A response that failed holds the failure beside what came of it.
    """
    if not isinstance(data, dict):
        return None
    kind = text(data.get("type"))
    piece = text(data.get("delta"))
    if kind in _TEXT:
        return Delta(piece) if piece else None
    if kind in _REASONING:
        return Delta(reasoning=piece) if piece else None
    if kind in _ARGUMENTS:
        return (
            StreamEvent(calls=(ToolCallDelta(arguments=piece, **_place(data, text(data.get("item_id")))),))
            if piece
            else None
        )
    if kind in ("response.output_item.added", "response.output_item.done"):
        return _item(data, kind.endswith("done"))
    if kind == "response.reasoning_summary_part.added":
        return StreamEvent(opens="reasoning")
    if kind in _ENDS:
        return _whole(table(data.get("response")), kind.rpartition(".")[2], explain)
    if data.get("object") == "response":
        return _whole(data, text(data.get("status")), explain)
    error = error_in(data)
    if error is not None:
        raise explain.sent_error(error)
    return None


def _place(data: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Which item an event is about. Some servers give one item another id in every event, but never another place."""
    index = number(data.get("output_index"))
    return {"id": item_id} if index is None else {"index": index}


def _item(data: dict[str, Any], done: bool) -> StreamEvent | None:
    item = table(data.get("item"))
    kind = text(item.get("type"))
    if kind in _CALLS:
        return StreamEvent(calls=(_call(item, done, _place(data, text(item.get("id")))),))
    if kind == "message" and not done:
        return StreamEvent(opens="text")
    if kind == "reasoning" and not done:
        return StreamEvent(opens="reasoning")
    return None


def _call(item: dict[str, Any], done: bool, place: dict[str, Any]) -> ToolCallDelta:
    # An item that is only begun has no arguments yet, or (from some servers) those that its events repeat.
    arguments = text(item.get("arguments")) or text(item.get("input")) if done else ""
    free = text(item.get("type")) == "custom_tool_call"
    return ToolCallDelta(text(item.get("name")), arguments, free=free, complete=done, **place)


def _whole(response: dict[str, Any], status: str, explain: Explainer) -> StreamEvent | None:
    """What a response holds. Some servers send ``response.completed`` with one that says that it failed."""
    said = text(response.get("status"))
    status = said if said in ("incomplete", "failed", "cancelled") else status
    if status in ("queued", "in_progress"):
        return None
    items = tables(response.get("output"))
    places = [(place, item) for place, item in enumerate(items) if text(item.get("type")) in _CALLS]
    calls = tuple(_call(item, True, {"index": place}) for place, item in places)
    failure = _failure(response, status, explain)
    delta = Delta(
        "\n\n".join(filter(None, (_said(item) for item in items if item.get("type") == "message"))),
        "\n\n".join(filter(None, (_thought(item) for item in items if item.get("type") == "reasoning"))),
        _usage_of(response),
        None if failure else _finish_reason(response, status, bool(calls)),
        text(response.get("model")),
    )
    return StreamEvent(delta, calls, whole=True, failure=failure)


def _said(item: dict[str, Any]) -> str:
    return "".join(text(part.get("text")) + text(part.get("refusal")) for part in tables(item.get("content")))


def _thought(item: dict[str, Any]) -> str:
    return "\n\n".join(text(part.get("text")) for part in tables(item.get("summary")) or tables(item.get("content")))


def _failure(response: dict[str, Any], status: str, explain: Explainer) -> ProviderError | None:
    if response.get("error") or status == "failed":
        return explain.sent_error(response.get("error") or {})
    if status == "cancelled":
        return explain.aborted(status)
    if status == "incomplete" and _reason(response) not in _INCOMPLETE:
        return explain.aborted(_reason(response) or status)
    return None


def _reason(response: dict[str, Any]) -> str:
    return text(table(response.get("incomplete_details")).get("reason"))


def _finish_reason(response: dict[str, Any], status: str, calls: bool) -> FinishReason:
    if status == "incomplete":
        return _INCOMPLETE[_reason(response)]
    return FinishReason.TOOL_CALLS if calls else FinishReason.STOP


def _usage_of(response: dict[str, Any]) -> Usage | None:
    usage = table(response.get("usage"))
    found = Usage(
        prompt_tokens=count(usage.get("input_tokens")),
        completion_tokens=count(usage.get("output_tokens")),
        reasoning_tokens=count(table(usage.get("output_tokens_details")).get("reasoning_tokens")),
        cached_tokens=count(table(usage.get("input_tokens_details")).get("cached_tokens")),
    )
    return found if found.total_tokens else None
