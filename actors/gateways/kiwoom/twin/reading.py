"""What the data calls can read: only what belongs to the event that is being delivered."""

from collections.abc import Mapping
from typing import Final

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin.outbox import Answer
from actors.gateways.kiwoom.twin.values import blank_padded

_PLACES: Final = {name: {fid: place for place, fid in enumerate(kind.fids)} for name, kind in codes.REAL_TYPES.items()}
NO_REAL: Final = ("", "", "")


class Reading:
    """The current event's data; blank outside of it."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.chejan: Mapping[int, str] = {}
        self.real: tuple[str, str, str] = NO_REAL
        """Code, type and fields."""

    def repeat_count(self, tr: str, record: str) -> int:
        """GetRepeatCnt."""
        answer = self._of(tr, record)
        return len(answer.rows) if answer else 0

    def comm_data(self, tr: str, record: str, index: int, item: str) -> str:
        """GetCommData: a row's item where the answer has rows with it, else the single one."""
        answer = self._of(tr, record)
        if answer is None:
            return ""
        if item in answer.columns and 0 <= index < len(answer.rows):
            return blank_padded(answer.rows[index].get(item, ""))
        return blank_padded(answer.single.get(item, "")) if index == 0 else ""

    def comm_data_table(self, tr: str, record: str) -> list[list[str]] | None:
        """GetCommDataEx; None where there are no rows."""
        answer = self._of(tr, record)
        if answer is None or not answer.rows:
            return None
        return [[row.get(column, "") for column in answer.columns] for row in answer.rows]

    def chejan_data(self, fid: int) -> str:
        """GetChejanData."""
        return self.chejan.get(fid, "")

    def comm_real_data(self, code: str, fid: int) -> str:
        """GetCommRealData."""
        current, kind, fields = self.real
        place = _PLACES[kind].get(fid) if kind and code == current else None
        values = fields.split("\t")
        return blank_padded(values[place]) if place is not None and place < len(values) else ""

    def _of(self, tr: str, record: str) -> Answer | None:
        answer = self.answer
        return answer if answer is not None and answer.tr == tr.lower() and record in answer.names else None
