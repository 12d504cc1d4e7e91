"""What a key wants, in words, from its type in `settings`."""

import json
from typing import Final

from msgspec import inspect

_LONGEST: Final = 40


def shown(value: object) -> str:
    """Return a value as it may have been written, or its beginning."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # Python shows no number of more than 4,300 digits
        return "a number of very many digits"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def wanted(kind: inspect.Type) -> str:
    """Return what a value must be: "a whole number from 1 to 256"."""
    match kind:
        case inspect.Metadata():
            return (kind.extra_json_schema or {}).get("description") or wanted(kind.type)
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text in quotes"
        case inspect.IntType():
            return f"a whole number{_limits(kind)}"
        case inspect.FloatType():
            return f"a number{_limits(kind)}"
        case inspect.LiteralType():
            return " or ".join(map(shown, kind.values))
        case inspect.UnionType():
            return " or ".join(
                wanted(one) for one in kind.types if not isinstance(one, inspect.NoneType)
            )
        case inspect.VarTupleType():
            return f"a list in brackets, each item {wanted(kind.item_type)}"
    raise TypeError(f"{kind} has no name in words")


def _limits(kind: inspect.IntType | inspect.FloatType) -> str:
    """Return the range of a number, as far as it has one."""
    lower = f" from {kind.ge:g}" if kind.ge is not None else ""
    lower = f" above {kind.gt:g}," if kind.gt is not None else lower
    upper = f"{' at most' if kind.gt is not None else ' to'} {kind.le:g}"
    return lower + upper if kind.le is not None else lower
