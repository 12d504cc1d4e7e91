"""Recordings: which files there are, and their samples as blocks at the engine's rate.

soundfile (libsndfile) decodes what it can; PyAV, an optional extra, decodes the rest. Whatever
is wrong with a file becomes an `AudioError`: raised when it is opened or, once all that could be
read has been yielded, out of `Recording.blocks`. The messages leave out the path; whoever shows
them puts it in front.
"""

import io
import itertools
import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Any, Final, Self

import numpy as np

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

_PYAV_FORMATS: Final = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,caf,flac,g722,gsm,matroska,mov,mp3,ogg,tta,voc,w64,"
    "wav,wv,xwma"
)
"""FFmpeg's demuxers that hold audio. Others (playlists) would open further files, or addresses."""

_RATES_HZ: Final = (SAMPLE_RATE, 384_000)
_LARGEST: Final = 1e12
"""No sound is scaled to more; the energy of a frame of such samples still fits a float32."""

_PIECE_S: Final = 1.0
_PIECE_VALUES: Final = 2**20
"""Values decoded at a time at most, over all channels (4 MiB)."""

_MPEG_SLACK_S: Final = 0.2
_PYAV_SLACK_S: Final = 0.5
"""What a compressed file may lack of its stated length: the coder's padding."""

_LENGTH_SLACK_BYTES: Final = 64
"""Some writers count the header into the length of the samples."""

_COPY: Final = "copy it again from where it was recorded"
_NO_AUDIO: Final = f"holds no audio that can be read, only a header; {_COPY}"
_NOT_AUDIO: Final = "is damaged, or is not audio; convert it to WAV if it plays elsewhere"
_NEEDS_PYAV: Final = (
    "is not audio in a format that is read without PyAV; if it is a recording, "
    "pip install 'hackles[av]' (for m4a, mp4, wma and others) or convert it to WAV"
)


@dataclass(frozen=True, slots=True)
class Channels:
    """Which channels hold whom, counted from 0.

    Attributes:
        customer: None says that the file has one channel and holds the customer alone.
        agent: None if nobody said.
    """

    customer: int | None
    agent: int | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """An opened decoder: `frames` yields shape (n, n_channels), then raises what was wrong."""

    sample_rate: int
    n_channels: int
    duration_s: float | None
    frames: Iterator[Array]


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

    def __init__(self, source: _Source, columns: list[int], file: io.FileIO, stack: ExitStack):
        """Take over `file` and what else is open in `stack`; `columns` holds the customer's first.

        Raises:
            AudioError: if the file's size cannot be learnt.
        """
        self.duration_s = source.duration_s
        self.sample_rate = source.sample_rate
        self.n_channels = source.n_channels
        self._pieces = _at_engine_rate(_checked(source, columns), source.sample_rate)
        self._file = file
        self._size = _size(file)
        self._stack = stack

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._stack.close()

    def blocks(self) -> Iterator[tuple[Block, Block | None]]:
        """Yield the customer's and the agent's next block, about a second each. Works once.

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
        if _is_cut_ogg(self._file, self._size):
            raise AudioError(_cut_short(start / SAMPLE_RATE, None))

    def _check_growth(self) -> None:
        if _size(self._file) > self._size:
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
        source = _open_soundfile(file, stack) or _open_pyav(file, stack)
        low, high = _RATES_HZ
        if not low <= source.sample_rate <= high:
            raise AudioError(
                f"is sampled at {source.sample_rate} Hz; hackles needs {low} to {high} Hz"
            )
        columns = _columns(channels, source.n_channels)
        return Recording(source, columns, file, stack.pop_all())


def _open_file(path: str) -> io.FileIO:
    """Open a regular file unbuffered: libsndfile shares its descriptor, so also its position."""
    status = _status(path)  # before opening, because opening a FIFO waits for a writer
    if stat.S_ISDIR(status.st_mode):
        raise AudioError("is a folder; name one of its files")
    if not stat.S_ISREG(status.st_mode):
        raise AudioError("is not a regular file but a pipe, socket or device; save it to a file")
    if status.st_size == 0:
        raise AudioError(f"is empty (0 bytes); {_COPY}")
    try:
        return io.FileIO(path)
    except OSError as error:
        raise AudioError(_refusal(error)) from error


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except (OSError, ValueError) as error:
        raise AudioError(_refusal(error)) from error


def _size(file: io.FileIO) -> int:
    try:
        return os.fstat(file.fileno()).st_size
    except OSError as error:
        raise AudioError(_refusal(error)) from error


def _refusal(error: Exception) -> str:
    """Return the sentence for what the operating system refused."""
    if isinstance(error, FileNotFoundError):
        return "is not there; check the path"
    if isinstance(error, PermissionError):
        return "may not be read by this user; change its permissions"
    reason = getattr(error, "strerror", None) or error
    return f"cannot be read ({reason}); check the path and the disk"


def _cut_short(there_s: float, promised_s: float | None) -> str:
    total = "" if promised_s is None else f" of {promised_s:.2f} s"
    return f"is cut short: only {there_s:.2f} s{total} are there; {_COPY}"


def _undecodable(there_s: float, error: Exception) -> str:
    reason = str(getattr(error, "strerror", None) or error).rstrip(".")
    return f"cannot be read beyond {there_s:.2f} s ({reason}); {_COPY}, or convert it to WAV"


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


def _checked(source: _Source, columns: list[int]) -> Iterator[Array]:
    """Yield the columns asked for, shape (n, n_columns), up to a sample that is no number."""
    n_read = 0
    for frames in source.frames:
        piece = np.ascontiguousarray(frames[:, columns])
        wrong = np.flatnonzero(~(np.abs(piece) <= _LARGEST).all(axis=1))
        if wrong.size:
            yield piece[: wrong[0]]
            position_s = (n_read + int(wrong[0])) / source.sample_rate
            raise AudioError(
                f"has a sample that is no finite number (NaN, infinite) at {position_s:.3f} s; "
                "export it again, as 16-bit WAV"
            )
        yield piece
        n_read += len(piece)
    if n_read == 0:
        raise AudioError(_NO_AUDIO)


def _at_engine_rate(pieces: Iterator[Array], sample_rate: int) -> Iterator[Array]:
    """Yield the same sound, shape (n, n_columns), at 8 kHz; all of it before an error is raised."""
    if sample_rate == SAMPLE_RATE:
        yield from pieces
        return
    import soxr  # type: ignore[import-untyped, unused-ignore]

    fault = None
    resampler = None
    try:
        for piece in pieces:
            if resampler is None:
                resampler = soxr.ResampleStream(
                    sample_rate, SAMPLE_RATE, piece.shape[1], dtype="float32", quality="HQ"
                )
                nothing = piece[:0]
            yield resampler.resample_chunk(piece)
    except AudioError as error:
        fault = error
    if resampler is not None:
        yield resampler.resample_chunk(nothing, last=True)
    if fault is not None:
        raise fault


def _open_soundfile(file: io.FileIO, stack: ExitStack) -> _Source | None:
    """Return a decoder by libsndfile, or None for what PyAV should try."""
    import soundfile  # type: ignore[import-untyped, unused-ignore]

    is_tagged = _has_length_tag(file)
    try:
        sound = stack.enter_context(soundfile.SoundFile(_libsndfile_input(file), closefd=False))
    except soundfile.SoundFileError:
        return None
    # What can be sought in, soundfile seeks in after each read, which garbles MP3.
    sound.seekable = lambda: False
    is_guessed = sound.subtype.startswith("MPEG") and not is_tagged
    if is_guessed and _import_pyav() is not None:
        return None
    if sound.frames == 0:
        raise AudioError(_NO_AUDIO)
    n_stated = sound.frames if sound.frames < 2**62 else None
    n_promised = None
    if n_stated is not None and not is_guessed:
        n_promised = round(n_stated * _promised_ratio(sound.extra_info))
    frames = _soundfile_frames(sound, file, n_promised)
    duration_s = None if n_stated is None else n_stated / sound.samplerate
    return _Source(sound.samplerate, sound.channels, duration_s, frames)


def _soundfile_frames(sound: Any, file: io.FileIO, n_promised: int | None) -> Iterator[Array]:
    """Yield what libsndfile decodes, shape (n, n_channels), then raise what was wrong."""
    n_read = 0
    fault = None
    n_piece = max(1, min(int(_PIECE_S * sound.samplerate), _PIECE_VALUES // sound.channels))
    while fault is None:
        frames = np.empty((n_piece, sound.channels), np.float32)
        try:
            n_new = len(sound.read(out=frames))
        except RuntimeError as error:  # soundfile.LibsndfileError
            fault = error
            n_new = sound.tell() - n_read
        if n_new == 0:
            break
        yield frames[:n_new]
        n_read += n_new
    complaint = _soundfile_complaint(sound, file, n_promised, n_read, fault)
    if complaint is not None:
        raise AudioError(complaint) from fault


def _soundfile_complaint(
    sound: Any, file: io.FileIO, n_promised: int | None, n_read: int, fault: Exception | None
) -> str | None:
    """Return the sentence for an end that came too early, or None if all was read."""
    there_s = n_read / sound.samplerate
    left = _size(file) - file.tell()
    if n_promised is not None and (fault is None or left == 0):
        is_mpeg = sound.subtype.startswith("MPEG")
        slack = _MPEG_SLACK_S * sound.samplerate if is_mpeg else 0
        if n_promised - n_read > slack:
            return _cut_short(there_s, n_promised / sound.samplerate)
    if fault is not None:
        return _undecodable(there_s, fault)
    # libsndfile guesses the length of an untagged MP3, and stops there.
    if n_promised is None and n_read >= sound.frames and left > 0.01 * _size(file):
        return (
            f"is an MP3 that does not state its length, of which only {there_s:.2f} s can be "
            "read without PyAV; pip install 'hackles[av]' or convert it to WAV"
        )
    return None


def _promised_ratio(log: str) -> float:
    """Return how many times as long as the file is its header says it is.

    Args:
        log: libsndfile's notes on the header, with lines like "data : 160000 (should be 95982)".
    """
    lengths = re.findall(
        r"^ *(?:data|SSND|Data Size|Riff size|riff) *: (\d+) \(should be (\d+)\)", log, re.MULTILINE
    )
    for promised, there in ((int(a), int(b)) for a, b in lengths):
        if there > 0 and promised - there > _LENGTH_SLACK_BYTES and not _is_placeholder(promised):
            return promised / there
    return 1.0


def _is_placeholder(length: int) -> bool:
    """Return whether a writer that could not know the length put this: 0, or about 2 or 4 GiB."""
    return length == 0 or length % 2**31 == 0 or length % 2**31 >= 2**31 - 4096


def _has_length_tag(file: io.FileIO) -> bool:
    """Return whether an MP3 begins with a Xing or Info tag, which states its length."""
    head = file.read(10)
    offset = 0
    if head.startswith(b"ID3") and len(head) == 10:
        offset = 10 + sum(
            byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
        )
    file.seek(offset)
    first_frame = file.read(256)
    file.seek(0)
    tag = re.search(rb"(?:Xing|Info)\0\0\0(.)(....)", first_frame, re.DOTALL)
    return tag is not None and bool(tag[1][0] & 1) and any(tag[2])


class _UnfinishedWav(io.FileIO):
    """A WAV whose writer left the length of the samples 0; shows "unknown" in its place."""

    def __init__(self, descriptor: int, length_at: int):
        super().__init__(descriptor, closefd=False)
        self._length_at = length_at

    def readinto(self, buffer: Any) -> int:
        start = self.tell()
        n_bytes = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for position in range(self._length_at, self._length_at + 4):
            if start <= position < start + n_bytes:
                view[position - start] = 0xFF
        return n_bytes


def _libsndfile_input(file: io.FileIO) -> Any:
    """Return what to give libsndfile: the descriptor wherever possible, as it reports errors."""
    length_at = _missing_length_at(file.read(2**16), _size(file))
    file.seek(0)
    if length_at is not None:
        return _UnfinishedWav(file.fileno(), length_at)
    return file if os.name == "nt" else file.fileno()


def _missing_length_at(head: bytes, size: int) -> int | None:
    """Return where a WAV states 0 bytes of samples though there are some; None elsewhere."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    position = 12
    while position + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, position)
        if name == b"data":
            behind = head[position + 8 : position + 16]
            return position + 4 if length == 0 and not _is_chunk(behind, size) and behind else None
        position += 8 + length + length % 2
    return None


def _is_chunk(head: bytes, size: int) -> bool:
    """Return whether these 8 bytes begin a chunk (a name, a length) of a file of `size` bytes."""
    return (
        len(head) == 8 and head[:4].rstrip().isalnum() and struct.unpack("<I", head[4:])[0] < size
    )


def _is_cut_ogg(file: io.FileIO, size: int) -> bool:
    """Return whether this is an Ogg file whose last page is not whole."""
    try:
        file.seek(0)
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, size - 2**16 - 2**10))  # a page has 65,307 bytes at most
        tail = file.read(size)
    except OSError as error:
        raise AudioError(_refusal(error)) from error
    page = tail[tail.rfind(b"OggS") :]
    n_segments = page[26] if len(page) > 26 else 255
    return len(page) < 27 + n_segments + sum(page[27 : 27 + n_segments])


def _import_pyav() -> ModuleType | None:
    try:
        import av
    except ImportError:
        return None
    return av


class _PyavInput(io.FileIO):
    """The file again, without its name: FFmpeg would take any text called .gsm for sound."""

    def __init__(self, file: io.FileIO):
        super().__init__(file.fileno(), closefd=False)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Return -1 where one cannot go: PyAV prints what is raised here."""
        try:
            return super().seek(offset, whence)
        except OSError:
            return -1


def _open_pyav(file: io.FileIO, stack: ExitStack) -> _Source:
    """Return a decoder by FFmpeg."""
    av = _import_pyav()
    if av is None:
        raise AudioError(_NEEDS_PYAV)
    file.seek(0)
    options = {"format_whitelist": _PYAV_FORMATS}
    try:
        container = stack.enter_context(
            av.open(_PyavInput(file), options=options, metadata_errors="replace")
        )
        track = _only_track(container)
        decoded = container.decode(track)
        first = next(decoded, None)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AudioError(_NOT_AUDIO) from error
    if first is None:
        raise AudioError(_NO_AUDIO)
    duration_s = _pyav_duration_s(container, track)
    stated = container.format.name.startswith(("mov", "matroska"))  # the others estimate it
    frames = _pyav_frames(av, itertools.chain([first], decoded), duration_s if stated else None)
    rate = first.sample_rate
    return _Source(
        rate, len(first.layout.channels), duration_s, _gathered(frames, int(_PIECE_S * rate))
    )


def _only_track(container: Any) -> Any:
    """Return the audio track; of several, the first may be the agent's."""
    tracks = container.streams.audio
    if not tracks:
        raise AudioError(_NO_AUDIO)
    if len(tracks) > 1:
        raise AudioError(
            f"has {len(tracks)} audio tracks; convert it to WAV with a channel for each party"
        )
    return tracks[0]


def _pyav_duration_s(container: Any, track: Any) -> float | None:
    if track.duration:
        return float(track.duration * track.time_base)
    if container.duration and len(container.streams) == 1:
        return float(container.duration) / 1e6
    return None


def _pyav_frames(
    av: ModuleType, decoded: Iterator[Any], promised_s: float | None
) -> Iterator[Array]:
    """Yield what FFmpeg decodes, shape (n, n_channels), then raise what was wrong."""
    form = None
    to_float = av.AudioResampler(format="fltp")
    end_s = 0.0
    fault = None
    try:
        for frame in decoded:
            form = form or (frame.sample_rate, frame.layout.name)
            if form != (frame.sample_rate, frame.layout.name):
                raise AudioError(
                    f"changes its rate or channels at {end_s:.2f} s; convert it to WAV"
                )
            for floats in to_float.resample(frame):
                yield floats.to_ndarray().T
            start_s = end_s if frame.time is None else frame.time
            end_s = start_s + frame.samples / frame.sample_rate
    except (av.FFmpegError, OSError, ValueError) as error:
        fault = error
    if promised_s is not None and promised_s - end_s > _PYAV_SLACK_S:
        raise AudioError(_cut_short(end_s, promised_s)) from fault
    if fault is not None:
        raise AudioError(_undecodable(end_s, fault)) from fault


def _gathered(pieces: Iterator[Array], n_piece: int) -> Iterator[Array]:
    """Yield the same frames in pieces of `n_piece` or a little more."""
    fault = None
    waiting: list[Array] = []
    n_waiting = 0
    try:
        for piece in pieces:
            waiting.append(piece)
            n_waiting += len(piece)
            if n_waiting >= n_piece:
                yield np.concatenate(waiting)
                waiting, n_waiting = [], 0
    except AudioError as error:
        fault = error
    if waiting:
        yield np.concatenate(waiting)
    if fault is not None:
        raise fault
