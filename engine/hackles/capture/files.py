"""Recordings: which files there are, and their samples as blocks at the engine's rate.

Whatever is wrong with a file becomes an `AudioError`: raised when it is opened or, once all that
could be read has been yielded, out of `Recording.blocks`. The messages leave out the path;
whoever shows them puts it in front.
"""

import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from hackles.capture.decoding import COPY_AGAIN, Source, open_source, size_of
from hackles.capture.resampling import stream
from hackles.config import SAMPLE_RATE
from hackles.errors import AudioError, UsageError
from hackles.types import Array, Block

_SOUNDFILE_SUFFIXES: Final = (
    ".wav .wave .wav49 .bwf .rf64 .w64 .flac .ogg .oga .opus .mp3 .mp2 .aiff .aif .aifc .au .snd "
    ".caf .voc .sph"
)
_PYAV_SUFFIXES: Final = (
    ".m4a .m4b .mp4 .mov .3gp .3g2 .webm .mka .mkv .wma .asf .aac .amr .awb .gsm .spx .ac3"
)
AUDIO_SUFFIXES: Final[frozenset[str]] = frozenset(f"{_SOUNDFILE_SUFFIXES} {_PYAV_SUFFIXES}".split())
"""Endings, in lower case, of the files that `find_recordings` takes from a folder."""

_RATES_HZ: Final = (SAMPLE_RATE, 384_000)
_LARGEST: Final = 1e12
"""No sound is scaled to more; the energy of a frame of such samples still fits a float32."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Which channels hold whom, counted from 0.

    Attributes:
        customer: None says that the file has one channel and holds the customer alone.
        agent: None if nobody said.
    """

    customer: int | None
    agent: int | None = None


def find_recordings(path: str) -> list[str]:
    """Return the recordings that `path` names: itself, or the audio files of a folder.

    Folders are searched to any depth, but links to folders are not followed. Names that begin
    with a dot are left out.

    Args:
        path: a file or a folder.

    Returns:
        Paths, sorted, each beginning with `path` as it was given.

    Raises:
        AudioError: if nothing is there, a folder cannot be read, or none of its files is audio.
    """
    if not stat.S_ISDIR(_status(path).st_mode):
        return [path]

    def refuse(error: OSError) -> None:
        inner = "" if error.filename == path else f"holds the folder {error.filename!r}, which "
        raise AudioError(inner + _refusal(error)) from error

    found = []
    for folder, folders, names in os.walk(path, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(folder, name) for name in names if _is_audio_name(name)]
    if not found:
        raise AudioError(
            "holds no audio files; looked for .wav, .flac, .mp3, .ogg, .opus, .m4a "
            f"and {len(AUDIO_SUFFIXES) - 6} other endings"
        )
    return sorted(found)


def _is_audio_name(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES


def parse_channels(customer: str, agent: str | None) -> Channels:
    """Return the channels that the user named.

    Args:
        customer: "left", "right", a number counted from 1, or "mono".
        agent: the same without "mono"; None if nobody said.

    Raises:
        UsageError: if a channel is named in another way, or both parties are put in one.
    """
    if customer == "mono":
        if agent is not None:
            raise UsageError(
                "--customer mono says that the file holds the customer alone; leave out --agent"
            )
        return Channels(customer=None)
    channels = Channels(
        customer=_channel_index("--customer", customer, "left, right, a number from 1, or mono"),
        agent=None
        if agent is None
        else _channel_index("--agent", agent, "left, right or a number"),
    )
    if channels.customer == channels.agent:
        raise UsageError(
            f"customer and agent cannot both be in channel {agent}; name one channel for each"
        )
    return channels


def _channel_index(option: str, name: str, choices: str) -> int:
    """Return the index, from 0, of the channel that the user calls `name`."""
    if name in ("left", "right"):
        return ("left", "right").index(name)
    if re.fullmatch("[1-9][0-9]{0,3}", name) is None:
        raise UsageError(f"{option} {name!r} names no channel; give {choices}")
    return int(name) - 1


class Recording:
    """An opened recording; a context manager, made by `open_recording`.

    Attributes:
        duration_s: length as the file states it, or an estimate; None if it states none.
        sample_rate: of the file, in Hz.
        n_channels: of the file.
    """

    def __init__(self, source: Source, columns: list[int], file: io.FileIO, stack: ExitStack):
        """Take over `file` and what `stack` holds open; the customer is in the first column."""
        self.duration_s = source.duration_s
        self.sample_rate = source.sample_rate
        self.n_channels = source.n_channels
        self._pieces = _checked(source, columns)
        if source.sample_rate != SAMPLE_RATE:
            self._pieces = _resampled(self._pieces, source.sample_rate, len(columns))
        self._file = file
        self._size = size_of(file)
        self._stack = stack

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._stack.close()

    def blocks(self) -> Iterator[tuple[Block, Block | None]]:
        """Yield the customer's and the agent's next block, up to ten seconds each. Works once.

        Yields:
            Two blocks of the same start and length, or a block and None if no agent was named.

        Raises:
            AudioError: after the last readable block, if the file has not been read to its end.
        """
        start = 0
        try:
            for piece in self._pieces:
                parties = [Block(np.ascontiguousarray(samples), start) for samples in piece.T]
                if len(piece):
                    yield parties[0], (parties[1] if len(parties) > 1 else None)
                start += len(piece)
        except AudioError:
            self._check_growth()  # which explains whatever else is wrong at the end
            raise
        self._check_growth()

    def _check_growth(self) -> None:
        if size_of(self._file) > self._size:
            raise AudioError("grew while it was read; score it again when the recording has ended")


def open_recording(path: str, channels: Channels) -> Recording:
    """Open a recording of any format that can be decoded here.

    Args:
        path: a regular file.
        channels: whom to read from where.

    Raises:
        AudioError: if it cannot be read, or has not the channels that were named.
    """
    with ExitStack() as stack:
        file = stack.enter_context(_open_file(path))
        source = open_source(file, stack)
        low, high = _RATES_HZ
        if not low <= source.sample_rate <= high:
            raise AudioError(
                f"is sampled at {source.sample_rate} Hz; hackles needs {low} to {high} Hz"
            )
        columns = _columns(channels, source.n_channels)
        return Recording(source, columns, file, stack.pop_all())


def _open_file(path: str) -> io.FileIO:
    """Open a regular file, unbuffered as `open_source` wants it."""
    status = _status(path)  # before opening, because opening a FIFO waits for a writer
    if stat.S_ISDIR(status.st_mode):
        raise AudioError("is a folder; name one of its files")
    if not stat.S_ISREG(status.st_mode):
        raise AudioError("is not a regular file but a pipe, socket or device; save it to a file")
    if status.st_size == 0:
        raise AudioError(f"is empty (0 bytes); {COPY_AGAIN}")
    try:
        return io.FileIO(path)
    except OSError as error:
        raise AudioError(_refusal(error)) from error


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise AudioError(_refusal(error)) from error


def _refusal(error: OSError) -> str:
    """Return the sentence for what the operating system refused."""
    if isinstance(error, FileNotFoundError):
        return "is not there; check the path"
    if isinstance(error, PermissionError):
        return "may not be read by this user; change its permissions"
    return f"cannot be read ({error.strerror}); check the path and the disk"


def _columns(channels: Channels, n_channels: int) -> list[int]:
    """Return the columns to read, the customer's first, once the file is known to have them."""
    if channels.customer is None:
        if n_channels > 1:
            raise AudioError(
                f"has {n_channels} channels; name the customer's with --customer left, right "
                "or its number"
            )
        return [0]
    if n_channels == 1:
        raise AudioError(
            "has one channel; if it holds the customer alone, score it with --customer mono; "
            "a mix of both parties cannot be scored, because the agent's voice must not be "
            "(and cannot be told apart)"
        )
    columns = [channels.customer] if channels.agent is None else [channels.customer, channels.agent]
    for column, party in zip(columns, ("customer", "agent"), strict=False):
        if column >= n_channels:
            raise AudioError(
                f"has {n_channels} channels; name one of them with --{party}, not {column + 1}"
            )
    return columns


def _checked(source: Source, columns: list[int]) -> Iterator[Array]:
    """Yield the columns asked for, shape (n, n_columns), up to a sample that is no number."""
    n_read = 0
    for frames in source.frames:
        piece = np.take(frames, columns, axis=1)
        wrong = np.flatnonzero(~((piece >= -_LARGEST) & (piece <= _LARGEST)).all(axis=1))
        if wrong.size:
            yield piece[: wrong[0]]
            position_s = (n_read + int(wrong[0])) / source.sample_rate
            raise AudioError(
                f"has a sample that is no finite number (NaN, infinite) at {position_s:.3f} s; "
                "export it again, as 16-bit WAV"
            )
        yield piece
        n_read += len(piece)


def _resampled(pieces: Iterator[Array], sample_rate: int, n_columns: int) -> Iterator[Array]:
    """Yield the same sound, shape (n, n_columns), at 8 kHz; all of it before an error is raised.

    Where the source keeps within full scale, so does the result: a resampler rounds flat tops up
    beyond it, and clipping would not be told.
    """
    resampler = stream(sample_rate, n_columns)
    fault = None
    limit = np.float32(1.0)
    try:
        for piece in pieces:
            limit = max(limit, np.abs(piece).max(initial=0.0))
            yield np.clip(resampler.resample_chunk(piece), -limit, limit)
    except AudioError as error:
        fault = error
    last = resampler.resample_chunk(np.empty((0, n_columns), np.float32), last=True)
    yield np.clip(last, -limit, limit)
    if fault is not None:
        raise fault
