"""The file's sections and keys, each judged by its own type, so that one fault hides no other."""

import difflib
import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from hackles.configuration.faults import Finding, Section, Sections
from hackles.configuration.positions import Path
from hackles.configuration.wanted import shown, wanted
from hackles.settings import DEFAULT_MODEL, Settings

_PATHS: Final = frozenset(
    [
        ("engine", "model"),
        ("media", "certificate"),
        ("media", "key"),
        ("media", "token_file"),
        ("media", "twilio_token_file"),
        ("pipe", "path"),
        ("folder", "path"),
        ("device", "linphone"),
        ("output", "jsonl"),
        ("store", "folder"),
        ("store", "head"),
        ("board", "token_file"),
        ("guidance", "folder"),
    ]
)
_STANDARD_STREAM: Final = "-"
_NO_PATHS: Final[dict[Path, tuple[str, ...]]] = {("engine", "model"): ("", DEFAULT_MODEL)}
"""Of keys of paths, what names no file."""

_STAND_INS: Final = {"listen": "127.0.0.1:0"}
"""For what is missing or not well, so that the rest of the section can be judged."""

_WHY: Final = {
    "compliance": (
        ", because the law asks for both before anybody is listened to (GDPR Art. 6 and 13, "
        "EU AI Act Art. 50)"
    ),
    "pipe": ", because only the customer's voice may be scored",
    "folder": ", because only the customer's voice may be scored",
}
_NO_COMPLIANCE: Final = (
    "is missing: listening to live calls starts only when it names how callers are told and the "
    f"legal basis{_WHY['compliance']}; add it with two lines, "
    'notice = "where and how callers are told that their voice is analysed" and basis = "consent"'
)


def _kinds() -> dict[str, tuple[inspect.StructType, bool]]:
    """Return the struct of each section, and whether there may be several."""
    kinds: dict[str, tuple[inspect.StructType, bool]] = {}
    for field in _struct(inspect.type_info(Settings)).fields:
        several = isinstance(field.type, inspect.VarTupleType)
        kinds[field.name] = (_struct(field.type), several)
    return kinds


def _struct(kind: inspect.Type) -> inspect.StructType:
    if isinstance(kind, inspect.StructType):
        return kind
    if isinstance(kind, inspect.VarTupleType):
        return _struct(kind.item_type)
    if isinstance(kind, inspect.UnionType):
        return _struct(kind.types[0])
    raise TypeError(f"{kind} is no section")


KINDS: Final = _kinds()


def read(raw: dict[str, Any], folder: str) -> tuple[Sections, list[Finding]]:
    """Return the sections as far as they could be read, and what is wrong with them.

    Args:
        raw: the file, as `tomllib` gives it.
        folder: where the file lies; relative paths begin there.
    """
    findings = [] if "compliance" in raw else [Finding(("compliance",), _NO_COMPLIANCE)]
    sections: Sections = {}
    for name, value in raw.items():
        if name not in KINDS:
            findings.append(_unknown_section(name, value))
            continue
        kind, several = KINDS[name]
        if not _is_shaped(value, several):
            findings.append(_misshaped(name, several))
            continue
        for at, table in enumerate(value if several else [value]):
            path = (name, at) if several else (name,)
            sections[path], wrong = _section(path, kind, table, folder)
            findings += wrong
    return sections, findings


def _is_shaped(value: object, several: bool) -> bool:
    if several:
        return isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return isinstance(value, dict)


def _misshaped(name: str, several: bool) -> Finding:
    if several:
        return Finding(
            (name,), f"must be written [[{name}]], with two brackets: there may be several"
        )
    return Finding((name,), f"must be written [{name}], with one bracket, and only once")


def _unknown_section(name: str, value: object) -> Finding:
    if isinstance(value, dict | list):
        return Finding((name,), f"is not a section of this file; {_nearest(name, KINDS)}")
    text = f"{name} is a key outside any section; put it below one of {_all(KINDS)}"
    return Finding((), text, (name,))


def _section(
    path: Path, kind: inspect.StructType, table: dict[str, Any], folder: str
) -> tuple[Section, list[Finding]]:
    """Read one section, key by key."""
    fields = {field.name: field for field in kind.fields}
    unknown = [name for name in table if name not in fields]
    findings = [
        Finding(path, f"{name} is not a key of this section; {_nearest(name, fields)}", (name,))
        for name in unknown
    ]
    values: dict[str, Any] = {}
    bad = {near for name in unknown for near in _near(name, fields) if near not in table}
    for name, field in fields.items():
        if name in table:
            try:
                values[name] = _converted(path, kind, name, table[name], folder)
            except msgspec.ValidationError:
                text = f"{name} must be {wanted(field.type)}, not {shown(table[name])}"
                findings.append(Finding(path, text, (name,)))
                bad.add(name)
        elif field.required:
            if name not in bad:
                findings.append(_missing(path, field))
                bad.add(name)
        elif (path[0], name) in _PATHS:
            values[name] = _converted(path, kind, name, field.default, folder)
    stand_ins = {name: _STAND_INS.get(name, "") for name in bad if fields[name].required}
    return Section(path, kind.cls(**values, **stand_ins), frozenset(bad)), findings


def _converted(
    path: Path, kind: inspect.StructType, name: str, value: object, folder: str
) -> object:
    """Return a key's value as its type has it, paths as seen from anywhere.

    Raises:
        ValidationError: if it is not of this type, or out of its range.
    """
    annotations = msgspec.structs.fields(kind.cls)
    wants = next(field.type for field in annotations if field.name == name)
    converted = msgspec.convert(value, type=wants)
    no_paths = _NO_PATHS.get((path[0], name), ("", _STANDARD_STREAM))
    if (path[0], name) in _PATHS and converted not in no_paths:
        return os.path.join(folder, os.path.expanduser(converted))
    return converted


def _missing(path: Path, field: inspect.Field) -> Finding:
    why = "" if field.name in ("listen", "path", "call") else _WHY.get(str(path[0]), "")
    return Finding(path, f"lacks {field.name}; add it ({wanted(field.type)}){why}")


def _near(name: str, known: Iterable[str]) -> list[str]:
    """Return what may have been meant: one, or nothing."""
    return difflib.get_close_matches(name, list(known), n=1)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = _near(name, known)
    return f"did you mean {near[0]}?" if near else f"there are {_all(known)}"


def _all(names: Iterable[str]) -> str:
    return ", ".join(names)


def every_key() -> Iterator[tuple[str, inspect.Field]]:
    """Yield each key that a file may have, with its section's name."""
    for name, (kind, _) in KINDS.items():
        for field in kind.fields:
            yield name, field
