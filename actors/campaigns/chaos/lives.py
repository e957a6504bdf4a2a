"""One day of a chaos campaign: lives and deaths at one exchange, each recovery held against it, and the reckoning."""

import shlex
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from actors.account import invariants
from actors.account.invariants import Breaches
from actors.campaigns.chaos import person
from actors.campaigns.chaos.certificate import Certificate, Failure
from actors.campaigns.chaos.plan import LAST_KILL, Day, Life, Plan, instant
from actors.campaigns.chaos.reckoning import BY_US, Reckoning, Truth
from actors.campaigns.chaos.troubles import trouble
from actors.campaigns.processes import ExchangeProcess, Line, Service, command, toml
from actors.exchange.client import RemoteExchange
from actors.exchange.records import AccountState
from runtime.mailbox import Statistics
from runtime.outside import inbox
from runtime.outside.latch import Latch

CONFIG: Final = Path(__file__).with_name("chaos.toml")
_RECOVERY: Final = 30.0
"""Seconds of the wall within which a recovery is over."""
_DURABLE: Final = 5.0
_ENDING: Final = 30.0
_RESUME: Final = 5.0
_SETTLED: Final = 10.0
"""Seconds of the wall within which an order is lost and a person has decided it."""
_LAST_TRADES: Final = 0.5
_BEFORE_THE_CLOSE: Final = 2.0
"""Seconds of the wall in which orders come to stand that a close can end."""
_AGREEMENT: Final = 15.0
"""Seconds of the wall after the end of a day, within which all is settled."""
_TRIES: Final = 3
"""Lives for each death at a point that may be hard to come to."""
_SEEDS: Final = 1_000_000_000
_DONE: Final = (0, 3)
"""Exit codes of an orderly stop: done, and done with trading halted."""


class Tally:
    """What the days of a campaign add to."""

    def __init__(self, certificate: Certificate, say: Callable[[str], None]) -> None:
        self.certificate = certificate
        self.say = say
        self.kills, self.points, self.faults, self.troubles, self.exits = (Counter[str]() for _ in range(5))

    def write(self) -> None:
        """Into the certificate."""
        for name in ("kills", "points", "faults", "troubles", "exits"):
            setattr(self.certificate, name, dict(getattr(self, name)))

    def fail(self, failure: Failure) -> None:
        self.certificate.failures.append(failure)
        self.say(f"FAILED day {failure.day} life {failure.life}: {failure.what}")


class DayRun:
    """The lives of one day."""

    def __init__(self, plan: Plan, day: Day, folder: Path, tally: Tally, *, speed: float) -> None:
        self.folder = folder / f"day-{day.number:03}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self._plan = plan
        self._day = day
        self._tally = tally
        self._certificate = tally.certificate
        self._speed = speed
        self._system = self.folder / "system"
        self._system.mkdir(parents=True)
        self._reckoning = Reckoning(self._system)
        self._exchange: RemoteExchange
        self._address = ""
        self._life = 0
        self._missed = False
        """Whether the last life did not come to its point: the next one tries it the simplest way."""

    def run(self) -> None:
        day = self._day
        with ExchangeProcess(self.folder / "exchange", day.exchange, self._speed) as process:
            self._exchange, self._address = process.client, process.address
            last = instant(LAST_KILL)
            wanted, most = self._deaths + day.kills, self._tally.kills.total() + day.kills * _TRIES
            while self._deaths < wanted and self._tally.kills.total() < most and self._exchange.now < last:
                before = self._deaths
                for life in self._plan.lives(day, self._exchange.now, self._life, simply=self._missed):
                    self._live(life)
                self._missed = self._deaths == before
            self._close()

    @property
    def _deaths(self) -> int:
        """Those that count: at the day's point, or all."""
        point = self._day.point
        return self._tally.points[point] if point else self._tally.kills.total()

    def _live(self, life: Life) -> None:
        self._life = life.number + 1
        self._certificate.lives += 1
        if life.act == "fresh":
            self._begin_anew()
        since = self._exchange.now
        service = self._start(life)
        try:
            self._through(life, service, since)
        finally:
            service.kill()
            self._listen(service, life)

    def _begin_anew(self) -> None:
        """On an empty folder, as long as nothing was ordered."""
        if not self._truth().orders:
            shutil.rmtree(self._system)
            self._system.mkdir()
            self._reckoning = Reckoning(self._system)

    def _through(self, life: Life, service: Service, since: int) -> None:
        recovered = service.until(_is_recovered, life.delay if life.end == "early" else _RECOVERY)
        if recovered is None:
            self._not_recovered(life, service)
            return
        seconds = recovered.seen - service.began
        (self._certificate.seconds if life.calm else self._certificate.stormy_seconds).append(round(seconds, 3))
        self._check(life, service, recovered, since)
        self._resume(life)
        alive = self._act(life, service) if life.act else self._suffer(life, service)
        if life.end == "stop" and alive:
            self._stop(life, service)
        elif alive:
            service.kill()
            self._tally.kills[life.end if life.end != "point" else "kill"] += 1
        else:
            self._ended(life, service)

    def _not_recovered(self, life: Life, service: Service) -> None:
        if service.ended:
            self._ended(life, service)
        elif life.end == "early":
            service.kill()
            self._tally.kills["early"] += 1
        elif life.calm:
            self._fail(life, f"not recovered within {_RECOVERY:g} s")
        else:
            self._tally.exits["no recovery with faults"] += 1

    def _resume(self, life: Life) -> None:
        """What a person does after a disk was full: look, and let it go on; to come to a point, in any weather."""
        if not (life.calm or self._day.point) or Latch(self._system).read() is None:
            return
        try:
            answer = inbox.send(self._system, "resume", seconds=_RESUME, by=person.BY, patience=_RESUME)
        except inbox.NoSystem as error:
            answer = {"error": str(error)}
        self._tally.troubles["resumed" if "error" not in answer else "not resumed"] += 1

    def _act(self, life: Life, service: Service) -> bool:
        """Have it pass what is not on the way of an order; whether it still lives."""
        if life.act == "halt":
            service.sleep(0.5)
            command("halt", self._system, "--reason", BY_US)
            command("resume", self._system)
        elif life.act == "stop":
            service.sleep(0.5)
            service.signal(signal.SIGTERM)
        elif life.act == "settle":
            person.settle(self._system, self._exchange, _SETTLED)
        elif life.act == "close":
            service.sleep(_BEFORE_THE_CLOSE)
            self._exchange.close_market()
        return service.sleep(life.delay)

    def _suffer(self, life: Life, service: Service) -> bool:
        """Let it live for its time; whether it still does."""
        suffers, left = life.trouble, life.delay
        if suffers is None or suffers.after > left:
            return service.sleep(left)
        self._tally.troubles[suffers.kind] += 1
        if not service.sleep(suffers.after):
            return False
        with trouble(suffers.kind, service, self._system):
            alive = service.sleep(suffers.seconds)
        return alive and service.sleep(max(left - suffers.after, 0.0))

    def _ended(self, life: Life, service: Service) -> None:
        """It ended by itself, or at its point."""
        code = service.code
        assert code is not None
        if code == -signal.SIGKILL and life.point:
            self._tally.kills["point"] += 1
            self._tally.points[life.point.rpartition(":")[0]] += 1
            return
        self._tally.exits[str(code)] += 1
        in_order = code in _DONE and (life.act or self._exchange.now >= self._exchange.end)
        if code < 0 or (life.calm and not in_order):
            self._fail(life, f"ended by itself with code {code}: {service.last_words()}")

    def _stop(self, life: Life, service: Service) -> None:
        service.signal(signal.SIGTERM)
        if service.sleep(_ENDING):
            self._fail(life, f"no end within {_ENDING:g} s of a stop")
        elif service.code not in _DONE and life.calm:
            self._fail(life, f"a stop ended with code {service.code}: {service.last_words()}")

    def _check(self, life: Life, service: Service, recovered: Line, since: int) -> None:
        if not self._is_stored(recovered.number, life, service):
            return
        truth = self._truth()
        self._certificate.recoveries += 1
        self._certificate.exact += self._reckoning.exact(truth)
        self._report(life, self._reckoning.recovered(truth, since))

    def _is_stored(self, number: int, life: Life, service: Service) -> bool:
        """Whether a record is on the disk, in a moment; what a process said as it died may never get there."""
        until = time.monotonic() + _DURABLE
        ended = False
        while not self._reckoning.read(number):
            if ended:
                return False
            if time.monotonic() > until:
                self._fail(life, f"Reconciled ({number}) is not in the journal after {_DURABLE:g} s")
                return False
            ended = service.ended
            time.sleep(0.02)
        return True

    def _close(self) -> None:
        """A last life in calm weather, over the end of the day, and the reckoning."""
        life = Life(number=self._life, end="close", delay=0.0)
        service = self._start(life)
        try:
            if service.until(_is_recovered, _RECOVERY) is None:
                self._fail(life, f"the last life did not recover: {service.last_words()}")
            service.sleep(_LAST_TRADES)
            self._exchange.finish()
            self._wait_for_agreement(service)
            self._end_in_order(life, service)
        finally:
            service.kill()
            self._listen(service, life)
        self._reckoning.read(1 << 62)
        self._sum_up(life)

    def _wait_for_agreement(self, service: Service) -> None:
        until = time.monotonic() + _AGREEMENT
        while time.monotonic() < until and not service.ended:
            self._reckoning.read(1 << 62)
            if self._reckoning.is_matched and not self._reckoning.unsettled(self._truth()):
                return
            service.sleep(0.2)

    def _end_in_order(self, life: Life, service: Service) -> None:
        if not service.ended:
            with suppress(inbox.NoSystem):  # the day is over: it is on its way out by itself
                self._bounded(life, inbox.send(self._system, "status"))
            if service.sleep(_ENDING):
                service.signal(signal.SIGTERM)
                service.sleep(_ENDING)
        if service.code not in _DONE:
            self._fail(life, f"the last life ended with code {service.code}: {service.last_words()}")

    def _bounded(self, life: Life, status: dict[str, Any]) -> None:
        boxes = msgspec.convert(status.get("mailboxes", {}), dict[str, Statistics])
        self._report(life, invariants.bounded(boxes))

    def _sum_up(self, life: Life) -> None:
        truth, reckoning, certificate = self._truth(), self._reckoning, self._certificate
        self._report(life, reckoning.closed(truth))
        if not reckoning.is_matched:
            self._fail(life, "the day was never matched")
        lost, doubled, won = reckoning.differences(truth)
        certificate.lost_fills += lost
        certificate.doubled_orders += doubled
        certificate.won += won
        certificate.orders += len(truth.placed())
        certificate.fills += len(truth.fills)
        certificate.unknown += reckoning.unknown
        certificate.journals[f"{self._day.number:03}"] = reckoning.head

    def _start(self, life: Life) -> Service:
        for fault in life.faults:
            self._tally.faults[f"{fault['kind']} {fault['record']}"] += 1
        if life.skew:
            self._tally.troubles["clock off"] += 1
        twin = {"exchange": self._address, "server": "real", "faults": list(life.faults), "skew": life.skew}
        overrides = (
            f"system.data={self._system}",
            f"system.seed={Random(f'system {self._day.seed} {life.number}').randrange(_SEEDS)}",
            f"gateway.kiwoom.twin={toml(twin)}",
            *life.overrides,
        )
        return Service(CONFIG, self._system, overrides, fault=life.point, output=self.folder / "output.log")

    def _listen(self, service: Service, life: Life) -> None:
        """What it printed before it died."""
        for line in service.rest():
            if line.event == "journal head":
                self._reckoning.heads.append(line.head)
            elif line.event == "unhandled" and life.calm:
                self._fail(life, f"unhandled: {line.error}")

    def _truth(self) -> Truth:
        state = self._exchange.account_state(self._exchange.account)
        assert isinstance(state, AccountState)
        return Truth(state.orders, state.fills, state)

    def _report(self, life: Life, breaches: Breaches) -> None:
        for breach in breaches:
            self._fail(life, breach)

    def _fail(self, life: Life, what: str) -> None:
        day = self._day
        data = shlex.quote(f"{self.folder.parent}-again")
        mode = f"{' --points' if day.point else ''} --speed {self._speed:g}"
        again = f"{self._plan.options}{mode} --kills {day.kills} --only {day.number} --data {data}"
        self._tally.fail(Failure(day.number, life.number, what, f"kiwoom-actors chaos {again}"))


def _is_recovered(line: Line) -> bool:
    return line.event == "Reconciled" and line.start
