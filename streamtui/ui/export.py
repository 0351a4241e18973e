"""Exports sessions from the app: asks, writes in a thread, says where it went."""

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
    """Asks how to export `session`, as it is now, and does it. Await it in a worker."""
    # A reply under way adds to the session meanwhile.
    still = replace(session, messages=dict(session.messages))
    proposed = partial(free_file, Path(), still)
    branches = bool(still.variants())
    wanted = await screen.app.push_screen_wait(ExportDialog("this session", proposed, branches=branches))
    if wanted is not None:
        colours = colours_of(screen)
        write = partial(write_export, still, wanted.path, wanted.format, tree=wanted.tree, colors=colours)
        await _do(screen, write, f"Exported to {wanted.path.absolute()}")


async def export_many(screen: Screen[Any], store: Store, ids: Sequence[str]) -> None:
    """Asks how to export the saved sessions with `ids`, and does it. Await it in a worker."""
    what = f"{len(ids):,} sessions"
    wanted = await screen.app.push_screen_wait(ExportDialog(what, _folder, branches=True))
    if wanted is not None:
        write = partial(_write_many, store, list(ids), wanted, colours_of(screen))
        await _do(screen, write, f"Exported {what} to {wanted.path.absolute()}")


def colours_of(screen: Screen[Any]) -> Colors:
    """The colours of the theme in use."""
    return complete(screen.app.theme_variables)


def _folder(format: Format) -> Path:
    """JSON holds many sessions in one file."""
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
