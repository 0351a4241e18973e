"""DraftKeeper: what is written and not sent, files included, is there again at the next start."""

import asyncio
from typing import TYPE_CHECKING

from streamtui.message import Attachment
from streamtui.store import Draft

if TYPE_CHECKING:
    from streamtui.store import Store
    from streamtui.ui.prompt import Prompt
    from streamtui.ui.queue import PromptQueue

EVERY = 0.5
"""Seconds between looks at what is written."""


class DraftKeeper:
    """Saves the prompt with all that waits for its turn; every window has a draft of its own."""

    def __init__(self, prompt: "Prompt", queue: "PromptQueue", store: "Store") -> None:
        self._prompt = prompt
        self._queue = queue
        self._store = store
        self.aside: tuple[str, tuple[Attachment, ...]] = ("", ())
        """What is put aside while something else is in the prompt."""
        self.saved = Draft()
        """What is kept."""

    def save(self) -> None:
        """Keeps what is written now, if that is not kept already."""
        waiting, files = self._queue.whole
        text = "\n\n".join(filter(None, [waiting, self._prompt.text, self.aside[0]])).strip("\n")
        draft = Draft(text, (*files, *self._prompt.attachments, *self.aside[1]))
        if draft != self.saved:
            self.saved = draft
            self._store.save_draft(draft)

    async def restore(self) -> bool:
        """Puts back what was written last in a window that has ended. Returns False if that had to go elsewhere.

        Where something is written by now it goes into the history, to be called up from there.
        """
        draft = await asyncio.wrap_future(self._store.take_draft())
        if draft is None:
            return True
        self.saved = draft
        written = self._prompt.text.strip() or self._prompt.attachments
        if not written:
            self._prompt.reset(draft.text, draft.attachments)
        else:
            self._prompt.remember(draft.text, draft.attachments)
        return not written
