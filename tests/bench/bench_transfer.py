"""Measures the way in and out: python -m tests.bench.bench_transfer [conversations] [messages in each]."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.samples import talk

_STEPS = {
    "read only": "with open_source(file) as source: print(sum(1 for _ in source))",
    "import": "with Store(database) as store, open_source(file) as source:\n"
    "    print(sum(1 for _ in import_sessions(source, store)))",
    "import again": "with Store(database) as store, open_source(file) as source:\n"
    "    print(sum(1 for _ in import_sessions(source, store)))",
    "export as JSON lines": "with Store(database) as store:\n"
    "    ids = [found.id for found in store.sessions(-1).result()]\n"
    "    save(json_parts((store.session(id).result() for id in ids), lines=True), folder / 'all.jsonl')",
    "import the JSON lines": "with Store(folder / 'other.db') as store, open_source(folder / 'all.jsonl') as source:\n"
    "    print(sum(1 for _ in import_sessions(source, store)))",
    "export 500 pages": "with Store(database) as store:\n"
    "    ids = [found.id for found in store.sessions(500).result()]\n"
    "    print(len(list(write_folder((store.session(id).result() for id in ids), folder / 'pages', Format.HTML))))",
}
_IMPORTS = """
import resource, sys
from pathlib import Path
from streamtui.storage import Store
from streamtui.exporters.formats import Format
from streamtui.exporters.export_files import json_parts, save, write_folder
from streamtui.importers.importer import import_sessions
from streamtui.importers.detection import open_source
folder = Path(sys.argv[1]); file, database = folder / "conversations.json", folder / "sessions.db"
"""
_PEAK = "\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"


def make(file: Path, conversations: int, messages: int) -> None:
    """Writes a ``conversations.json``, one entry after the other."""
    with file.open("w", encoding="utf-8") as out:
        out.write("[")
        for number in range(conversations):
            out.write(",\n" if number else "")
            json.dump(talk(number, words=60, messages=messages), out)
        out.write("]")


def children(run: Callable[[], subprocess.CompletedProcess[str]]) -> tuple[float, float, str]:
    """Runs a program. Returns its seconds, its seconds of CPU and what it wrote to stderr."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, cpu, done.stderr


def main() -> None:
    """Prints the table."""
    conversations = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    messages = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with TemporaryDirectory() as folder:
        file = Path(folder) / "conversations.json"
        make(file, conversations, messages)
        print(f"{conversations:,} conversations of {messages} messages, {file.stat().st_size / 1e6:,.0f} MB of JSON")
        for name, step in _STEPS.items():
            command = [sys.executable, "-c", _IMPORTS + step + _PEAK, folder]
            seconds, cpu, peak = children(lambda: subprocess.run(command, capture_output=True, text=True, check=True))
            print(f"{name:24} {seconds:7.1f} s   {cpu:7.1f} s CPU   {int(peak):5} MB at most")


if __name__ == "__main__":
    main()
