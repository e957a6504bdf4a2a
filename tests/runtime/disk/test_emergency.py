import re
import sys
from pathlib import Path

import pytest

from runtime.disk.emergency import Emergency
from runtime.disk.errors import DatabaseBroken, DatabaseError, DatabaseFull
from tests.runtime.disk.limits import files_up_to


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


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_limit_on_the_size_of_files_is_a_lack_of_room_and_a_missing_right_is_not(tmp_path: Path) -> None:
    emergency = Emergency(tmp_path / "e", 200)
    with files_up_to(100), pytest.raises(DatabaseFull, match="File too large; make room"):
        emergency.write(bytes(60))
    emergency.close()
    with files_up_to(100), pytest.raises(DatabaseFull, match="make room for 200 bytes"):
        Emergency(tmp_path / "f", 200)
    (tmp_path / "g.new").mkdir()
    with pytest.raises(DatabaseError, match="look after the disk and the file's permissions"):
        Emergency(tmp_path / "g", 200)
