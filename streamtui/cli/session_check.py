"""`streamtui sessions check`: whether what is saved is sound, and the mending of what is not."""

import argparse
import sys

from streamtui.cli import EXIT_FAILED
from streamtui.core.sanitize import clean_line
from streamtui.storage import Store


def add_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds check."""
    check = verbs.add_parser(
        "check",
        help="look whether what is saved is sound, and mend it",
        description="Looks whether the saved sessions are sound. Takes a few seconds for 100,000 messages.",
        epilog="exit codes: 0 all is sound, or is by now; 1 something is not",
    )
    check.add_argument(
        "--repair",
        action="store_true",
        help="mend what can be mended; a copy of what was there is kept beside the database",
    )
    check.set_defaults(run=_check)


def _check(asked: argparse.Namespace, store: Store) -> int:
    from streamtui.storage.recovery.check import check

    report = check(store.path, repair=asked.repair)
    path = clean_line(str(report.path))
    for finding in report.findings:
        print(f"{finding.problem} {finding.remedy}".rstrip())
    if report.failure:
        print(f"streamtui: {report.failure}", file=sys.stderr)
        return EXIT_FAILED
    if not report.exists:
        print(f"Nothing is saved yet: there is no {path}.")
        return 0
    if report.sound:
        sessions = "1 session" if report.sessions == 1 else f"{report.sessions:,} sessions"
        messages = "1 message" if report.messages == 1 else f"{report.messages:,} messages"
        skipped = "" if report.index_checked else " Read only: the search index was not checked."
        print(f"{path} is sound: {sessions}, {messages}.{skipped}")
        return 0
    if not asked.repair:
        print(f"streamtui: {path} is not sound; streamtui sessions check --repair mends it.", file=sys.stderr)
    return EXIT_FAILED
