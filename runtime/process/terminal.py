"""What the code page of a terminal or pipe lacks is escaped: work that is done must not fail at saying so."""

import codecs
import json
import sys
from typing import Final

_ESCAPED: Final = "kiwoom-actors-escaped"


def escape() -> None:
    """In what is printed from here on, as JSON escapes it, so that JSON stays JSON."""
    codecs.register_error(_ESCAPED, _escape)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=_ESCAPED)


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
