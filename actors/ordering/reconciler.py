"""Squares the ledger with the broker: at the start, every minute, on suspicion."""

import asyncio
from collections.abc import Callable

from actors.account.ledger import Ledger
from actors.account.order import Phase
from actors.gateways.port import Broker, BrokerOrder, BrokerState
from actors.market.time import kst
from actors.ordering.reconciliation import Finding, compare, confirmed, positions, stranger
from actors.ordering.requests import event
from messages import Message, Nanoseconds, OrderExpired, OrderRejected, OrderUnknown, Reconciled, Won
from runtime.actor import Log
from runtime.clock import Clock

SECOND_LOOK = 5.0
"""Seconds between two snapshots that must agree before what is missing counts as gone."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each next attempt to ask for the account at the start."""


class Reconciler:
    """Asks the broker, books what is certain through `say`, and says how it went."""

    def __init__(
        self, broker: Broker, ledger: Ledger, clock: Clock, log: Log, say: Callable[[Message], object]
    ) -> None:
        self._broker = broker
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._say = say
        self._one_at_a_time = asyncio.Lock()
        self._seen: dict[str, None] = {}

    def end_earlier_orders(self) -> None:
        """Day orders of another day are over, what was never submitted was never sent, the rest is unknown."""
        today = kst(self._clock.now()).date()
        for order in self._ledger.live():
            fields = event(order, Nanoseconds(self._clock.now()))
            if order.time and kst(order.time).date() != today:
                self._say(OrderExpired(**fields, broker_order=order.broker_order, expired=order.open))
            elif order.phase is Phase.APPROVED:
                self._say(OrderRejected(**fields, reason="never sent: the system ended before"))
            elif order.phase in (Phase.SUBMITTING, Phase.SENT):
                self._say(OrderUnknown(**fields, reason="the system ended before the answer came"))

    async def start(self) -> None:
        """The match before which nobody trades. Raises what the broker raises once patience is at its end."""
        await self._match(await self._first_state(), start=True)

    async def look(self) -> bool:
        """One match; False where the broker did not answer."""
        async with self._one_at_a_time:
            try:
                await self._match(await self._broker.state(), start=False)
            except (TimeoutError, ConnectionError) as error:
                self._log.warning("not reconciled", error=str(error))
                return False
            return True

    async def _first_state(self) -> BrokerState:
        for pause in PAUSES:
            try:
                return await self._broker.state()
            except (TimeoutError, ConnectionError) as error:
                self._log.warning("the broker does not tell the account", error=str(error), again_in=pause)
                await self._clock.sleep(pause)
        return await self._broker.state()

    async def _match(self, state: BrokerState, *, start: bool) -> None:
        findings: tuple[Finding, ...] = ()
        strangers: tuple[BrokerOrder, ...] = state.orders
        if self._ledger.day:
            match = compare(self._ledger, state)
            strangers = match.strangers
            if match.findings:
                await self._clock.sleep(SECOND_LOOK)
                state = await self._broker.state()
                again = compare(self._ledger, state)
                findings, strangers = confirmed(match, again), again.strangers
        self._tell_strangers(strangers)
        for finding in findings:
            self._log.warning("difference", what=finding.line)
            for message in finding.messages:
                self._say(message)
        self._say(_reconciled(state, findings, Nanoseconds(self._clock.now()), start=start))

    def _tell_strangers(self, orders: tuple[BrokerOrder, ...]) -> None:
        for order in orders:
            if order.broker_order not in self._seen:
                self._seen[order.broker_order] = None
                self._say(stranger(order))


def _reconciled(state: BrokerState, findings: tuple[Finding, ...], now: Nanoseconds, *, start: bool) -> Reconciled:
    return Reconciled(
        time=now,
        cash=Won(state.cash),
        positions=positions(state),
        open_orders=sum(order.open > 0 for order in state.orders),
        differences=tuple(finding.line for finding in findings),
        start=start,
    )
