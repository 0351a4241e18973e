"""Changes: what is done to saved sessions from the list, and the way back."""

from collections.abc import Callable, Sequence

from streamtui.core.sanitize import clean_line
from streamtui.core.session import SessionSummary
from streamtui.storage import Store

Sessions = Sequence[SessionSummary]


class Changes:
    """Changes sessions in the store. Every method returns a sentence about what it did."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.titles: dict[str, str] = {}
        """New titles of sessions, by id."""
        self.removed: set[str] = set()
        """Ids of sessions that are in the trash now, or deleted."""
        self._back: list[tuple[str, Callable[[], None]]] = []
        """What holds again once a change is taken back, and how that is done; the last change last."""

    @property
    def can_undo(self) -> bool:
        """Whether something was done that can be taken back."""
        return bool(self._back)

    def rename(self, session: SessionSummary, title: str) -> str:
        """Gives a session another title; nothing happens without one, or with the same."""
        title = clean_line(title)
        if not title or title == session.title:
            return ""
        self._rename(session.id, title)
        again = f"Called {named([session])} again"
        return self._done("Renamed", again, lambda: self._rename(session.id, session.title))

    def _rename(self, session_id: str, title: str) -> None:
        self.titles[session_id] = title
        self._store.rename(session_id, title)

    def pin(self, sessions: Sessions) -> str:
        """Pins them; where all are pinned, no longer."""
        before = [session.pinned for session in sessions]
        return self._switch(sessions, before, self._store.set_pinned, ("Pinned", "No longer pinned"))

    def archive(self, sessions: Sessions) -> str:
        """Archives them; where all are archived, takes them back."""
        before = [session.archived for session in sessions]
        return self._switch(sessions, before, self._store.set_archived, ("In the archive", "Back from the archive"))

    def _switch(
        self, sessions: Sessions, before: list[bool], set_flag: Callable[[str, bool], None], done: tuple[str, str]
    ) -> str:
        flag = not all(before)

        def undo() -> None:
            for session, was in zip(sessions, before, strict=True):
                set_flag(session.id, was)

        for session in sessions:
            set_flag(session.id, flag)
        mixed = flag and any(before)
        again = "As they were before" if mixed else done[flag] if flag else f"{done[flag]} again"
        return self._done(f"{done[not flag]}: {named(sessions)}", f"{again}: {named(sessions)}", undo)

    def trash(self, sessions: Sessions) -> str:
        """Moves them to the trash."""
        self._trash(sessions)
        again = f"Back from the trash: {named(sessions)}"
        return self._done(f"In the trash: {named(sessions)}", again, lambda: self._restore(sessions))

    def restore(self, sessions: Sessions) -> str:
        """Takes them out of the trash."""
        self._restore(sessions)
        again = f"In the trash again: {named(sessions)}"
        return self._done(f"Back from the trash: {named(sessions)}", again, lambda: self._trash(sessions))

    def delete(self, sessions: Sessions) -> str:
        """Deletes them for good: there is no way back, not to what was done to them before either."""
        for session in sessions:
            self._store.delete_session(session.id)
        self._back.clear()
        return f"Deleted for good: {named(sessions)}"

    def duplicated(self, session: SessionSummary, copy_id: str) -> str:
        """Notes that a copy was made."""
        again = f"In the trash: the copy of {named([session])}"
        return self._done(f"Copied: {named([session])}", again, lambda: self._store.trash(copy_id))

    def undo(self) -> str:
        """Takes back what was done last, and says what holds again; "" where there is nothing."""
        if not self._back:
            return ""
        again, back = self._back.pop()
        back()
        return again

    def _trash(self, sessions: Sessions) -> None:
        for session in sessions:
            self.removed.add(session.id)
            self._store.trash(session.id)

    def _restore(self, sessions: Sessions) -> None:
        for session in sessions:
            self.removed.discard(session.id)
            self._store.restore(session.id)

    def _done(self, what: str, again: str, back: Callable[[], None]) -> str:
        self._back.append((again, back))
        return what


def named(sessions: Sessions) -> str:
    """Returns what to call them in a sentence."""
    if len(sessions) == 1:
        return f"“{sessions[0].title or 'untitled'}”"
    return f"{len(sessions)} sessions"
