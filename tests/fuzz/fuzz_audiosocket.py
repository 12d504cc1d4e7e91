"""AudioSocket's framing, fed anything, cut anywhere, beside a line on which all is well.

What `Lines` finds is what a reader finds that has everything at once and goes byte by byte. The
first byte says how many cuts there are, so many bytes how long each part is, the rest is sent.

    pip install atheris
    python -m tests.fuzz.fuzz_audiosocket tests/fuzz/corpus/audiosocket -max_total_time=600
"""

import struct
import sys
from collections.abc import Iterator

import numpy as np

from hackles.capture.audiosocket import (
    DTMF,
    ERROR,
    MAX_READ,
    RATES_HZ,
    TOO_MANY,
    Lines,
    Note,
)

WILD, WELL = 0, 1

Audio = list[tuple[int, bytes]]
"""Kind and bytes, message by message."""

LINES = Lines(2)
"""Kept from one run to the next: a line that is cleared must be as good as new."""

PACKETS = b"".join(
    struct.pack(">BH", 0x10, 320) + np.full(160, number, "<i2").tobytes() for number in range(400)
)


def expected(sent: bytes) -> tuple[Audio, list[Note]]:
    """Return what all of it says, up to the first message behind which nothing can be read."""
    audio: Audio = []
    notes: list[Note] = []
    at = 0
    while len(sent) - at >= 3:
        kind, length = struct.unpack_from(">BH", sent, at)
        payload = sent[at + 3 : at + 3 + length]
        if kind in RATES_HZ:
            audio.append((kind, payload[: len(payload) & ~1]))
            if length % 2:
                notes.append(Note(WILD, kind))
        elif kind == DTMF:
            if length == 1 and not payload:
                break
            digit = chr(payload[0]) if length == 1 else ""
            notes.append(Note(WILD, kind, digit if digit in set("0123456789*#ABCD") else ""))
        else:
            notes.append(Note(WILD, kind))
            if kind != ERROR:
                break
        at += 3 + length
    return audio, notes


def parts(data: bytes) -> Iterator[bytes]:
    """Yield what is sent, in its parts."""
    n_cuts = data[0] if data else 0
    cuts, sent = data[1 : 1 + n_cuts], data[1 + n_cuts :]
    for cut in cuts:
        yield sent[:cut]
        sent = sent[cut:]
    while sent:
        yield sent[:MAX_READ]
        sent = sent[MAX_READ:]


def joined(audio: Audio) -> Audio:
    """Return audio with what is of one kind in one piece, and nothing empty."""
    result: Audio = []
    for kind, some in audio:
        if result and result[-1][0] == kind:
            result[-1] = kind, result[-1][1] + some
        elif some:
            result.append((kind, some))
    return result


def is_last(note: Note) -> bool:
    """Return whether nothing is read of a line after this."""
    return note.kind not in {*RATES_HZ, DTMF, ERROR}


def one(data: bytes) -> None:
    """Send it, and compare.

    Raises:
        ValueError: if it was not understood as it should.
    """
    heard: dict[int, Audio] = {WILD: [], WELL: []}
    notes: list[Note] = []
    sent, well = b"", b""
    for line in heard:
        LINES.clear(line)
    for number, part in enumerate(parts(data)):
        beside = PACKETS[len(well) : len(well) + 7 * number]
        for line, some in ((WILD, part), (WELL, beside)):
            LINES.room(line, len(some))[:] = some
        found = LINES.cut(np.array([WELL, WILD]), np.array([len(beside), len(part)]))
        for run in LINES.runs(found, np.array([True, True])):
            heard[run.line].append((run.kind, run.coded.tobytes()))
        notes += found.notes
        sent, well = sent + part, well + beside
        if any(map(is_last, found.notes)):
            break
    _compare("the healthy line", joined(heard[WELL]), joined(expected(well)[0]))
    if not any(note.kind == TOO_MANY for note in notes):
        audio, all_notes = expected(sent)
        _compare("audio", joined(heard[WILD]), joined(audio))
        _compare("notes", notes, all_notes)


def _compare(what: str, found: object, due: object) -> None:
    if found != due:
        raise ValueError(f"{what}: {found!r:.2000}, and not {due!r:.2000}")


def main() -> None:
    """Let atheris look for what is not understood."""
    import atheris

    for name in ("cut", "runs", "_notes"):
        setattr(Lines, name, atheris.instrument_func(getattr(Lines, name)))
    globals()["expected"] = atheris.instrument_func(expected)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
