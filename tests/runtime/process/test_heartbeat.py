"""The heartbeat: it beats while it is called, and whoever feels it trusts no clock but his own."""

import os
from pathlib import Path

from runtime.process.heartbeat import NAME, Heartbeat, Pulse


def test_it_beats_once_a_second_however_often_it_is_called(tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path)
    heart.beat()
    first = (tmp_path / NAME).stat().st_mtime_ns
    for _ in range(100):
        heart.beat()

    assert (tmp_path / NAME).stat().st_mtime_ns == first
    assert (tmp_path / NAME).stat().st_size == 0


def test_a_beat_of_before_the_watch_is_none_and_a_new_one_counts_wherever_the_clock_was_set(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    pulse = Pulse(tmp_path)
    pulse.feel(tmp_path)
    assert pulse.beats == 0
    os.utime(tmp_path / NAME, ns=(5, 5))  # a clock set back by decades

    assert pulse.feel(tmp_path) < 0.5
    assert pulse.beats == 1
    assert pulse.feel(tmp_path) >= 0
    assert pulse.beats == 1


def test_a_run_in_a_folder_of_its_own_is_felt_there(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    pulse = Pulse(tmp_path / "1")
    pulse.feel(tmp_path / "2")
    assert pulse.beats == 0
    Heartbeat(tmp_path / "2").beat()
    pulse.feel(tmp_path / "2")

    assert pulse.beats == 1
