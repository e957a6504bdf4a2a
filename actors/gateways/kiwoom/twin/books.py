"""주식호가잔량 strings: 103 fields in table order, in which only the levels that changed are written anew."""

from actors.exchange.records import BookSnapshot
from actors.gateways.kiwoom.twin import values
from actors.gateways.kiwoom.twin.trades import Marks
from messages import Instrument

LEVELS = 10
_EMPTY = "0\t0\t0"
_NO_AUCTION = "0\t0.00\t3\t0\t0\t3\t0\t0.00"
_LIQUIDITY_PROVIDERS = "\t".join(["0"] * 20)
_TAIL = "\t%d\t%s\t%d\t%s\t%s\t%+d\t%.2f\t%+d\t%.2f\t%s\t%s\t%d\t%s\t\t"
"""121; 122; 125; 126; 23, 24; 128; 129; 138; 139; 200-238, 291-295; LP; 13; 299; 215; 216."""


class SideText:
    """Ten levels of one side, each as price, size and change of the size."""

    def __init__(self, marks: Marks) -> None:
        self.texts = [_EMPTY] * LEVELS
        self._marks = marks
        self._prices = self._sizes = (0,) * LEVELS
        self._moved: list[int] = []

    def update(self, prices: tuple[int, ...], sizes: tuple[int, ...]) -> None:
        """Write anew what changed, and what changed the time before."""
        texts, marks = self.texts, self._marks
        for at in self._moved:
            texts[at] = f"{marks[self._prices[at]]}\t{self._sizes[at]}\t0"
        moved: list[int] = []
        self._moved = moved
        if prices == self._prices and sizes == self._sizes:
            return
        if prices == self._prices:
            for at, (size, before) in enumerate(zip(sizes, self._sizes, strict=True)):
                if size != before:
                    texts[at] = f"{marks[prices[at]]}\t{size}\t{size - before:+d}"
                    moved.append(at)
        else:
            self._reprice(prices, sizes)
        self._prices, self._sizes = prices, sizes

    def _reprice(self, prices: tuple[int, ...], sizes: tuple[int, ...]) -> None:
        texts, marks, moved = self.texts, self._marks, self._moved
        levels = zip(prices, sizes, self._prices, self._sizes, strict=True)
        for at, (price, size, price_before, size_before) in enumerate(levels):
            change = size - size_before if price == price_before else size
            if change:
                texts[at] = f"{marks[price]}\t{size}\t{change:+d}"
                moved.append(at)
            elif price != price_before:
                texts[at] = _EMPTY


class BookText:
    """The book of one issue as it was last written."""

    def __init__(self, issue: Instrument, marks: Marks, volume_before: int) -> None:
        self._issue = issue
        self._marks = marks
        self._volume_before = volume_before
        self._asks, self._bids = SideText(marks), SideText(marks)
        self._texts = [""] * (2 * LEVELS)
        self._ask_total = self._bid_total = 0
        self._last_auction = "0\t0"
        self._last_ratio = "0.00"

    def render(self, book: BookSnapshot, volume: int) -> str:
        """The string of the book now, with changes against the one before."""
        self._asks.update(book.ask_prices, book.ask_sizes)
        self._bids.update(book.bid_prices, book.bid_sizes)
        texts = self._texts
        texts[0::2], texts[1::2] = self._asks.texts, self._bids.texts
        return values.hhmmss(book.time) + "\t" + "\t".join(texts) + self._tail(book, volume)

    def _tail(self, book: BookSnapshot, volume: int) -> str:
        asks, bids = book.ask_total, book.bid_total
        ask_change, bid_change = asks - self._ask_total, bids - self._bid_total
        self._ask_total, self._bid_total = asks, bids
        auction = self._auction(book) if book.expected_price else _NO_AUCTION
        return _TAIL % (
            asks,
            f"{ask_change:+d}" if ask_change else "0",
            bids,
            f"{bid_change:+d}" if bid_change else "0",
            self._last_auction,
            bids - asks,
            bids * 100 / asks if asks else 0.0,
            asks - bids,
            asks * 100 / bids if bids else 0.0,
            auction,
            _LIQUIDITY_PROVIDERS,
            volume,
            self._last_ratio,
        )

    def _auction(self, book: BookSnapshot) -> str:
        price, size, base = book.expected_price, book.expected_size, self._issue.base_price
        self._last_auction = f"{price}\t{size}"
        if self._volume_before:
            self._last_ratio = values.ratio(size * 100 / self._volume_before)
        change, rate = values.signed(price - base), values.percent(values.change_rate(price, base))
        code = values.direction(price, self._issue)
        return f"{change}\t{rate}\t{code}\t{self._marks[price]}\t{size}\t{code}\t{change}\t{rate}"
