"""The text of an empty conversation."""

from streamtui.config import Endpoint
from streamtui.core.styled_text import Run


def greeting(endpoint: Endpoint) -> list[list[Run]]:
    """Return the text of an empty conversation with `endpoint`."""
    if endpoint.demo:
        lines = ["The demo: no model, no network.", "It answers from streamtui's manual.", "", "Ask it"]
        asks = ["hello", "showcase", "show me code", "thinking", "How do I connect to Ollama?"]
    else:
        lines, asks = [f"A new conversation with {endpoint.name}."], []
    text: list[list[Run]] = [[("streamtui", "assistant")], []]
    text += [[(line, "faint")] for line in lines]
    return text + [[("  › ", "bullet"), (ask, "")] for ask in asks]
