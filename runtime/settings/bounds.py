"""What a setting may be: annotations of constructors, to which a config's values are held before anything is made."""

from typing import Annotated, Final

from msgspec import Meta

_LONG: Final = 100_000_000.0
_MUCH: Final = 1_000_000_000_000_000
_OFTEN: Final = 1_000_000_000
NAMES_ACTOR: Final = "names an actor"

Seconds = Annotated[float, Meta(ge=0, le=_LONG, description="seconds, 0 or more")]
Span = Annotated[float, Meta(ge=0.001, le=_LONG, description="seconds, at least 0.001")]
StopSeconds = Annotated[float, Meta(ge=0.1, le=600, description="seconds, 0.1 to 600")]
Percent = Annotated[float, Meta(ge=0, le=100, description="a percentage, 0 to 100")]
Loss = Annotated[float, Meta(ge=0, lt=100, description="a percentage, 0 to under 100")]
Part = Annotated[float, Meta(ge=0, le=1, description="a part of one, 0 to 1")]
Rate = Annotated[float, Meta(ge=0, le=0.1, description="a part of one, 0 to 0.1")]
Figure = Annotated[float, Meta(ge=0, le=_LONG, description="a number, 0 or more")]
Amount = Annotated[int, Meta(ge=0, le=_MUCH, description="whole won, 0 or more")]
Count = Annotated[int, Meta(ge=0, le=_OFTEN, description="a whole number, 0 or more")]
Several = Annotated[int, Meta(ge=1, le=_OFTEN, description="a whole number, 1 or more")]
TimeOfDay = Annotated[
    str, Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$", description="a time of the day as HH:MM, or blank")
]
Day = Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\d)?$", description="a date as YYYY-MM-DD, or blank")]
Code = Annotated[str, Meta(pattern=r"^[0-9A-Z]{6}(_NX|_AL)?$", description="codes of six digits or capitals")]
ActorName = Annotated[str, Meta(extra={NAMES_ACTOR: True}, description="the name of an actor, or blank")]
