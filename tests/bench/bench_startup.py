"""First paint: CPU seconds of the app beside the smallest Textual app with the same three widgets.

Both run from bytecode, as what is installed does: the first run of each, which is not counted, writes it.

Run: python -m tests.bench.bench_startup
"""

import statistics
import tempfile
from pathlib import Path

from tests.support.terminal import Terminal, python

RUNS = 9
FLOOR = """
import sys, time
from pathlib import Path
from textual.app import App
from textual.scroll_view import ScrollView
from textual.widgets import Static, TextArea

class Floor(App):
    CSS = "ScrollView { height: 1fr; } TextArea { height: 3; } Static { height: 1; }"
    def compose(self):
        yield ScrollView()
        yield TextArea()
        yield Static("status")
    def on_mount(self):
        self.query_one(TextArea).focus()
        self.call_after_refresh(self.painted)
    def painted(self):
        Path(sys.argv[1]).write_text(str(time.process_time()))
        self.exit()

Floor().run()
"""
OURS = """
import sys, time
from pathlib import Path
from streamtui.cli.chat import parser
from streamtui.config import Config, endpoint_from
from streamtui.ui.app import StreamTUI

class Timed(StreamTUI):
    def _after_first_paint(self):
        Path(sys.argv[1]).write_text(str(time.process_time()))
        self.exit()

asked = parser().parse_args(["--demo"])
Timed(Config(endpoint_from({}, demo=asked.demo)), Path(sys.argv[1] + ".db")).run()
"""


def cpu_to_first_paint(script: str, bytecode: str) -> float:
    """Returns the CPU seconds `script` took until its app had painted once; `bytecode` is the folder for that."""
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "cpu"
        # Where PYTHONDONTWRITEBYTECODE is set, a checkout is compiled at every start: 40 ms that no user waits for.
        cached = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
        terminal = Terminal(python(script, str(note)), {"HOME": folder, "XDG_CONFIG_HOME": folder, **cached})
        terminal.wait(60)
        terminal.close()
        return float(note.read_text())


def main() -> None:
    """Prints the medians and the ratio of the pairs."""
    with tempfile.TemporaryDirectory() as bytecode:
        cpu_to_first_paint(FLOOR, bytecode), cpu_to_first_paint(OURS, bytecode)
        pairs = [(cpu_to_first_paint(FLOOR, bytecode), cpu_to_first_paint(OURS, bytecode)) for _ in range(RUNS)]
    floor, ours = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"first paint, CPU s, median of {RUNS}: smallest Textual app {floor:.3f}, streamtui {ours:.3f}")
    print(f"ratio {ratio:.2f} (goal: at most 1.25)")


if __name__ == "__main__":
    main()
