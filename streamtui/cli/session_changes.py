"""`streamtui sessions rename|delete|restore`: what changes saved sessions."""

import argparse
import sys

from streamtui.cli import EXIT_FAILED, EXIT_USAGE
from streamtui.cli.saving import save
from streamtui.core.sanitize import clean_line
from streamtui.core.session import Session
from streamtui.exporters.labels import UNTITLED
from streamtui.storage import Store
from streamtui.storage.store import KEEP_TRASH


def add_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds rename, delete and restore."""
    rename = verbs.add_parser("rename", help="give a session another title", description="Gives a session a title.")
    rename.add_argument("id", metavar="ID")
    rename.add_argument("title", nargs="+", metavar="TITLE")
    rename.set_defaults(run=_rename)
    delete = verbs.add_parser(
        "delete",
        help="delete sessions",
        description=f"Deletes sessions; for {KEEP_TRASH:.0f} days restore brings them back.",
    )
    delete.add_argument("ids", nargs="+", metavar="ID")
    delete.add_argument("-y", "--yes", action="store_true", help="without asking")
    delete.set_defaults(run=_delete)
    restore = verbs.add_parser(
        "restore", help="bring deleted sessions back", description="Brings deleted sessions back."
    )
    restore.add_argument("ids", nargs="+", metavar="DELETED-ID")
    restore.set_defaults(run=_restore)


def _rename(asked: argparse.Namespace, store: Store) -> int:
    session = store.session(asked.id).result()
    title = clean_line(" ".join(asked.title))
    if not title:
        print("streamtui: A title needs at least one letter.", file=sys.stderr)
        return EXIT_USAGE
    store.rename(session.id, title)
    save(store)
    print(f"“{_title(session)}” is now “{title}”.")
    return 0


def _delete(asked: argparse.Namespace, store: Store) -> int:
    sessions = _named(asked.ids, store)
    if not asked.yes:
        if not sys.stdin.isatty():
            print("streamtui: There is no terminal to ask on; add --yes to delete without asking.", file=sys.stderr)
            return EXIT_USAGE
        if not _agrees(sessions):
            print("Nothing was deleted.")
            return EXIT_FAILED
    for session in sessions:
        store.trash(session.id)
    save(store)
    for session in sessions:
        print(f"Deleted “{_title(session)}”; streamtui sessions restore {session.id[:8]} brings it back.")
    return 0


def _agrees(sessions: list[Session]) -> bool:
    for session in sessions:
        print(f"{session.id[:8]}  {len(session.messages):>5} messages  {_title(session)}")
    try:
        answer = input(f"Delete {'this session' if len(sessions) == 1 else f'these {len(sessions)} sessions'}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _restore(asked: argparse.Namespace, store: Store) -> int:
    sessions = _named(asked.ids, store)
    for session in sessions:
        store.restore(session.id)
    save(store)
    for session in sessions:
        print(f"“{_title(session)}” is back.")
    return 0


def _named(ids: list[str], store: Store) -> list[Session]:
    """All of them or, where one can't be found, none. Raises StoreError."""
    found = {session.id: session for session in (store.session(id_).result() for id_ in ids)}
    return list(found.values())


def _title(session: Session) -> str:
    return clean_line(session.title) or UNTITLED
