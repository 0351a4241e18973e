"""The conversation pane in a pty of 120x40, beside an app that shows nothing and Textual's Markdown stream.

Figures that are compared were measured in turn, three times; shown is the pair with the middle ratio.

python -m tests.bench.bench_pane            the table, about six minutes
python -m tests.bench.bench_pane --quick    the rows that change most, about two minutes
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.support.terminal import Terminal

PROGRAM = Path(__file__).with_name("pane_program.py")
KINDS = ["prose", "one fence", "one paragraph", "fence in a list", "one table", "one quote", "nested lists"]
LONG = 64_000


def run(design: str, task: str, *arguments: object, typing: bool = False) -> dict[str, Any]:
    """Runs a task of a design in a pty and returns its figures, those seen from outside with them."""
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "note"
        command = [sys.executable, str(PROGRAM), str(note), design, task, *map(str, arguments)]
        env = {"TEXTUAL_FPS": "120"} if design == "ours" else {}  # as the program itself sets it
        terminal = Terminal(command, {"HOME": folder, "XDG_CONFIG_HOME": folder, **env})
        echoes: list[float] = []
        stop = threading.Event()
        outside = threading.Thread(target=_outside, args=[terminal, note, echoes, typing, stop])
        outside.start()
        try:
            terminal.wait(400)
        finally:
            stop.set()
            outside.join()
            terminal.close()
        figures: dict[str, Any] = json.loads(note.read_text())
        echoes.sort()
        figures["echo_p95"] = echoes[int(0.95 * (len(echoes) - 1))] if echoes else 0.0
        figures["bytes"] = terminal.bytes - terminal.mark
        return figures


def _outside(terminal: Terminal, note: Path, echoes: list[float], typing: bool, stop: threading.Event) -> None:
    """Types and times the echo, and makes the terminal narrower, when the program asks for it."""
    number = 0
    while not stop.is_set() and terminal.process.poll() is None:
        if note.with_suffix(".resize").exists():
            terminal.resize(100, 40)
            return
        if not note.with_suffix(".go").exists():
            time.sleep(0.02)
            continue
        terminal.mark = terminal.mark or terminal.bytes
        if not typing:
            return
        number += 1
        key = chr(0x0530 + number)
        sent, seen = time.monotonic(), terminal.bytes
        terminal.write(key.encode())
        try:
            terminal.until(key, timeout=10)
        except TimeoutError:
            return
        echoes.append(time.monotonic() - sent)
        assert terminal.bytes > seen
        time.sleep(0.15)


def row(name: str, value: str, goal: str) -> None:
    """Prints a row of the table."""
    print(f"{name:<58}{value:>26}   {goal}", flush=True)


def ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1000:.2f} ms"


def streaming(quick: bool) -> None:
    """The cost of a token, a frame and a key while a reply arrives."""
    pairs = [
        (run("null", "stream", "prose", 1000, typing=True), run("ours", "stream", "prose", 1000, typing=True))
        for _ in range(3)
    ]
    null, ours = sorted(pairs, key=lambda pair: float(pair[1]["cpu"] / pair[0]["cpu"]))[1]
    echo = sorted(float(b["echo_p95"] / a["echo_p95"]) for a, b in pairs)[1]
    row("CPU a token at 100/s, typing: null app", ms(null["cpu"]), "")
    row("CPU a token at 100/s, typing: streamtui", ms(ours["cpu"]), "1.0 ms, 2.2x the null app")
    row("  beside the null app", f"{ours['cpu'] / null['cpu']:.2f}x", "2.2x")
    row("CPU a frame, mean / p95", f"{ms(ours['frame'])} / {ms(ours['frame_p95'])}", "3 / 6 ms")
    row("frames a second", f"{ours['fps']:.1f}", "30")
    row("bytes a frame, prose", f"{ours['bytes'] / max(1, ours['frames']):,.0f}", "3,000")
    code = run("ours", "stream", "one fence", 1000)
    row("bytes a frame, code", f"{code['bytes'] / max(1, code['frames']):,.0f}", "5,000")
    row("key echo p95: null app", ms(null["echo_p95"]), "")
    row("key echo p95: streamtui", f"{ms(ours['echo_p95'])} {echo:.1f}x", "2.5x")
    for kind in KINDS[:2] if quick else KINDS:
        grown = [[run("ours", "stream", kind, before)["cpu"] for before in (1000, LONG)] for _ in range(3)]
        near, far = sorted(grown, key=lambda pair: float(pair[1] / pair[0]))[1]
        row(f"a token at 64k / at 1k, {kind}", f"{ms(far)} / {ms(near)} = {far / near:.2f}", "1.15")
    under = run("ours", "under", "prose", 5000)["cpu"]
    row("a token under 5,000 messages", f"{ms(under)} {under / ours['cpu']:.2f}x", "")
    if not quick:
        textual = run("textual", "stream", "prose", 1000, typing=True)
        row("Textual's Markdown stream: CPU a token / a frame", f"{ms(textual['cpu'])} / {ms(textual['frame'])}", "")
        row("  frames a second, key echo p95", f"{textual['fps']:.1f}, {ms(textual['echo_p95'])}", "")


def rushing() -> None:
    """64k tokens as fast as they come."""
    for kind, goal in (("prose", "1.0 s"), ("one fence", "1.5 s"), ("one paragraph", "0.5 s")):
        row(f"64k tokens as fast as they come, {kind}", f"{run('ours', 'rush', kind, LONG)['cpu']:.2f} s", goal)
    row("8k tokens in Textual's Markdown stream, prose", f"{run('textual', 'rush', 'prose', 8000)['cpu']:.2f} s", "")


def opening() -> None:
    """Stored conversations: opening, scrolling, resizing, another theme."""
    small, large = run("ours", "open", 100), run("ours", "open", 5000)
    row("open 100 / 5,000 messages", f"{ms(small['open'])} / {ms(large['open'])}", "60 ms")
    row("  beside each other", f"{large['open'] / small['open']:.2f}x", "1.3x")
    row("  memory, 5,000 messages", f"{large['open_rss']:.0f} MB", "55 MB")
    row("page up p95 / wheel p95", f"{ms(large['page_p95'])} / {ms(large['wheel_p95'])}", "8 / 4 ms")
    row("resize, 5,000 messages", ms(large["resize"]), "25 ms")
    for kind in ("prose", "one fence", "one paragraph"):
        row(f"resize, one message of 64k tokens, {kind}", ms(run("ours", "resize", kind, LONG)["resize"]), "60 ms")
    row("another theme", ms(large["theme"]), "30 ms")


def main() -> None:
    """Prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true")
    quick = arguments.parse_args().quick
    row("figure (CPU, 120x40)", "measured", "goal")
    streaming(quick)
    opening()
    if not quick:
        rushing()


if __name__ == "__main__":
    main()
