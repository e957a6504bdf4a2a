"""A Korean Windows prints in code page 949, which has neither every letter nor any picture."""

import io
import json
import sys
from pathlib import Path

import pytest

from actors.commands import main
from runtime.cli import write


def printing(monkeypatch: pytest.MonkeyPatch, encoding: str) -> io.BytesIO:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, write_through=True))
    return raw


@pytest.mark.parametrize("encoding", ["cp949", "ascii", "utf-8"])
def test_a_word_the_code_page_lacks_does_not_break_the_command_that_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    raw = printing(monkeypatch, encoding)
    monkeypatch.setattr(sys, "argv", ["kiwoom-actors", "halt", str(tmp_path), "--reason", "뉴스 é 😀"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 0
    said = raw.getvalue().decode(encoding)
    assert json.loads(f'"{said[said.rindex("(") + 1 : said.rindex(")")]}"') == "뉴스 é 😀"
    monkeypatch.undo()


def test_an_answer_for_machines_stays_json(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = printing(monkeypatch, "cp949")
    monkeypatch.setattr(sys, "argv", ["kiwoom-actors", "--version"])
    with pytest.raises(SystemExit):
        main()
    raw.seek(0)
    raw.truncate()

    write({"halted": "뉴스 é 😀"})

    assert json.loads(raw.getvalue().decode("cp949")) == {"halted": "뉴스 é 😀"}
