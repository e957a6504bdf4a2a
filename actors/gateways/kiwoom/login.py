"""Logging in: which server, which account, and whether that is what the config meant."""

from typing import Final, Literal

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from messages import Record

Server = Literal["mock", "real"]
_ACCOUNT_DIGITS: Final = 10


class LoginFailed(ConnectionError):
    """There is no session now; there may be one later."""


class LoginRefused(PermissionError):
    """The session is not the one the config asks for; the text says what to do."""


class Login(Record):
    """A session that may trade one account."""

    account: str
    accounts: tuple[str, ...]
    server: Server


def refuse_failure(code: object) -> None:
    """Raises LoginFailed where CommConnect gave, or OnEventConnect brought, anything but 0."""
    if code != 0:
        error = codes.error_of(code)
        raise LoginFailed(f"login failed: {code} {error.meaning}; {error.mend}")


def open_session(calls: Calls, *, account: str, server: Server, confirmation: str) -> Login:
    """Account and server of a connected control, compared with what was asked for. Raises LoginRefused."""
    accounts = tuple(part.strip() for part in calls.login_info("ACCNO").split(";") if part.strip())
    found: Server = "mock" if calls.function("GetServerGubun") == "1" else "real"
    if found != server:
        raise LoginRefused(f'the login is on the {found} server, the config says server = "{server}"; mend either')
    chosen = _choose(accounts, account)
    if server == "real" and confirmation != chosen[-4:]:
        raise LoginRefused("live trading is not confirmed: set live_confirmation to the account's last four digits")
    return Login(account=chosen, accounts=accounts, server=found)


def _choose(accounts: tuple[str, ...], account: str) -> str:
    if not accounts:
        raise LoginRefused("this login has no account; open one, or log in with another ID")
    if not account:
        return accounts[0]
    matching = [one for one in accounts if one == account or (len(account) < _ACCOUNT_DIGITS and one.endswith(account))]
    if len(matching) != 1:
        raise LoginRefused(f"account names {len(matching)} of the {len(accounts)} accounts there are; give all digits")
    return matching[0]
