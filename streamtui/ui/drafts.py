"""Save the unsent prompt of every session, and restore it."""

import asyncio
from typing import TYPE_CHECKING

from streamtui.core.message import Attachment
from streamtui.core.session import Session
from streamtui.storage import Draft

if TYPE_CHECKING:
    from streamtui.storage import Store
    from streamtui.ui.widgets.prompt import Prompt
    from streamtui.ui.widgets.prompt_queue import PromptQueue

EVERY = 0.5
"""Seconds between two saves while the prompt changes."""


class DraftKeeper:
    """Saves the prompt, with all queued prompts, as the draft of the session shown."""

    def __init__(self, prompt: "Prompt", queue: "PromptQueue", store: "Store") -> None:
        self._prompt = prompt
        self._queue = queue
        self._store = store
        self._session_id = ""
        """The session the draft belongs to; "" for one that is not saved yet."""
        self._is_restored = False
        """Whether the saved draft was read: nothing is saved over it before."""
        self.aside: tuple[str, tuple[Attachment, ...]] = ("", ())
        """The draft while an earlier prompt is edited in its place."""
        self.saved = Draft()

    def save(self, session: Session) -> None:
        """Save the draft if it has changed. It follows a new session that has just been saved."""
        if not self._is_restored:
            return
        session_id = _id_of(session)
        if session_id != self._session_id:
            self._save(Draft())
            self._session_id, self.saved = session_id, Draft()
        draft = self._written
        if draft != self.saved:
            self._save(draft)

    @property
    def _written(self) -> Draft:
        waiting, files = self._queue.combined
        text = "\n\n".join(filter(None, [waiting, self._prompt.text, self.aside[0]])).strip("\n")
        return Draft(text, (*files, *self._prompt.attachments, *self.aside[1]))

    def _save(self, draft: Draft) -> None:
        self.saved = draft
        self._store.save_draft(draft, self._session_id)

    def switch(self, before: Session, session: Session) -> bool:
        """Leave the draft with the session `before`. Return whether `session` has another one, to be restored."""
        if _id_of(before) == _id_of(session):
            return False
        if self._is_restored:  # else what is written was typed for the session that is being opened
            self.save(before)
            self._prompt.reset()
        self._session_id, self._is_restored, self.saved = _id_of(session), False, Draft()
        return True

    async def restore(self) -> bool:
        """Bring back the draft of the session. Return False if it went into the history, as the prompt is in use."""
        session_id = self._session_id
        try:
            draft = await asyncio.wrap_future(self._store.claim_draft(session_id))
        finally:
            if session_id == self._session_id:
                self._is_restored = True
        if draft is None or session_id != self._session_id:
            return True
        self.saved = draft
        is_free = not (self._prompt.text.strip() or self._prompt.attachments)
        if is_free:
            self._prompt.reset(draft.text, draft.attachments)
        else:
            self._prompt.add_to_history(draft.text, draft.attachments)
        return is_free


def _id_of(session: Session) -> str:
    return session.id if session.messages else ""
