"""Title: a model gives a session its title, unless the user does."""

import asyncio

from streamtui.conversation.conversation import Conversation
from streamtui.conversation.side_requests import title_in, title_prompt
from streamtui.core.message import FinishReason, Role
from streamtui.core.session import Session, title_from
from streamtui.providers.base import ProviderError
from streamtui.storage import StoreError


def wants_title(session: Session) -> bool:
    """Whether the session has its first reply, and still the title that was made of its first prompt."""
    path, replies = session.path(), [m for m in session.messages.values() if m.role is Role.ASSISTANT]
    answered = len(replies) == 1 and bool(replies[0].text) and replies[0].finish_reason is FinishReason.STOP
    return answered and session.title == title_from(path[0].text)


async def give_title(conversation: Conversation, model: str) -> None:
    """Lets `model` find a title for the session, from what was said until now.

    The one that is there stays if the user changes it meanwhile, here or in another window, and if the model fails:
    a title is worth no message.
    """
    session, store, title = conversation.session, conversation.store, conversation.session.title
    try:
        text, _ = await conversation.complete_once(model, title_prompt(session.path()))
        saved = await asyncio.wrap_future(store.session(session.id))
    except (ProviderError, StoreError):
        return
    found = title_in(text)
    if found and session.title == saved.title == title:
        session.title = found
        store.rename(session.id, found)
