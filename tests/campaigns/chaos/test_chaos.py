"""Killing the whole system against an exchange of its own: a short campaign, and what it would find."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from actors.campaigns.chaos import certificate
from actors.campaigns.chaos.campaign import Campaign, points
from actors.campaigns.chaos.certificate import Certificate, Failure
from actors.campaigns.chaos.plan import Plan, instant
from actors.campaigns.chaos.scenes import scene_of
from actors.exchange.client import ExchangeLost, RemoteExchange
from tests.exchange.hosted import until

ROOT = Path(__file__).parents[3]
CHAOS = "import typer; from actors.commands.chaos import chaos; typer.run(chaos)"

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    pytest.mark.timeout(300),
]


def chaos(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", CHAOS, "--data", str(data), *arguments]
    return subprocess.run(program, cwd=ROOT, capture_output=True, encoding="utf-8", check=False, timeout=280)


def made(data: Path) -> dict[str, Any]:
    return json.loads((data / "certificate.json").read_text(encoding="utf-8"))


def test_three_kills_lose_nothing_and_are_certified(tmp_path: Path) -> None:
    done = chaos(tmp_path, "--kills", "3", "--seed", "9", "--speed", "80")
    assert done.returncode == 0, done.stdout + done.stderr
    figures = made(tmp_path)
    assert figures["holds"] is True
    assert figures["killed"] == sum(figures["kills"].values()) >= 3
    assert (figures["lost_fills"], figures["doubled_orders"], figures["won"], figures["failures"]) == (0, 0, 0, [])
    assert figures["bound"] == pytest.approx(3 / figures["killed"])
    assert figures["seed"] == 9
    assert all(re.fullmatch(r"[0-9a-f]{64}", head) for head in figures["journals"].values())
    assert figures["versions"]["python"] == sys.version.split()[0]
    assert (tmp_path / "certificate.md").read_text(encoding="utf-8").startswith(f"# {figures['killed']} kills: every")
    assert not list(tmp_path.glob("day-*")), "a day that held leaves nothing behind"


def test_a_campaign_that_cannot_start_says_so_in_one_line(tmp_path: Path) -> None:
    taken = tmp_path / "a file"
    taken.write_text("")
    done = chaos(taken, "--kills", "1")
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert "kiwoom-actors: " in done.stderr


def test_the_same_seed_plans_the_same_and_another_does_not() -> None:
    names = points()
    now = instant("10:00:00")

    def drawn(seed: int) -> list[object]:
        plan = Plan(seed, points=names)
        day = plan.day(2, 40)
        return [day, *(plan.lives(day, now, number) for number in range(50))]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_recovery_is_killed_as_deep_as_was_asked_for() -> None:
    plan = Plan(1, points=points(), depth=3)
    lives = plan.lives(plan.day(0, 40), instant("10:00:00"), 7)
    assert [life.end for life in lives][1:] == ["early"] * 3
    assert [life.number for life in lives] == [7, 8, 9, 10]


def test_every_named_point_has_its_turn() -> None:
    names = points()
    assert len(names) >= 40
    plan = Plan(1, points=names)
    for number, name in enumerate(names):
        *_, life = plan.lives(plan.day(number, 3, name), instant("10:00:00"), 0)
        assert life.point.rpartition(":")[0] == name
        assert life.act == scene_of(name).act


def test_a_failure_is_in_the_certificate_with_the_command_that_repeats_it(tmp_path: Path) -> None:
    bad = Certificate(seed=3, command="kiwoom-actors chaos --seed 3", kills={"kill": 10, "early": 2}, finished=True)
    assert bad.holds
    bad.failures.append(Failure(4, 9, "I2: 900010: 3 here, 4 at the broker", "kiwoom-actors chaos --seed 3 --only 4"))
    certificate.write(bad, tmp_path)
    assert not bad.holds
    assert made(tmp_path)["holds"] is False
    text = (tmp_path / "certificate.md").read_text(encoding="utf-8")
    assert "- day 4, life 9: I2: 900010: 3 here, 4 at the broker (`kiwoom-actors chaos --seed 3 --only 4`)" in text
    assert text.startswith("# 12 kills: 1 failures")


def test_won_that_differ_are_no_holding_campaign() -> None:
    assert Certificate(seed=1, command="", finished=True).holds
    assert not Certificate(seed=1, command="", finished=True, won=1).holds
    assert not Certificate(seed=1, command="", finished=True, lost_fills=1).holds
    assert not Certificate(seed=1, command="", finished=True, doubled_orders=1).holds


def test_a_campaign_that_was_cut_short_certifies_nothing(tmp_path: Path) -> None:
    short = Certificate(seed=1, command="", kills={"kill": 3})
    certificate.write(short, tmp_path)

    assert made(tmp_path)["holds"] is False
    assert (tmp_path / "certificate.md").read_text(encoding="utf-8").startswith("# 3 kills: 0 failures, cut short\n")


def test_points_that_were_never_reached_are_named_and_no_holding_campaign(tmp_path: Path) -> None:
    missed = ("trader: halted, cancels not sent",)
    short = Certificate(seed=1, command="", kills={"point": 1}, unreached=missed, finished=True)
    certificate.write(short, tmp_path)
    text = (tmp_path / "certificate.md").read_text(encoding="utf-8")

    assert not short.holds
    assert text.startswith("# 1 kills: 0 failures, 1 points never reached")
    assert "\n- trader: halted, cancels not sent\n" in text


def test_a_campaign_of_points_that_breaks_off_names_those_it_owes(tmp_path: Path) -> None:
    class Broken(Campaign):
        def day(self, number: int, kills: int, point: str = "") -> None:
            raise OSError(f"no exchange for {number} {kills} {point}")

    owing = Certificate(seed=1, command="")
    campaign = Broken(Plan(1), owing, tmp_path, speed=30.0, say=lambda _: None)
    with pytest.raises(OSError, match="no exchange"):
        campaign.run_points(("recovery: journal read", "end of day: orders expired, not matched"), 1)

    assert owing.unreached == ("recovery: journal read", "end of day: orders expired, not matched")


def test_figures_of_recoveries_are_spread_by_rank() -> None:
    assert certificate.spread([float(n) for n in range(1, 101)]) == {"p50": 50.0, "p99": 99.0, "worst": 100.0}
    assert certificate.spread([]) == {}


def test_a_campaign_that_is_asked_to_end_takes_its_processes_with_it(tmp_path: Path) -> None:
    program = [sys.executable, "-c", CHAOS, "--data", str(tmp_path), "--kills", "5"]
    process = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    log = tmp_path / "day-000" / "exchange" / "exchange.log"
    until(lambda: log.exists() and log.read_text().startswith("127.0.0.1:"), seconds=120)
    address = log.read_text().split()[0]
    RemoteExchange(address).close()
    process.terminate()
    process.communicate(timeout=120)
    with pytest.raises(ExchangeLost):
        RemoteExchange(address)
