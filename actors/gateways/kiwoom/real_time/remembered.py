"""Texts of real-time fields and what they say, remembered: most fields of a record are those of an earlier one."""

from collections.abc import Callable
from typing import Final, TypeVar

Value = TypeVar("Value")

MOST: Final = 4_096
"""Texts remembered of one kind; then it begins anew. What stands in the books of a hundred codes has room."""
FEW: Final = 1_024
"""The same of texts that do not come back, such as times."""


class Remembered(dict[str, Value]):
    """`remembered[text]` is `read(text)`, called once a text; what it raises is raised each time.

    A look into a dict costs a third of what int() of the same text does.
    """

    def __init__(self, read: Callable[[str], Value], most: int = MOST) -> None:
        super().__init__()
        self._read = read
        self._most = most

    def __missing__(self, text: str) -> Value:
        if len(self) >= self._most:
            self.clear()
        value = self[text] = self._read(text)
        return value
