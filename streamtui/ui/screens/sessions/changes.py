"""Changes to saved sessions that can be undone."""

from collections.abc import Callable, Sequence

from streamtui.core.sanitize import clean_line
from streamtui.core.session import SessionSummary
from streamtui.storage import Store

Sessions = Sequence[SessionSummary]


class Changes:
    """Changes sessions in the store. Every method returns a description of what it did."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.titles: dict[str, str] = {}
        """New titles by session id."""
        self.removed: set[str] = set()
        """Ids of sessions moved to the trash or deleted."""
        self._undo: list[tuple[str, Callable[[], None]]] = []
        """The description of each change and what undoes it, oldest first."""

    @property
    def can_undo(self) -> bool:
        """True if there is a change to undo."""
        return bool(self._undo)

    def rename(self, session: SessionSummary, title: str) -> str:
        """Set the title of a session. Return "" if `title` is empty or unchanged."""
        title = clean_line(title)
        if not title or title == session.title:
            return ""
        self._rename(session.id, title)
        return self._done(f"Renamed {quoted([session])}", lambda: self._rename(session.id, session.title))

    def _rename(self, session_id: str, title: str) -> None:
        self.titles[session_id] = title
        self._store.rename(session_id, title)

    def pin(self, sessions: Sessions) -> str:
        """Pin the sessions, or unpin them if all are pinned."""
        before = [session.pinned for session in sessions]
        return self._switch(sessions, before, self._store.set_pinned, ("Unpinned", "Pinned"))

    def archive(self, sessions: Sessions) -> str:
        """Archive the sessions, or unarchive them if all are archived."""
        before = [session.archived for session in sessions]
        return self._switch(sessions, before, self._store.set_archived, ("Unarchived", "Archived"))

    def _switch(
        self, sessions: Sessions, before: list[bool], set_flag: Callable[[str, bool], None], verbs: tuple[str, str]
    ) -> str:
        def undo() -> None:
            for session, was in zip(sessions, before, strict=True):
                set_flag(session.id, was)

        flag = not all(before)
        for session in sessions:
            set_flag(session.id, flag)
        return self._done(f"{verbs[flag]} {quoted(sessions)}", undo)

    def trash(self, sessions: Sessions) -> str:
        """Move the sessions to the trash."""
        self._trash(sessions)
        return self._done(f"Moved {quoted(sessions)} to the trash", lambda: self._restore(sessions))

    def restore(self, sessions: Sessions) -> str:
        """Restore the sessions from the trash."""
        self._restore(sessions)
        return self._done(f"Restored {quoted(sessions)} from the trash", lambda: self._trash(sessions))

    def delete(self, sessions: Sessions) -> str:
        """Delete the sessions permanently and forget earlier changes, which may be about them."""
        for session in sessions:
            self._store.delete_session(session.id)
        self._undo.clear()
        return f"Deleted {quoted(sessions)} permanently"

    def duplicated(self, session: SessionSummary, copy_id: str) -> str:
        """Record that `session` was copied; undoing this moves the copy to the trash."""
        return self._done(f"Duplicated {quoted([session])}", lambda: self._store.trash(copy_id))

    def undo(self) -> str:
        """Undo the last change. Return "" if there is none."""
        if not self._undo:
            return ""
        change, undo = self._undo.pop()
        undo()
        return f"Undone: {change[0].lower()}{change[1:]}"

    def _trash(self, sessions: Sessions) -> None:
        for session in sessions:
            self.removed.add(session.id)
            self._store.trash(session.id)

    def _restore(self, sessions: Sessions) -> None:
        for session in sessions:
            self.removed.discard(session.id)
            self._store.restore(session.id)

    def _done(self, change: str, undo: Callable[[], None]) -> str:
        self._undo.append((change, undo))
        return change


def quoted(sessions: Sessions) -> str:
    """Return the quoted title of a single session, or how many there are."""
    if len(sessions) == 1:
        return f"“{sessions[0].title or 'untitled'}”"
    return f"{len(sessions)} sessions"
