"""Exports on the disk: for nobody else's eyes, all there or not there, and never over another file unasked."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from streamtui.core.sanitize import clean_line
from streamtui.core.session import Session
from streamtui.core.transfer_error import FileExistsTransferError, file_error
from streamtui.exporters import labels
from streamtui.exporters.formats import Format, export_session
from streamtui.exporters.json_export import to_json
from streamtui.exporters.theme_colors import Colors

LONGEST = 60
"""Characters of a title that go into a file's name."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)


def write_export(
    session: Session,
    file: Path,
    format: Format,
    *,
    tree: bool = False,
    colors: Colors | None = None,
    force: bool = False,
) -> Path:
    """Writes a session to `file` and returns it. Raises TransferError, also where it exists and not `force`."""
    save([export_session(session, format, tree=tree, colors=colors)], file, force=force)
    return file


def write_folder(
    sessions: Iterable[Session],
    folder: Path,
    format: Format,
    *,
    tree: bool = False,
    colors: Colors | None = None,
    force: bool = False,
) -> Iterator[Path]:
    """Writes every session to a file of its own in `folder`, made if need be, and yields it. Raises TransferError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise file_error("made", folder, error) from error
    for session in sessions:
        file = folder / dated_name(session, format)
        yield write_export(session, file, format, tree=tree, colors=colors, force=force)


def json_parts(sessions: Iterable[Session], *, lines: bool = False) -> Iterator[str]:
    """Yields one JSON array of all sessions piece by piece; with `lines` one object on each line instead."""
    if lines:
        yield from (f"{to_json(session, compact=True)}\n" for session in sessions)
        return
    separator = "["
    for session in sessions:
        yield f"{separator}\n{to_json(session, compact=True)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def file_name(session: Session, format: Format) -> str:
    """Returns a name for a session's file that every system takes, made of the title."""
    return f"{_slug(session.title)}{format.suffix}"


def dated_name(session: Session, format: Format) -> str:
    """Returns a name for a session's file among many, that no other session has and that sorts by age."""
    day = labels.format_time(session.created)[:10] or "undated"
    return f"{day}-{_slug(session.title)}-{_slug(session.id)}{format.suffix}"


def free_file(folder: Path, session: Session, format: Format) -> Path:
    """Returns a file in `folder` that is not there yet."""
    name = Path(file_name(session, format))
    numbered = (folder / f"{name.stem}-{n}{name.suffix}" for n in range(2, 10_000))
    return next((file for file in (folder / name, *numbered) if not os.path.lexists(file)), folder / name)


def _slug(text: str) -> str:
    slug = re.sub(r"[\W_]+", "-", clean_line(text)).strip("-")[:LONGEST]
    while len(slug.encode()) > 2 * LONGEST:
        slug = slug[:-1]
    return f"{slug}-" if _RESERVED.match(slug) else slug.strip("-") or "session"


def save(parts: Iterable[str], file: Path, *, force: bool = False) -> None:
    """Writes `parts` to `file` (0600), which is there when all of it is. Raises TransferError."""
    if os.path.lexists(file) and not force:
        raise FileExistsTransferError(file)
    part = file.with_name(f".{os.urandom(4).hex()}.streamtui.part")
    try:
        _write(parts, part)
        _put_in_place(part, file, force)
    except OSError as error:
        raise file_error("written", file, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _write(parts: Iterable[str], part: Path) -> None:
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as new:
        new.writelines(parts)
        new.flush()
        os.fsync(new.fileno())


def _put_in_place(part: Path, file: Path, force: bool) -> None:
    """A link fails where another program has made the file meanwhile, a rename would write over it."""
    if not force:
        try:
            os.link(part, file)
        except FileExistsError:
            raise FileExistsTransferError(file) from None
        except OSError:  # a file system without links: the look before must do
            if os.path.lexists(file):
                raise FileExistsTransferError(file) from None
        else:
            return
    os.replace(part, file)
