"""Progress in lines, where there is no terminal."""

import io
import sys

import pytest

from actors.analysis.progress import Pages, duration


class Unread(io.StringIO):
    """What a pipe that nobody reads, or a file on a full disk, is to its writer."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error
        self.tried = 0

    def write(self, text: str, /) -> int:
        self.tried += len(text)
        raise self.error


def show(pages: Pages, done: int, *, over: bool = False) -> None:
    pages.show(
        "005930 1 min [x]", done, 5, all_done=done, all_left=7, seconds=90.0, note="back to 2022-01-10", over=over
    )


def test_without_a_terminal_a_line_comes_every_so_many_pages_and_at_a_charts_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Pages() as pages:
        for done in range(1, 46):
            show(pages, done)
        show(pages, 45, over=True)
        lines = sys.stderr.getvalue().splitlines()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    assert lines == [
        f"005930 1 min [x]: {done} pages, 5 to go, back to 2022-01-10; all: 7 to go, about 1 min 30 s"
        for done in (20, 40, 45)
    ]


@pytest.mark.parametrize("error", [BrokenPipeError("nobody reads"), OSError(28, "no space left")])
def test_words_that_nobody_takes_stop_no_work(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    unread = Unread(error)
    monkeypatch.setattr(sys, "stderr", unread)
    with Pages() as pages:
        show(pages, 1, over=True)
        show(pages, 2, over=True)
    assert unread.tried


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.6, "5 s"), (136, "2 min 16 s"), (5_280, "1 h 28 min"), (86_399, "23 h 59 min"), (1_666_800, "19 d 7 h")],
)
def test_a_duration_is_told_in_its_largest_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
