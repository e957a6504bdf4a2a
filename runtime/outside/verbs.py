"""What somebody outside may ask of a running system: any part answers, by a method marked `@answers("orders")`."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar, get_type_hints

import msgspec

Answer = dict[str, Any]
Method = Callable[..., Answer | Awaitable[Answer]]
M = TypeVar("M", bound=Callable[..., Any])
_MARK = "_answers"


class Declined(Exception):
    """What is asked will not be done: one line for the user, why and what to do."""


def answers(verb: str) -> Callable[[M], M]:
    """Make a method answer a verb. Its keyword-only parameters are the verb's arguments, checked by their annotations.

    It returns a dict of JSON values, at once or, as `async def`, when it is done; it raises Declined.
    """

    def mark(method: M) -> M:
        setattr(method, _MARK, verb)
        return method

    return mark


def known(parts: Iterable[object]) -> dict[str, Method]:
    """The verbs these parts answer; the first counts where two answer the same."""
    found: dict[str, Method] = {}
    for part in parts:
        for name, method in inspect.getmembers(type(part), inspect.isfunction):
            if hasattr(method, _MARK):
                found.setdefault(getattr(method, _MARK), getattr(part, name))
    return found


async def ask(methods: Mapping[str, Method], verb: str, arguments: Mapping[str, Any]) -> Answer:
    """Raises Declined for a verb or arguments nobody knows."""
    method = methods.get(verb)
    if method is None:
        raise Declined(f"unknown command {verb!r}; known: {', '.join(sorted(methods))}")
    answer = method(**_checked(method, verb, arguments))
    return await answer if isinstance(answer, Awaitable) else answer


def _checked(method: Method, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    parameters, hints = inspect.signature(method).parameters, get_type_hints(method)
    for name in arguments:
        if name not in parameters:
            raise Declined(f"{verb} knows no {name!r}; known: {', '.join(parameters) or 'nothing'}")
    missing = [n for n, p in parameters.items() if p.default is inspect.Parameter.empty and n not in arguments]
    if missing:
        raise Declined(f"{verb} needs {', '.join(missing)}")
    try:
        return {name: msgspec.convert(value, hints.get(name, Any)) for name, value in arguments.items()}
    except msgspec.ValidationError as error:
        raise Declined(f"{verb}: {error}") from None
