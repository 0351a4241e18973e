"""A session being talked to, without a screen: asking, asking again, going on, what is sent and what is not."""

from streamtui.conversation.conversation import Conversation
from streamtui.conversation.retries import Backoff

__all__ = ["Backoff", "Conversation"]
