"""Messages of a media stream, fuzzed: whatever one says, nothing is raised and memory is bounded.

    python -m tests.fuzz.fuzz_media tests/fuzz/corpus/media

needs atheris; without it the module can be imported, and `one` be called. An input is lines, each
a message; some are wrapped, so that short inputs reach far: `s` before a line makes it the inside
of a start, `m` that of a media message, `t` moves the clock.
"""

import base64
import importlib
import logging
import sys
from collections import Counter

from hackles.capture.complaints import Complaints
from hackles.capture.intake import Fate, Refusal
from hackles.capture.media_stream import Stream

PROLOGUE = (
    b'{"event":"start","start":{"streamSid":"MZ","callSid":"CA","tracks":["inbound"],'
    b'"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
)
MAX_SAMPLES = 2480
MOST_BYTES = 2**20


def wrapped(line: bytes) -> bytes:
    """Return the message that a line stands for."""
    if line[:1] == b"s":
        return b'{"event":"start","start":{' + line[1:] + b"}}"
    if line[:1] == b"m":
        return b'{"event":"media","media":{' + line[1:] + b"}}"
    if line[:1] == b"c":  # a chunk by its number, as short as can be
        number, _, payload = line[1:].partition(b":")
        text = base64.b64encode(payload)
        return b'{"event":"media","media":{"chunk":"' + number + b'","payload":"' + text + b'"}}'
    return PROLOGUE if line == b"p" else line


def one(data: bytes) -> None:
    """Let a stream hear these messages, and take what it makes of them.

    Raises:
        AssertionError: if what it says of itself does not hold.
    """
    troubles: Counter[Fate | Refusal] = Counter()
    now = 0.0
    stream = Stream(
        "inbound", troubles, lambda: now, Complaints(logging.getLogger(__name__), lambda: now)
    )
    told = 0
    for number, line in enumerate(data[:MOST_BYTES].split(b"\n")):
        if line[:1] == b"t":
            now += len(line) / 10
        else:
            stream.hear(bytearray(wrapped(line)))
        if number % 3 == 0:
            told += _take(stream, now)
    stream.finish()
    for _ in range(1 + len(data)):
        told += _take(stream, now)
        if stream.backlog.is_empty:
            break
    assert stream.backlog.is_empty
    assert told <= (now + 2) * 8000 + len(data), "what is lost is no longer than time"


def _take(stream: Stream, now: float) -> int:
    """Return how many samples a tick has told, those that are lost too."""
    codes, lost = stream.take(MAX_SAMPLES, now)
    samples = stream.backlog.coding.decode(codes)
    assert len(samples) * stream.backlog.coding.width == len(codes)
    assert len(samples) <= MAX_SAMPLES
    assert lost >= 0
    stream.is_too_fast()
    return len(samples) + lost


def main() -> None:
    """Fuzz."""
    import atheris

    logging.disable(logging.CRITICAL)
    for name in [name for name in sys.modules if name.startswith("hackles")]:
        del sys.modules[name]  # so that they are imported again, watched
    with atheris.instrument_imports(include=["hackles", "tests"]):
        target = importlib.import_module("tests.fuzz.fuzz_media").one
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
