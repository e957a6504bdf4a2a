"""Kiwoom's gateway at the exchange of a seed's world, with an ear on what passes through."""

import random
from pathlib import Path
from typing import cast

from actors.campaigns.swarm.world import ACCOUNT, WORLD, Sent
from actors.gateways.kiwoom.control import Control
from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.twin.twin import Twin, open_control
from actors.gateways.port import Instruction, SendResult
from runtime.clock import Clock


class Terminal(OcxGateway):
    """The real gateway over the twin; the exchange behind it was there before, and stays."""

    def __init__(self, clock: Clock, data: Path, rng: random.Random) -> None:
        self._world = world = WORLD.get()
        world.line = self
        super().__init__(
            clock, data, rng, twin=world.settings, account=ACCOUNT, server="real", live_confirmation=ACCOUNT[-4:]
        )

    def begins(self) -> int | None:
        return self._world.now

    def send(self, instruction: Instruction) -> SendResult:
        exchange = self._world.exchange
        exchange.given = ""
        result = super().send(instruction)
        if exchange.given or self._world.line is self:
            self._world.sent.append(Sent(instruction.order, instruction.action, exchange.given, exchange.date))
            self._world.heard("send")
        return result

    def on_answer(self, screen: str, name: str, answer: object) -> None:
        super().on_answer(screen, name, answer)
        self._world.heard("answer")

    def on_order_record(self, fields: dict[int, str]) -> None:
        super().on_order_record(fields)
        self._world.heard("record")

    def on_connect(self, code: int) -> None:
        super().on_connect(code)
        if code:
            self._world.heard("cut")

    def heal(self) -> None:
        """Nothing goes wrong on the line any more."""
        if self.opened:
            self.twin.server.outbox.heal()

    def unplug(self) -> None:
        """Nothing passes any more, in either direction."""
        if self.opened:
            self.twin.close()

    @property
    def opened(self) -> bool:
        """Whether there is a control yet."""
        return hasattr(self, "_control")

    @property
    def twin(self) -> Twin:
        return cast("Twin", self._control)

    def _open_control(self) -> Control:
        control = open_control(self._twin, self._clock, self._rng, self._world.exchange)
        control.backlog = lambda: self._intake.waiting
        return cast("Control", control)
