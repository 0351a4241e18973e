"""The `rename`, `delete` and `restore` commands of `streamtui sessions`."""

import argparse
import sys

from streamtui.cli import EXIT_FAILED, EXIT_USAGE, SAVE_TIMEOUT, fail
from streamtui.core.sanitize import clean_line
from streamtui.core.session import Session
from streamtui.exporters.labels import UNTITLED
from streamtui.storage import Store, StoreError
from streamtui.storage.store import KEEP_TRASH


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the rename, delete and restore commands."""
    rename = commands.add_parser("rename", help="rename a session")
    rename.add_argument("id", metavar="ID", help="id or id prefix")
    rename.add_argument("title", nargs="+", metavar="TITLE", help="new title")
    rename.set_defaults(run=_rename)
    delete = commands.add_parser(
        "delete",
        help="delete sessions",
        description=f"Delete sessions. They can be restored for {KEEP_TRASH:.0f} days.",
    )
    delete.add_argument("ids", nargs="+", metavar="ID", help="id or id prefix")
    delete.add_argument("-y", "--yes", action="store_true", help="do not ask for confirmation")
    delete.set_defaults(run=_delete)
    restore = commands.add_parser("restore", help="restore deleted sessions")
    restore.add_argument("ids", nargs="+", metavar="DELETED-ID", help="id or id prefix of a deleted session")
    restore.set_defaults(run=_restore)


def save(store: Store) -> None:
    """Wait until all changes are on disk. Raises StoreError."""
    if not store.close(SAVE_TIMEOUT):
        raise StoreError(store.save_error)


def _rename(args: argparse.Namespace, store: Store) -> int:
    session = store.session(args.id).result()
    title = clean_line(" ".join(args.title))
    if not title:
        return fail("The title is empty.", EXIT_USAGE)
    store.rename(session.id, title)
    save(store)
    print(f"Renamed “{_title(session)}” to “{title}”")
    return 0


def _delete(args: argparse.Namespace, store: Store) -> int:
    sessions = _find(args.ids, store)
    if not args.yes:
        if not sys.stdin.isatty():
            return fail("Can't ask for confirmation without a terminal. Add --yes.", EXIT_USAGE)
        if not _confirm(sessions):
            print("Nothing was deleted.")
            return EXIT_FAILED
    for session in sessions:
        store.trash(session.id)
    save(store)
    for session in sessions:
        print(f"Deleted “{_title(session)}”. To restore it: streamtui sessions restore {session.id[:8]}")
    return 0


def _confirm(sessions: list[Session]) -> bool:
    for session in sessions:
        messages = f"{len(session.messages)} message{'' if len(session.messages) == 1 else 's'}"
        print(f"{session.id[:8]}  {messages:>14}  {_title(session)}")
    try:
        answer = input(f"Delete {'this session' if len(sessions) == 1 else f'these {len(sessions)} sessions'}? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _restore(args: argparse.Namespace, store: Store) -> int:
    sessions = _find(args.ids, store)
    for session in sessions:
        store.restore(session.id)
    save(store)
    for session in sessions:
        print(f"Restored “{_title(session)}”")
    return 0


def _find(ids: list[str], store: Store) -> list[Session]:
    """Return the sessions, each once. Raises StoreError if any does not exist."""
    found = {session.id: session for session in (store.session(id_).result() for id_ in ids)}
    return list(found.values())


def _title(session: Session) -> str:
    return clean_line(session.title) or UNTITLED
