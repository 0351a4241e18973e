"""Highlighting: CPU per line, characters that differ from Pygments' whole-block pass, a language's first line."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from itertools import chain, islice, repeat
from pathlib import Path

from pygments.lexers import get_lexer_by_name

from streamtui.highlighting import highlighter
from streamtui.highlighting.highlighter import WHOLE_LIMIT, Highlighter, Run
from tests.support.snippets import SNIPPETS

SOURCES = {
    "python": (Path(sysconfig.get_path("stdlib")), "*.py"),
    "c": (Path("/usr/include"), "*.h"),
    "javascript": (Path("/usr/lib/node_modules/npm/lib"), "**/*.js"),
    "json": (Path("/usr/lib/node_modules/npm/node_modules"), "*/package.json"),
    "cpp": (Path("/usr/include/c++"), "*/bits/*.h"),
    "css": (Path("/usr/lib"), "**/*.css"),
    "html": (Path("/usr/lib/node_modules/npm/docs/output"), "**/*.html"),
    "bash": (Path("/usr/bin"), "*"),
}
"""Real sources where the machine has them; the snippets of the tests stand for the other languages."""
ENOUGH = 400_000  # characters per language


def main() -> None:
    languages = sys.argv[1:] or [*SOURCES, *(name for name in SNIPPETS if name not in SOURCES)]
    print("us of CPU for a line, an unfinished one, one of a whole block; characters that Pygments paints otherwise")
    print("when it has the whole block, lines that change when it is complete\n")
    print(f"{'language':<12}{'lines':>8}{'line':>8}{'peek':>8}{'whole':>8}{'characters %':>14}{'lines %':>9}")
    for language in languages:
        blocks = list(_blocks(language))
        print(f"{language:<12}{_figures(language, blocks)}")
    print("\nA growing line of 64 KB without a newline: ms per token of 4 characters at its end")
    print(f"  {_growing('javascript'):.3f}")
    print("\nFirst line of a language in a new process, ms (the first also loads Pygments)")
    for language in ("python", "javascript", "c", "bash", "nobody-knows"):
        print(f"  {language:<14}{_first(language):6.1f}")


def _blocks(language: str) -> Iterator[list[str]]:
    """Real files of the language up to `ENOUGH` characters, else its snippet some times over."""
    left = ENOUGH
    for path in _files(language):
        text = path.read_text(errors="replace")
        if 0 < len(text) <= WHOLE_LIMIT:
            yield text.expandtabs().splitlines()
            left -= len(text)
            if left < 0:
                return
    if left == ENOUGH:
        yield from repeat(SNIPPETS[language].splitlines(), 60)


def _files(language: str) -> Iterator[Path]:
    if language in SOURCES:
        folder, pattern = SOURCES[language]
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and (language != "bash" or path.read_bytes().startswith((b"#!/bin/sh", b"#!/bin/bash"))):
                yield path


def _figures(language: str, blocks: list[list[str]]) -> str:
    lines = sum(map(len, blocks))
    characters = differing = same = 0
    line_cpu = peek_cpu = whole_cpu = 0.0
    for block in blocks:
        highlighter = Highlighter(language)
        started = time.process_time()
        by_line = [highlighter.line(line, commit=True) for line in block]
        line_cpu += time.process_time() - started
        started = time.process_time()
        whole = highlighter.whole(block)
        whole_cpu += time.process_time() - started
        characters += sum(map(len, block))
        differing += sum(map(_differing, by_line, _by_pygments(language, block)))
        same += sum(a is b for a, b in zip(by_line, whole, strict=True))
    peeks = list(islice(chain.from_iterable(blocks), 2000))
    highlighter = Highlighter(language)
    started = time.process_time()
    for line in peeks:
        highlighter.line(line, commit=False)
    peek_cpu = time.process_time() - started
    return (
        f"{lines:>8}{line_cpu / lines * 1e6:>8.1f}{peek_cpu / len(peeks) * 1e6:>8.1f}"
        f"{whole_cpu / lines * 1e6:>8.1f}{differing / max(characters, 1) * 100:>14.2f}"
        f"{(1 - same / lines) * 100:>9.1f}"
    )


def _by_pygments(language: str, block: list[str]) -> list[list[Run]]:
    """The runs of a block without anything of ours but the styles."""
    tokens = get_lexer_by_name(language).get_tokens_unprocessed("\n".join(block) + "\n")
    return [highlighter._runs(line, own) for line, own in zip(block, highlighter._split(tokens, block), strict=True)]


def _differing(a: list[Run], b: list[Run]) -> int:
    styles = [[style for text, style in runs for character in text] for runs in (a, b)]
    return sum(x != y for x, y in zip(*styles, strict=True))


def _growing(language: str) -> float:
    text = "const a=b(c,'d');" * 3900
    highlighter = Highlighter(language)
    highlighter.line(text[:60_000], commit=False)
    started = time.process_time()
    ends = range(60_000, 64_000, 4)
    for end in ends:
        highlighter.line(text[:end], commit=False)
    return (time.process_time() - started) / len(ends) * 1e3


def _first(language: str) -> float:
    code = (
        "from streamtui.highlighting.highlighter import Highlighter; import time; start = time.process_time();"
        f"Highlighter({language!r}).line('int x = foo(1) # /* abc', True); print(time.process_time() - start)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout) * 1e3


if __name__ == "__main__":
    main()
