"""The conversation engine, without a UI: requests, retries, continuations and the context window."""

from streamtui.conversation.conversation import Conversation
from streamtui.conversation.retries import Backoff

__all__ = ["Backoff", "Conversation"]
