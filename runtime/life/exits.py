"""How the process ends: exit codes, as docs/config.md lists them."""

from runtime.settings.config import ConfigError

DONE, FAILED, BAD_CONFIG, STOPPED_BY_RISK, CORE_FAILED, UNREACHABLE = range(6)


def code_of(error: BaseException) -> int:
    """Of a start that failed: what is out of reach now may be there in a minute."""
    if isinstance(error, ConfigError):
        return BAD_CONFIG
    return UNREACHABLE if isinstance(error, ConnectionError | TimeoutError) else FAILED
