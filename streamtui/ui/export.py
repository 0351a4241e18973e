"""Export sessions from the app: ask for a destination, write in a thread, report."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from textual.screen import Screen

from streamtui.core.session import Session
from streamtui.core.transfer_error import TransferError
from streamtui.exporters.export_files import free_file, json_parts, save, write_export, write_folder
from streamtui.exporters.formats import Format
from streamtui.exporters.theme_colors import Colors, complete
from streamtui.storage import Store, StoreError
from streamtui.ui.dialogs.export_dialog import Destination, ExportDialog


async def export_one(screen: Screen[Any], session: Session) -> None:
    """Ask how to export `session`, as it is now, and export it. Await it in a worker."""
    # A reply may add to the session meanwhile.
    snapshot = replace(session, messages=dict(session.messages))
    proposed = partial(free_file, Path(), snapshot)
    branches = bool(snapshot.variants())
    wanted = await screen.app.push_screen_wait(ExportDialog("this session", proposed, branches=branches))
    if wanted is not None:
        colours = colours_of(screen)
        write = partial(write_export, snapshot, wanted.path, wanted.format, tree=wanted.tree, colors=colours)
        await _do(screen, write, f"Exported to {wanted.path.absolute()}")


async def export_many(screen: Screen[Any], store: Store, ids: Sequence[str]) -> None:
    """Ask how to export the saved sessions with `ids`, and export them. Await it in a worker."""
    what = f"{len(ids):,} sessions"
    wanted = await screen.app.push_screen_wait(ExportDialog(what, _folder, branches=True))
    if wanted is not None:
        write = partial(_write_many, store, list(ids), wanted, colours_of(screen))
        await _do(screen, write, f"Exported {what} to {wanted.path.absolute()}")


def colours_of(screen: Screen[Any]) -> Colors:
    """Return the colors of the current theme."""
    return complete(screen.app.theme_variables)


def _folder(format: Format) -> Path:
    """Return the default destination: for JSON one file for all sessions, else a folder."""
    name = f"streamtui-{time.strftime('%Y-%m-%d-%H%M%S')}"
    return Path(f"{name}{format.suffix}" if format is Format.JSON else name)


def _write_many(store: Store, ids: list[str], wanted: Destination, colours: Colors) -> None:
    sessions: Iterator[Session] = (store.session(id_).result() for id_ in ids)
    if wanted.format is Format.JSON:
        save(json_parts(sessions), wanted.path)
        return
    for _ in write_folder(sessions, wanted.path, wanted.format, tree=wanted.tree, colors=colours):
        pass


async def _do(screen: Screen[Any], write: Callable[[], object], done: str) -> None:
    try:
        await asyncio.to_thread(write)
    except (TransferError, StoreError) as error:
        screen.notify(str(error), severity="error", markup=False, timeout=10)
    else:
        screen.notify(done, markup=False)
