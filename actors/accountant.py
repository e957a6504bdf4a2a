"""Accountant: the account in figures, exact to the won, for whoever shows it."""

from actors.account.carrying import carried
from actors.account.ledger import Booked, Ledger
from actors.account.recovery import History, replay, state_at
from actors.market.venues import HOME
from messages import AccountChanged, LedgerCarried, LedgerFolded, Message, Nanoseconds, Reconciled, Tick, Won
from runtime.actor import Actor, handles, latest
from runtime.settings.bounds import Rate

_PERIOD = 0.5
"""Seconds between two accounts at least, unless the last share went."""


class Due(Message):
    """The accountant's own beat."""

    journalled = False


class Accountant(Actor, publishes=(AccountChanged, LedgerFolded, LedgerCarried), core=True):
    """Publishes an AccountChanged when something changed, at most two a second, and one at the end.

    Once a day, before the first order, it states the whole account, so that later starts need not read what was before.

    `commission` is the broker's rate, for what open buys bind; what was paid comes from the fills.
    """

    def __init__(self, journal: History, *, commission: Rate = 0.00015) -> None:
        self._journal = journal
        self._ledger = Ledger(commission=commission)
        self._due = False
        self._carried = ""
        """The day of the last state that later starts can go on from."""

    async def on_start(self) -> None:
        self._carried = await replay(self._journal, self._ledger)

    def on_stop(self) -> None:
        self._publish()

    @latest
    def on_tick(self, tick: Tick) -> None:
        if tick.venue is not HOME:
            return
        self._ledger.mark(tick.symbol, tick.price)
        if tick.symbol in self._ledger.holdings:
            self._publish_soon()

    @handles
    def on_booked(self, message: Booked) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        held = any(True for _ in self._ledger.each())
        self._ledger.fold(message, envelope.number)
        self._publish_soon()
        if isinstance(message, Reconciled):
            self._state(envelope.number)
        if held and not any(True for _ in self._ledger.each()):
            self._publish()

    @handles
    def on_due(self, _due: Due) -> None:
        self._due = False
        self._publish()

    def _state(self, reconciliation: int) -> None:
        state = state_at(reconciliation, self._ledger)
        if state is None:
            return
        self.publish(state)
        whole = carried(self._ledger, reconciliation) if self._carried != self._ledger.day else None
        if whole is not None:
            self._carried = whole.day
            self.publish(whole)

    def _publish_soon(self) -> None:
        if not self._due:
            self._due = True
            self.after(_PERIOD, Due())

    def _publish(self) -> None:
        ledger = self._ledger
        self.publish(
            AccountChanged(
                time=Nanoseconds(self.desk.clock.now()),
                cash=Won(ledger.cash),
                reserved=Won(ledger.reserved),
                positions=ledger.positions(),
                realised=Won(ledger.realised),
                unrealised=Won(ledger.unrealised),
                commission=Won(ledger.commission),
                tax=Won(ledger.tax),
                equity=Won(ledger.equity),
            )
        )
