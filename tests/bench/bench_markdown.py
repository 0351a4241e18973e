"""What streaming Markdown costs: per token as a reply grows, whole replies, resizes; and a search for differences.

python -m tests.bench.bench_markdown                  the table
python -m tests.bench.bench_markdown --documents N    N random documents: any chunking = whole parse
"""

# ruff: noqa: E501 (texts are easier to read in long lines)

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from functools import partial
from itertools import count

from streamtui.markdown.document import Document, parse
from tests.support.documents import cut, document, looks, stream

WIDTH = 116
TOKEN = 4  # characters
WORDS = (
    "the model streams a reply token by token while the view keeps up with constant cost per frame and every finished block "
    "stays cached so that only the growing tail is parsed wrapped and painted again because users notice latency first"
).split()


def sentence(random_: random.Random) -> str:
    words = random_.choices(WORDS, k=random_.randint(8, 18))
    for chance, at, form in (
        (0.3, 2, "**{} and**"),
        (0.3, 5, "`{}_1`"),
        (0.1, 6, "[{}](https://example.com/1)"),
        (0.1, 1, "*{}*"),
    ):
        if random_.random() < chance:
            words[at] = form.format(words[at])
    return " ".join(words).capitalize() + "."


def _several(random_: random.Random, number: int) -> str:
    return " ".join(sentence(random_) for _ in range(number))


def _section(random_: random.Random, number: int) -> str:
    parts = [
        f"## Section {number}\n\n{_several(random_, 4)}\n\n",
        *[f"- {sentence(random_)}\n" for _ in range(4)],
    ]
    parts.append(f"\n{_several(random_, 3)}\n\n")
    if number % 2:
        parts.append(f"```python\n{_class(random_, number)}```\n\n")
    if number % 3 == 0:
        parts.append(
            f"1. {sentence(random_)}\n2. {sentence(random_)}\n   - {sentence(random_)}\n3. {sentence(random_)}\n\n"
        )
    if number % 4 == 0:
        parts.append("| name | value |\n|---|--:|\n" + "".join(_row(random_, row) for row in range(4)) + "\n")
    if number % 5 == 0:
        parts.append(f"> {sentence(random_)}\n> {sentence(random_)}\n\n")
    return "".join(parts)


def _class(random_: random.Random, number: int) -> str:
    return (
        f'class Thing{number}(Base):\n    """A thing that does {random_.choice(WORDS)}.\n\n    More words here.\n    """\n\n'
        f"    def __init__(self, a: int, b: str = 'x{number}') -> None:\n        self.a = a  # the {random_.choice(WORDS)}\n\n"
        f"    @property\n    def total(self) -> float:\n        return sum(v * {random_.random():.3f} for v in self.items)\n\n"
    )


def _row(random_: random.Random, number: int) -> str:
    return f"| {random_.choice(WORDS)} {number} | **{random_.randint(1, 999)}** | {sentence(random_)[:40]} |\n"


def _indented(text: str, by: str) -> str:
    return "".join(by + line if line.strip() else line for line in text.splitlines(keepends=True))


CJK = "模型逐字输出回复，视图保持恒定成本。用户首先注意到延迟，"

KINDS: dict[str, Callable[[random.Random, int], str]] = {
    "prose": _section,
    "one fence": lambda r, n: ("```python\n" if n == 1 else "") + _class(r, n),
    "one paragraph": lambda r, n: sentence(r) + " ",
    "fence in a list": lambda r, n: ("1. one\n2. two\n   ```python\n" if n == 1 else "") + _indented(_class(r, n), "   "),
    "one table": lambda r, n: ("| name | value | note |\n|---|--:|---|\n" if n == 1 else "") + _row(r, n),
    "one quote": lambda r, n: f"> {sentence(r)}\n" + (">\n" if n % 4 == 0 else ""),
    "one quoted paragraph": lambda r, n: f"> {sentence(r)}\n",
    "nested lists": lambda r, n: "  " * (n % 4) + f"- {sentence(r)}\n",
    "one item": lambda r, n: ("- top\n" if n == 1 else "") + f"  - {sentence(r)}\n",
    "one word": lambda r, n: "abcdefghij" * 20,
    "one code row": lambda r, n: ("```json\n" if n == 1 else "") + f'{{"key{n}": [1, 2, "{r.choice(WORDS)}"]}}, ',
    "one CJK paragraph": lambda r, n: CJK + "".join(r.choices("的一是不了人我在有他这", k=20)),
    "unclosed marks": lambda r, n: f"a **{r.choice(WORDS)} *b [c `d $e " + _several(r, 1) + " ",
    "definitions": lambda r, n: f"[{n}]: https://example.org/{n}\n",
}  # fmt: skip


def text_of(kind: str, tokens: int) -> str:
    """A text of `tokens` tokens of 4 characters."""
    random_, parts, size = random.Random(1), [], 0
    for number in count(1):
        parts.append(KINDS[kind](random_, number))
        size += len(parts[-1])
        if size >= tokens * TOKEN:
            break
    return "".join(parts)[: tokens * TOKEN]


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of `work`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def per_token(text: str, before: int, tokens: int = 400) -> float:
    """CPU microseconds for one token fed and laid out, after `before` tokens: the least of three stretches."""
    result = Document()
    start = before * TOKEN
    result.feed(text[:start])
    for block in result.blocks:
        block.layout(WIDTH)

    def stretch(begin: int) -> None:
        for at in range(begin, begin + tokens * TOKEN, TOKEN):
            first = result.stable
            result.feed(text[at : at + TOKEN])
            for block in result.blocks[first:]:
                block.layout(WIDTH)

    begins = [start + index * tokens * TOKEN for index in range(3)]
    return min(seconds(partial(stretch, begin)) for begin in begins) / tokens * 1e6


def whole(text: str, step: int = 200 * TOKEN) -> Document:
    """The text fed in pieces of 200 tokens, laid out after each."""
    result = Document()
    for at in range(0, len(text), step):
        first = result.stable
        result.feed(text[at : at + step])
        for block in result.blocks[first:]:
            block.layout(WIDTH)
    return result


def relayout(result: Document, width: int) -> None:
    for block in result.blocks:
        block.layout(width)


def table(long: int) -> None:
    """Print all figures."""
    print(
        f"{'':22}{'us/token at 1k':>16}{f'at {long // 1000}k':>9}{'ratio':>7}{f'{long // 1000}k whole, s':>13}{'resize, ms':>12}"
    )
    for kind in KINDS:
        text = text_of(kind, long + 2400)
        near, far = per_token(text, 1000), per_token(text, long)
        start = time.process_time()
        result = whole(text[: long * TOKEN])
        total = time.process_time() - start
        resize = max(seconds(partial(relayout, result, 96)), seconds(partial(relayout, result, 76))) * 1e3
        print(f"{kind:22}{near:16.1f}{far:9.1f}{far / near:7.2f}{total:13.2f}{resize:12.1f}")
    stored = text_of("prose", 300)
    parse(stored)
    print(
        f"a stored message of 300 tokens: {min(seconds(lambda: whole(stored, 10**6)) for _ in range(20)) * 1e3:.2f} ms"
    )


def compare(documents: int, seed: int) -> None:
    """Stream random documents in random pieces; any that looks unlike a whole parse is an error."""
    for number in range(seed, seed + documents):
        random_ = random.Random(number)
        text = document(random_)
        widths = [random_.choice((116, 60, 30, 17, 8)) for _ in range(3)]
        streamed = stream(cut(text, random_, random_.choice((1, 4, 7, 30))), widths, random_)
        for width in (*widths, 80):
            assert looks(streamed.blocks, width) == looks(parse(text), width), (number, text)
    print(f"{documents} documents, no difference")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=64000)
    arguments = parser.parse_args()
    if arguments.documents:
        compare(arguments.documents, arguments.seed)
    else:
        table(arguments.tokens)
