"""When losses end the day's entries."""

from actors.account.ledger import Ledger
from actors.limits.rule import Figures, Limits, Refusal, Rule, View, Wish


def daily_loss(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    return _loss("daily loss", wish, ledger, ledger.opening, limits.max_daily_loss_percent)


def drawdown(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    return _loss("drawdown", wish, ledger, ledger.high, limits.max_drawdown_percent)


def losers(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if not wish.entry or ledger.losers < limits.max_losers:
        return None
    return Refusal(rule="losers in a row", figures={"losers": ledger.losers}, limit=limits.max_losers)


def _loss(rule: str, wish: Wish, ledger: Ledger, reference: int, percent: float) -> Refusal | None:
    lost = reference - ledger.equity
    if lost <= 0 or not wish.entry or lost * 100 < percent * reference:
        return None
    figures: Figures = {"equity": ledger.equity, "from": reference, "lost": lost}
    return Refusal(rule=rule, figures=figures, limit=percent)


RULES: tuple[Rule, ...] = (daily_loss, drawdown, losers)
