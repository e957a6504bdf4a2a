"""Plants secrets in everything that is written down, and looks for them in what was written.

python -m actors.campaigns.secrecy.secrets --planted 10000 --seed 1
"""

import asyncio
import html
import io
import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import quote, quote_plus

import structlog
import typer

from actors.campaigns.outcomes import Outcomes
from actors.campaigns.secrecy.leaks import Secret, account, app_key, leaks, password, token
from messages import ActorFailed, HaltTrading, Message, OrderRejected
from messages.instruments import Nanoseconds, Symbol
from runtime import logs
from runtime.bus import RUN_BITS
from runtime.clock import WallClock
from runtime.disk.journal import Journal
from runtime.envelope import Envelope
from runtime.life import alarm
from runtime.outside.inbox import FOLDER, Inbox
from runtime.outside.latch import Halt, Latch
from runtime.settings.config import ConfigError, convert, load

HIDDEN, LEAKED = "hidden", "LEAKED"
SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (
    str,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps({"acc_no": text}, ensure_ascii=False),
    repr,
    lambda text: repr(text.encode()),
    lambda text: repr(text.encode("cp949", "backslashreplace")),
    lambda text: f"https://api.example/token?key={quote(text, safe='')}&x=1",
    quote_plus,
    html.escape,
    lambda text: repr({"config": {"value": text}}),
)
TEXTS: Final = ("{}", "refused: {}", "[{}] 계좌를 확인하십시오", "order 7 of {} at 70,000", "a{}", "{}\n  at line 3")


class Refused(Exception):
    """Carries what it is given."""


def _refuse(*given: object) -> None:
    raise Refused(*given) from ValueError(*given)


class Holder:
    """Something whose repr tells."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"Holder({self._text!r})"


def _event(text: str) -> None:
    structlog.get_logger().info(text)


def _positional(text: str) -> None:
    structlog.get_logger().info("said %s", text)


def _value(text: str) -> None:
    structlog.get_logger("trader").warning("value", found=text, nested=[{"a": (text, {text})}], raw=text.encode())


def _key(text: str) -> None:
    structlog.get_logger().info("key", **{text: 1})


def _bound(text: str) -> None:
    with structlog.contextvars.bound_contextvars(context=text):
        structlog.get_logger().bind(bound=text).error("bound", stack_info=True)


def _plain(text: str) -> None:
    logging.getLogger(f"foreign.{text}").warning("%s and %r", text, text, extra={"more": text})


def _misfit(text: str) -> None:
    logging.getLogger("foreign").warning("two %s %s", text)  # noqa: PLE1206 - on purpose


def _object(text: str) -> None:
    structlog.get_logger().info("object", holder=Holder(text), message=HaltTrading(reason=text, by="x"))


def _caught(text: str) -> None:
    try:
        _refuse(text, {text: [text]})
    except Refused:
        structlog.get_logger().exception("failed")
        logging.getLogger("foreign").exception("failed")


def _uncaught(text: str) -> None:
    try:
        _refuse(text)
    except Refused as error:
        sys.excepthook(type(error), error, error.__traceback__)


def _warning(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"deprecated: {text}", stacklevel=1)


SAID: Final[dict[str, Callable[[str], None]]] = {
    "log: the event": _event,
    "log: an argument": _positional,
    "log: a value": _value,
    "log: a key": _key,
    "log: the context": _bound,
    "log: a library's": _plain,
    "log: a format that does not fit": _misfit,
    "log: an object": _object,
    "log: an exception": _caught,
    "log: an uncaught exception": _uncaught,
    "log: a warning": _warning,
}


def _messages(text: str) -> tuple[Message, ...]:
    return (
        HaltTrading(reason=text, by="campaign"),
        ActorFailed(actor="risk", handler="on_tick", error=f"ValueError: {text}", failures=1, off=False),
        OrderRejected(
            order=1, symbol=Symbol("005930"), strategy="momentum", time=Nanoseconds(1), reason=text, code=-300
        ),
    )


async def _store(folder: Path, text: str) -> None:
    """Into the journal, and, with what finds no room there, into its emergency file."""
    async with Journal(folder, clock=WallClock(), reserve=16_384, waiting=2) as journal:
        number = journal.run << RUN_BITS
        for message in _messages(text):
            number += 1
            journal.append(Envelope(number, number, "gateway", 0, message))
        journal.emergency(number)


def _answer(folder: Path, text: str) -> None:
    inbox = Inbox(folder)
    (folder / FOLDER / "1.command.json").write_text('{"verb": "status"}', encoding="utf-8")
    for command in inbox.poll():
        command.answer({"halted": text, "orders": [{"reason": text}], text: 1})


def _latch(folder: Path, text: str) -> None:
    Latch(folder / text[:0]).lay(Halt("", "campaign", text))


async def _alarm(folder: Path, text: str) -> None:
    script = "import sys; open(sys.argv[1], 'w', encoding='utf-8').write(sys.argv[2])"
    log = structlog.get_logger()
    await alarm.sound((sys.executable, "-c", script, str(folder / "alarm")), text, log)


def _report(folder: Path, text: str) -> None:
    (folder / "report.html").write_text(logs.clean(html.escape(text)), encoding="utf-8")
    summary = logs.clean_object({"stopped": text, "positions": [{"note": text}], text: text})
    (folder / "summary.json").write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")


def _config(folder: Path, text: str) -> None:
    """A secret typed into the file itself, where another type is wanted."""
    path = folder / "config.toml"
    path.write_text('[system]\ndata = "data"\n', encoding="utf-8")
    try:
        convert(load(path), "gateway.kiwoom", "app_secret", text, int)
    except ConfigError as error:
        (folder / "refused").write_text(str(error), encoding="utf-8")
    path.unlink()


WRITTEN: Final[dict[str, Callable[[Path, str], None]]] = {
    "journal and emergency file": lambda folder, text: asyncio.run(_store(folder, text)),
    "answer of the inbox": _answer,
    "latch": _latch,
    "alarm": lambda folder, text: asyncio.run(_alarm(folder, text)),
    "report and summary": _report,
    "refusal of a config": _config,
}


def plant(folder: Path, planted: int, seed: int) -> Outcomes:
    """Plant so many, a hundred a batch; whatever a batch wrote is searched when it is over."""
    outcomes = Outcomes((HIDDEN,))
    for batch in range(-(-planted // _BATCH)):
        size = min(_BATCH, planted - batch * _BATCH)
        _batch(folder / f"{batch}", Random(f"{seed}:{batch}"), size, outcomes, f"seed {seed}, batch {batch}")
    return outcomes


_BATCH: Final = 100
_MAKERS: Final = (account, account, app_key, token, password)


def _batch(folder: Path, rng: Random, size: int, outcomes: Outcomes, repeat: str) -> None:
    secrets = [make(rng) for make in _MAKERS]
    for number, secret in enumerate(secrets):
        logs.hide(secret.value, f"account {number}" if secret.digits else "***")
    ways = [*SAID] * 3 + [*WRITTEN]
    for number in range(size):
        way = ways[number % len(ways)]
        place = folder / f"{number}"
        place.mkdir(parents=True)
        secret = rng.choice(secrets)
        plant_one(way, place, _spelled(rng, secret))
        found = leaks(place, secrets)
        outcomes.add(way, LEAKED if found else HIDDEN, f"{repeat}, number {number}: {found}")
    logs.forget()


def plant_one(way: str, folder: Path, text: str) -> None:
    """Let one way of writing have a text; what was written lies below the folder."""
    console = io.StringIO()
    with redirect_stderr(console):
        logs.configure(folder / "logs", console=True, level="debug")
        try:
            if way in SAID:
                SAID[way](text)
            else:
                WRITTEN[way](folder, text)
        finally:
            logs.close()
    (folder / "console").write_text(console.getvalue(), encoding="utf-8")


def _spelled(rng: Random, secret: Secret) -> str:
    text = rng.choice(SPELLINGS)(secret.written(rng))
    if rng.randrange(4) == 0:
        text = rng.choice(SPELLINGS)(text)
    return rng.choice(TEXTS).format(text)


def main(planted: int = 10_000, seed: int = 1, data: Path | None = None) -> None:
    """Exit 0 only if none was found. `data`: a folder for what is written, a fresh one by default."""
    with tempfile.TemporaryDirectory(dir=data) as scratch:
        outcomes = plant(Path(scratch), planted, seed)
    outcomes.show(f"{planted:,} planted secrets, seed {seed}")
    raise typer.Exit(0 if outcomes.ok else 1)


if __name__ == "__main__":
    typer.run(main)
