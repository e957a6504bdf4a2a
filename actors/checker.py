"""The checker holds figures the broker delivers against those that follow from the prints."""

from actors.market.derived import Interruptions, Strength
from actors.market.time import kst
from actors.market.venues import HOME
from messages import FeedLost, Instrument, Session, SessionChanged, Symbol, Tick, ViReleased, ViTriggered
from runtime.actor import Actor, handles
from runtime.life.vitals import Vitals


class Checker(Actor):
    """Compares 체결강도 with each print at the KRX, and references and prices of each volatility interruption.

    An issue is followed from its first print of a day on, and no further where one is missing, comes again or out of
    turn: from then on nothing is said of it that day. What differed is counted in the summary, and each issue's first
    is a warning.
    """

    def __init__(self, vitals: Vitals | None = None) -> None:
        self.counts: dict[str, int] = dict.fromkeys(
            ("strengths", "strengths_differ", "interruptions", "interruptions_differ"), 0
        )
        self._vitals = vitals
        self._closing = False
        self._instruments: dict[Symbol, Instrument] = {}
        self._volumes: dict[Symbol, int] = {}
        """Of the day, as the last print says."""
        self._strengths: dict[Symbol, Strength] = {}
        self._bands: dict[Symbol, Interruptions] = {}

    def on_start(self) -> None:
        if self._vitals is not None:
            self._vitals.add(self.desk.name, self.counts.copy)

    @handles
    def on_tick(self, tick: Tick) -> None:
        symbol = tick.symbol
        if tick.venue is not HOME or not tick.size:
            return
        self._follow(tick)
        if symbol in self._strengths:
            self._compare(self._strengths[symbol], tick)
        if symbol in self._bands:
            self._bands[symbol].add(tick)

    @handles
    def on_instrument(self, instrument: Instrument) -> None:
        if instrument.venue is not HOME:
            return
        self._instruments[instrument.symbol] = instrument
        if instrument.symbol in self._bands:
            self._bands[instrument.symbol].instrument = instrument

    @handles
    def on_session(self, message: SessionChanged) -> None:
        if message.venue is HOME and not message.remaining:
            self._closing = message.session is Session.CLOSING_AUCTION

    @handles
    def on_interruption(self, event: ViTriggered) -> None:
        bands = self._bands.get(event.symbol)
        if bands is None:
            return
        differed = bands.differences
        bands.begin(event, closing_auction=self._closing)
        self.counts["interruptions"] += 1
        if bands.differences > differed:
            self.counts["interruptions_differ"] += 1
            self.desk.log.warning("an interruption differs", symbol=event.symbol, price=event.trigger_price)

    @handles
    def on_release(self, event: ViReleased) -> None:
        if event.symbol in self._bands:
            self._bands[event.symbol].end(event)

    @handles
    def on_cut(self, _: FeedLost) -> None:
        self._strengths.clear()
        self._bands.clear()

    def on_stop(self) -> None:
        self.desk.log.info("checked", **self.counts)

    def _follow(self, tick: Tick) -> None:
        before, self._volumes[tick.symbol] = self._volumes.get(tick.symbol, 0), tick.volume
        if tick.volume == tick.size:
            self._begin(tick.symbol, tick.time)
        elif tick.volume - tick.size != before:
            self._strengths.pop(tick.symbol, None)
            self._bands.pop(tick.symbol, None)

    def _begin(self, symbol: Symbol, instant: int) -> None:
        self._strengths[symbol] = Strength()
        instrument = self._instruments.get(symbol)
        if instrument is not None:
            self._bands[symbol] = Interruptions(instrument, kst(instant).date())

    def _compare(self, strength: Strength, tick: Tick) -> None:
        compared, differed = strength.compared, strength.differences
        strength.add(tick)
        self.counts["strengths"] += strength.compared - compared
        self.counts["strengths_differ"] += strength.differences - differed
        if strength.differences and not differed:
            delivered, own = tick.strength, strength.value
            self.desk.log.warning("체결강도 differs", symbol=tick.symbol, delivered=delivered, own=own)
