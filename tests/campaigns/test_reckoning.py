"""What a campaign would find if an order were lost, doubled or made up."""

from dataclasses import replace  # noqa: F401
from pathlib import Path
from typing import Any

from actors.campaigns.reckoning import Reckoning, Truth
from actors.exchange.orders import REFUSED, TRADED
from actors.exchange.records import AccountState, FillRecord, OrderRecord
from messages import Action, Kind, Message, Nanoseconds, Shares, Side, Validity, Won
from runtime.envelope import Envelope
from tests.account.records import CODE, NOON, accepted, approval, filled, opened, submitting, unknown
