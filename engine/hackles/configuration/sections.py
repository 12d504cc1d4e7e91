"""The file's sections and keys, each judged by its own type, so that one fault hides no other."""

import difflib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as of_class
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import inspect

from hackles.configuration.faults import Finding, Section, Sections
from hackles.configuration.positions import Path
from hackles.configuration.wanted import shown, wanted

_STANDARD_STREAM: Final = "-"

_Read = TypeVar("_Read", bound=msgspec.Struct)
_STAND_INS: Final = {"listen": "127.0.0.1:0"}
"""For what is missing or not well, so that the rest of the section can be judged."""


@dataclass(frozen=True)
class Form(Generic[_Read]):
    """What a kind of configuration file holds.

    Attributes:
        settings: the struct of all of it, one attribute a section.
        findings: judges keys that are well by themselves, given the file and its sections.
        paths: keys that name files, (section, key): relative ones begin at the file's folder.
        no_paths: of these, what names no file, beside "" and "-".
        why: why a section's required keys are asked for, for their sentences.
        missing: the sentence for a section that must be there and is not.
        example: the command that prints such a file.
    """

    settings: type[_Read]
    findings: "Callable[[Mapping[str, Any], Sections], Iterable[Finding]]"
    paths: frozenset[Path]
    no_paths: Mapping[Path, tuple[str, ...]] = of_class(default_factory=dict)
    why: Mapping[str, str] = of_class(default_factory=dict)
    missing: Mapping[str, str] = of_class(default_factory=dict)
    example: str = "hackles config example"

    @cached_property
    def kinds(self) -> dict[str, tuple[inspect.StructType, bool]]:
        """The struct of each section, and whether there may be several."""
        found: dict[str, tuple[inspect.StructType, bool]] = {}
        for section in _struct(inspect.type_info(self.settings)).fields:
            several = isinstance(section.type, inspect.VarTupleType)
            found[section.name] = (_struct(section.type), several)
        return found

    @cached_property
    def standing(self) -> frozenset[str]:
        """The sections that hold without standing in a file, and have paths in them.

        These begin at the file's folder as well.
        """
        fields = _struct(inspect.type_info(self.settings)).fields
        holding = {one.name for one in fields if isinstance(one.default, msgspec.Struct)}
        return frozenset(str(section) for section, _ in self.paths if section in holding)

    def every_key(self) -> Iterator[tuple[str, inspect.Field]]:
        """Yield each key that a file may have, with its section's name."""
        for name, (kind, _) in self.kinds.items():
            for key in kind.fields:
                yield name, key


def _struct(kind: inspect.Type) -> inspect.StructType:
    if isinstance(kind, inspect.StructType):
        return kind
    if isinstance(kind, inspect.VarTupleType):
        return _struct(kind.item_type)
    if isinstance(kind, inspect.UnionType):
        return _struct(kind.types[0])
    raise TypeError(f"{kind} is no section")


def read(form: Form[Any], raw: dict[str, Any], folder: str) -> tuple[Sections, list[Finding]]:
    """Return the sections as far as they could be read, and what is wrong with them.

    Args:
        form: what the file should hold.
        raw: the file, as `tomllib` gives it.
        folder: where the file lies; relative paths begin there.
    """
    findings = [Finding((n,), text) for n, text in form.missing.items() if n not in raw]
    sections: Sections = {}
    unsaid: dict[str, Any] = {name: {} for name in form.standing if name not in raw}
    for name, value in {**unsaid, **raw}.items():
        if name not in form.kinds:
            findings.append(_unknown_section(form, name, value))
            continue
        _, several = form.kinds[name]
        if not _is_shaped(value, several):
            findings.append(_misshaped(name, several))
            continue
        for at, table in enumerate(value if several else [value]):
            path = (name, at) if several else (name,)
            sections[path], wrong = _section(form, path, table, folder)
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


def _unknown_section(form: Form[Any], name: str, value: object) -> Finding:
    if isinstance(value, dict | list):
        return Finding((name,), f"is not a section of this file; {_nearest(name, form.kinds)}")
    text = f"{name} is a key outside any section; put it below one of {_all(form.kinds)}"
    return Finding((), text, (name,))


def _section(
    form: Form[Any], path: Path, table: dict[str, Any], folder: str
) -> tuple[Section, list[Finding]]:
    """Read one section, key by key."""
    kind, _ = form.kinds[str(path[0])]
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
                values[name] = _converted(form, path, name, table[name], folder)
            except msgspec.ValidationError:
                text = f"{name} must be {wanted(field.type)}, not {shown(table[name])}"
                findings.append(Finding(path, text, (name,)))
                bad.add(name)
        elif field.required:
            if name not in bad:
                findings.append(_missing(form, path, field))
                bad.add(name)
        elif (path[0], name) in form.paths:
            values[name] = _converted(form, path, name, field.default, folder)
    stand_ins = {name: _STAND_INS.get(name, "") for name in bad if fields[name].required}
    return Section(path, kind.cls(**values, **stand_ins), frozenset(bad)), findings


def _converted(form: Form[Any], path: Path, name: str, value: object, folder: str) -> object:
    """Return a key's value as its type has it, paths as seen from anywhere.

    Raises:
        ValidationError: if it is not of this type, or out of its range.
    """
    annotations = msgspec.structs.fields(form.kinds[str(path[0])][0].cls)
    wants = next(field.type for field in annotations if field.name == name)
    converted = msgspec.convert(value, type=wants)
    no_paths = form.no_paths.get((path[0], name), ("", _STANDARD_STREAM))
    if (path[0], name) in form.paths and converted not in no_paths:
        return os.path.join(folder, os.path.expanduser(converted))
    return converted


def _missing(form: Form[Any], path: Path, field: inspect.Field) -> Finding:
    why = "" if field.name in ("listen", "path", "call") else form.why.get(str(path[0]), "")
    return Finding(path, f"lacks {field.name}; add it ({wanted(field.type)}){why}")


def _near(name: str, known: Iterable[str]) -> list[str]:
    """Return what may have been meant: one, or nothing."""
    return difflib.get_close_matches(name, list(known), n=1)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = _near(name, known)
    return f"did you mean {near[0]}?" if near else f"there are {_all(known)}"


def _all(names: Iterable[str]) -> str:
    return ", ".join(names)
