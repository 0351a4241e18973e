"""The `streamtui sessions check` command."""

import argparse

from streamtui.cli import EXIT_FAILED, fail
from streamtui.core.sanitize import clean_line
from streamtui.storage import Store


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the check command."""
    check = commands.add_parser(
        "check",
        help="check the database and repair it",
        description="Check the database of saved sessions. This takes a few seconds for 100,000 messages.",
        epilog="exit status: 0 no problems left, 1 problems found",
    )
    check.add_argument(
        "--repair", action="store_true", help="repair the database; a copy of the original is kept next to it"
    )
    check.set_defaults(run=_check)


def _check(args: argparse.Namespace, store: Store) -> int:
    from streamtui.storage.recovery.check import check

    report = check(store.path, repair=args.repair)
    path = clean_line(str(report.path))
    for finding in report.findings:
        print(f"{finding.problem} {finding.remedy}".rstrip())
    if report.failure:
        return fail(report.failure)
    if not report.exists:
        print(f"No saved sessions: {path} does not exist.")
        return 0
    if report.sound:
        sessions = "1 session" if report.sessions == 1 else f"{report.sessions:,} sessions"
        messages = "1 message" if report.messages == 1 else f"{report.messages:,} messages"
        skipped = "" if report.index_checked else " The file is read-only, so the search index was not checked."
        print(f"{path} has no problems: {sessions}, {messages}.{skipped}")
        return 0
    if not args.repair:
        return fail(f"{path} has problems. To fix them, run streamtui sessions check --repair.")
    return EXIT_FAILED
