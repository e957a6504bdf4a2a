import re
from pathlib import Path

import pytest

from runtime.database import DatabaseBroken, DatabaseFull
from runtime.emergency import Emergency


def test_a_torn_line_of_the_emergency_file_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "e"
    emergency = Emergency(path, 200)
    emergency.write(b"one")
    emergency.write("둘".encode())
    with pytest.raises(DatabaseFull):
        emergency.write(bytes(200))
    emergency.close()
    content = path.read_bytes()
    assert len(content) == 200
    path.write_bytes(content.replace("둘".encode(), "뚤".encode()))
    torn = Emergency(path, 200)
    assert (torn.lines, torn.torn, torn.damaged) == ((b"one",), 1, False)
    torn.begin(9, "ab" * 32)
    torn.close()
    again = Emergency(path, 200)
    assert (again.number, again.lines, again.torn) == (9, (), 0)
    assert again.stands_for(9, "ab" * 32)
    assert not again.stands_for(9, "ba" * 32)
    again.close()


def test_an_unreadable_header_is_named(tmp_path: Path) -> None:
    path = tmp_path / "e"
    Emergency(path, 200).close()
    path.write_bytes(bytes(200))
    with pytest.raises(DatabaseBroken, match=re.escape(str(path))):
        Emergency(path, 200)
