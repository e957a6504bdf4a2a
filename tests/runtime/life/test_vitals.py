"""What a running system tells of itself."""

from runtime.life.vitals import peak_memory_mb


def test_the_most_memory_ever_held_is_told_on_every_system() -> None:
    before = peak_memory_mb()
    held = bytearray(b"x") * (64 << 20)

    assert peak_memory_mb() >= max(before, 64.0)
    assert before > 1.0
    del held
