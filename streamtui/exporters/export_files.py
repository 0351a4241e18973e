"""Write exports to disk: private, atomic, and never over an existing file unless forced."""

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
"""Maximum number of characters of a title in a file name."""
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
    """Export a session to `file` and return its path. Raises TransferError, also if it exists without `force`."""
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
    """Export each session to a file in `folder`, which is created if missing, and yield it. Raises TransferError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise file_error("create", folder, error) from error
    for session in sessions:
        file = folder / dated_name(session, format)
        yield write_export(session, file, format, tree=tree, colors=colors, force=force)


def json_parts(sessions: Iterable[Session], *, lines: bool = False) -> Iterator[str]:
    """Yield a JSON array of all sessions in chunks; with `lines`, JSON Lines."""
    if lines:
        yield from (f"{to_json(session, compact=True)}\n" for session in sessions)
        return
    separator = "["
    for session in sessions:
        yield f"{separator}\n{to_json(session, compact=True)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def file_name(session: Session, format: Format) -> str:
    """Return a portable file name made from the title."""
    return f"{_slug(session.title)}{format.suffix}"


def dated_name(session: Session, format: Format) -> str:
    """Return a file name that is unique and sorts by date."""
    day = labels.format_time(session.created)[:10] or "undated"
    return f"{day}-{_slug(session.title)}-{_slug(session.id)}{format.suffix}"


def free_file(folder: Path, session: Session, format: Format) -> Path:
    """Return a path in `folder` that does not exist yet."""
    name = Path(file_name(session, format))
    numbered = (folder / f"{name.stem}-{n}{name.suffix}" for n in range(2, 10_000))
    return next((file for file in (folder / name, *numbered) if not os.path.lexists(file)), folder / name)


def _slug(text: str) -> str:
    slug = re.sub(r"[\W_]+", "-", clean_line(text)).strip("-")[:LONGEST]
    while len(slug.encode()) > 2 * LONGEST:
        slug = slug[:-1]
    return f"{slug}-" if _RESERVED.match(slug) else slug.strip("-") or "session"


def save(parts: Iterable[str], file: Path, *, force: bool = False) -> None:
    """Write `parts` to `file` atomically, readable by its owner only. Raises TransferError."""
    if os.path.lexists(file) and not force:
        raise FileExistsTransferError(file)
    part = file.with_name(f".{os.urandom(4).hex()}.streamtui.part")
    try:
        _write(parts, part)
        _put_in_place(part, file, force)
    except OSError as error:
        raise file_error("write", file, error) from error
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
    """Move the finished file into place. Unlike a rename, a link fails if the file exists by now."""
    if not force:
        try:
            os.link(part, file)
        except FileExistsError:
            raise FileExistsTransferError(file) from None
        except OSError:  # no hard links on this file system: check before the rename
            if os.path.lexists(file):
                raise FileExistsTransferError(file) from None
        else:
            return
    os.replace(part, file)
