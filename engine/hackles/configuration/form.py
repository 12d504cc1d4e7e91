"""The daemon's configuration file: which sections and keys it has, and what they must be."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hackles.configuration import addresses, rules
from hackles.configuration.faults import Finding, Sections
from hackles.configuration.sections import Form
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


def _findings(raw: Mapping[str, Any], sections: Sections) -> Iterator[Finding]:
    yield from addresses.findings(sections)
    yield from rules.findings(raw, sections)


FORM: Final = Form(
    Settings,
    _findings,
    _PATHS,
    no_paths={("engine", "model"): ("", DEFAULT_MODEL)},
    why=_WHY,
    missing={"compliance": _NO_COMPLIANCE},
)
