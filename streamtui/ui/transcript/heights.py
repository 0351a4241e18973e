"""Heights: how tall every message is, and which one stands at a line."""

from collections.abc import Iterable


class Heights:
    """A Fenwick tree over heights in lines: append, change, sum and find take logarithmic time."""

    def __init__(self, values: Iterable[int] = ()) -> None:
        self.rebuild(values)

    def rebuild(self, values: Iterable[int]) -> None:
        """Starts again with `values`, in linear time."""
        self._values = list(values)
        self._tree = [0, *self._values]
        for i in range(1, len(self._tree)):
            parent = i + (i & -i)
            if parent < len(self._tree):
                self._tree[parent] += self._tree[i]

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: int) -> int:
        return self._values[index]

    def append(self, value: int) -> None:
        """Adds a height at the end."""
        self._values.append(value)
        i = len(self._values)
        total, child, stop = value, i - 1, i - (i & -i)
        while child > stop:
            total += self._tree[child]
            child -= child & -child
        self._tree.append(total)

    def __setitem__(self, index: int, value: int) -> None:
        change = value - self._values[index]
        if not change:
            return
        self._values[index] = value
        i = index + 1
        while i < len(self._tree):
            self._tree[i] += change
            i += i & -i

    def top(self, index: int) -> int:
        """The first line of entry `index`: the sum of all heights before it."""
        total = 0
        while index > 0:
            total += self._tree[index]
            index -= index & -index
        return total

    @property
    def total(self) -> int:
        """All heights together."""
        return self.top(len(self._values))

    def find(self, line: int) -> tuple[int, int]:
        """Returns which entry stands at `line` and the line within it; the index is the length past the end."""
        index, bit = 0, 1 << len(self._values).bit_length()
        while bit:
            after = index + bit
            if after < len(self._tree) and self._tree[after] <= line:
                index, line = after, line - self._tree[after]
            bit >>= 1
        return index, line
