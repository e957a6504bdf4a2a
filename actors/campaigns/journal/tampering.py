"""Tampers with a journal, record by record, byte by byte and file by file, and counts what is found.

python -m actors.campaigns.journal.tampering --mutations 10000 --files 2000 --seed 1
"""

import base64
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

import typer

from actors.campaigns.journal.made import FOUND, HARMLESS, MISSED, SOURCE, Made, Row, make, stored
from actors.campaigns.journal.tampered_files import damage
from actors.campaigns.outcomes import Outcomes
from runtime.disk import chain
from runtime.disk.journal import NAME


def _edit(rng: Random, rows: list[Row]) -> None:
    place, column = rng.randrange(len(rows)), rng.randrange(1, 8)
    row = list(rows[place])
    value = row[column]
    if isinstance(value, int):
        row[column] = rng.choice((value + 1, float(value), str(value), None, -value - 1))
    elif isinstance(value, str):
        row[column] = rng.choice((value + " ", value.encode(), value.swapcase() + "\0", None))
    else:
        row[column] = rng.choice((rng.randbytes(32), value[:-1], value.hex(), value + b"\0"))
    rows[place] = tuple(row)


def _disguise(rng: Random, rows: list[Row]) -> None:
    """A blob that JSON writes like the text it replaces."""
    place = rng.choice([place for place, row in enumerate(rows) if row[2] == SOURCE])
    rows[place] = (*rows[place][:2], base64.b64decode(SOURCE), *rows[place][3:])


def _drop(rng: Random, rows: list[Row]) -> None:
    del rows[rng.randrange(len(rows) - 1)]


def _insert(rng: Random, rows: list[Row]) -> None:
    place = rng.randrange(len(rows) - 1)
    numbers = {row[0] for row in rows}
    number = rng.choice((rows[place][0] + 1, rows[place][0] - 1, -rng.randrange(1, 9), 1 << 62))
    if number in numbers:
        number = next(n for n in range(number, number + 1_000) if n not in numbers)
    front = (number, *rows[place][1:5])
    forged = chain.link(rows[place][7], front, rows[place][5].encode())
    rows.append(rng.choice((tuple(forged), (number, *rows[place][1:]))))


def _swap(rng: Random, rows: list[Row]) -> None:
    one, other = rng.sample(range(len(rows)), 2)
    rows[one], rows[other] = (rows[one][0], *rows[other][1:]), (rows[other][0], *rows[one][1:])


def _cut(rng: Random, rows: list[Row]) -> None:
    del rows[rng.randrange(len(rows)) :]


def _rechain(rng: Random, rows: list[Row]) -> None:
    """Change or drop one, and chain everything behind it anew."""
    place = rng.randrange(len(rows) - 1)
    body = rows[place][5].replace("a", "b", 1) + " " * rng.randrange(2)
    if rng.randrange(2):
        del rows[place]
    else:
        rows[place] = (*rows[place][:5], body if body != rows[place][5] else body + " ", *rows[place][6:])
    previous = rows[place - 1][7] if place else chain.START
    for later in range(place, len(rows)):
        rows[later] = tuple(chain.link(previous, rows[later][:5], rows[later][5].encode()))
        previous = rows[later][7]


RECORDS: Final[dict[str, Callable[[Random, list[Row]], None]]] = {
    "edit a record": _edit,
    "disguise a value": _disguise,
    "drop a record": _drop,
    "insert a record": _insert,
    "swap two records": _swap,
    "cut the tail": _cut,
    "re-chain the tail": _rechain,
}
UNSEEN: Final = ("cut the tail", "re-chain the tail")
"""What only a head kept elsewhere can show."""


def _flip(rng: Random, content: bytearray) -> None:
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _zero_page(rng: Random, content: bytearray) -> None:
    page = 4_096 * rng.randrange(len(content) // 4_096)
    content[page : page + 4_096] = bytes(4_096)


def _truncate(rng: Random, content: bytearray) -> None:
    del content[rng.randrange(len(content)) :]


def _scribble(rng: Random, content: bytearray) -> None:
    at, length = rng.randrange(len(content)), rng.choice((2, 16, 512))
    content[at : at + length] = rng.randbytes(len(content[at : at + length]))


BYTES: Final[dict[str, Callable[[Random, bytearray], None]]] = {
    "flip a bit of the file": _flip,
    "zero a page": _zero_page,
    "truncate the file": _truncate,
    "scribble over the file": _scribble,
}


def tamper(made: Made, folder: Path, mutations: int, seed: int) -> Outcomes:
    """Mutations of the records and of the bytes of one file, judged against its head."""
    outcomes = Outcomes((FOUND, HARMLESS))
    kinds = [*RECORDS, *BYTES]
    content = made.path.read_bytes()
    for trial in range(mutations):
        kind = kinds[trial % len(kinds)]
        rng = Random(f"{seed}:{trial}")
        copy = folder / NAME
        if kind in RECORDS:
            rows = list(made.rows)
            RECORDS[kind](rng, rows)
            copy.write_bytes(content)
            _replace(copy, rows)
        else:
            changed = bytearray(content)
            BYTES[kind](rng, changed)
            copy.write_bytes(changed)
        outcomes.add(kind, judge(kind, copy, made), f"seed {seed}, trial {trial}")
        for part in folder.iterdir():
            part.unlink()
    return outcomes


def _replace(path: Path, rows: list[Row]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous = OFF; DROP TRIGGER no_update; DROP TRIGGER no_delete; BEGIN")
        connection.execute("DELETE FROM record")
        connection.executemany(f"INSERT INTO record ({chain.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
        connection.execute("COMMIT")


def judge(kind: str, path: Path, made: Made) -> str:
    """What a mutation of this kind ended as."""
    verdict = chain.verify(path, made.head)
    alone = chain.verify(path)
    if not verdict.ok:
        told = not alone.ok or (bool(alone.unseen) and (kind in UNSEEN or kind in BYTES))
        return FOUND if verdict.problem and told else MISSED
    return HARMLESS if kind in BYTES and stored(path) == made.rows else MISSED


def main(mutations: int = 10_000, files: int = 2_000, seed: int = 1, data: Path | None = None) -> None:
    """Exit 0 only if nothing was missed. `data`: a folder for the copies, a fresh one by default."""
    with tempfile.TemporaryDirectory(dir=data) as scratch:
        folder = Path(scratch)
        made = make(folder / "good", Random(seed))
        (folder / "copy").mkdir()
        records = tamper(made, folder / "copy", mutations, seed)
        records.show(f"{mutations:,} mutations of a journal whose head is kept, seed {seed}")
        damaged = damage(folder / "files", files, seed)
        damaged.show(f"{files:,} damaged data folders, each started, seed {seed}")
    raise typer.Exit(0 if records.ok and damaged.ok else 1)


if __name__ == "__main__":
    typer.run(main)
