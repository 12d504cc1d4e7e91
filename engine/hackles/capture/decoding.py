"""Decoding: the samples of a file, of every channel and at the file's own rate.

soundfile (libsndfile) decodes what it can; PyAV, an optional extra, decodes the rest. Both yield
all that can be read, and then raise an `AudioError` if that was not the whole file.
"""

import io
import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import numpy as np

from hackles.capture.headers import (
    UnfinishedWav,
    has_length_tag,
    is_cut_ogg,
    missing_length_at,
    promised_ratio,
)
from hackles.errors import AudioError
from hackles.types import Array

_PYAV_FORMATS: Final = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,caf,flac,g722,gsm,matroska,mov,mp3,ogg,tta,voc,w64,"
    "wav,wv,xwma"
)
"""FFmpeg's demuxers that hold audio. Others (playlists) would open further files, or addresses."""

_PIECE_S: Final = 40.0
_PIECE_VALUES: Final = 2**20
"""Values decoded at a time at most, over all channels (4 MiB)."""

_MPEG_SLACK_S: Final = 0.2
_PYAV_SLACK_S: Final = 0.5
"""What a compressed file may lack of its stated length: the coder's padding."""

COPY_AGAIN: Final = "copy it again from where it was recorded"
_NO_AUDIO: Final = f"holds no audio that can be read, only a header; {COPY_AGAIN}"
_NOT_AUDIO: Final = "is damaged, or is not audio; convert it to WAV if it plays elsewhere"
_NEEDS_PYAV: Final = (
    "is not audio in a format that is read without PyAV; if it is a recording, "
    "pip install av (for m4a, mp4, wma and others) or convert it to WAV"
)


@dataclass(frozen=True, slots=True)
class Source:
    """An opened decoder.

    Attributes:
        sample_rate: of the file, in Hz.
        n_channels: of the file.
        duration_s: length as the file states it, or an estimate; None if it states none.
        frames: yields shape (n, n_channels), float32, each valid until the next is asked for;
            then raises an `AudioError` if the file has not been read to its end.
    """

    sample_rate: int
    n_channels: int
    duration_s: float | None
    frames: Iterator[Array]


def open_source(file: io.FileIO, stack: ExitStack) -> Source:
    """Return a decoder of `file`.

    Args:
        file: at its beginning, and unbuffered: libsndfile shares its descriptor, so its position.
        stack: closes what is opened here.

    Raises:
        AudioError: if it is no audio, or none that can be decoded here.
    """
    return _open_soundfile(file, stack) or _open_pyav(file, stack)


def size_of(file: io.FileIO) -> int:
    """Return how many bytes an open file has now."""
    return os.fstat(file.fileno()).st_size


def _piece_length(sample_rate: int, n_channels: int) -> int:
    """Return how many samples of each channel to decode at a time."""
    return max(1, min(int(_PIECE_S * sample_rate), _PIECE_VALUES // n_channels))


def _cut_short(there_s: float, promised_s: float | None) -> str:
    total = "" if promised_s is None else f" of {promised_s:.2f} s"
    return f"is cut short: only {there_s:.2f} s{total} are there; {COPY_AGAIN}"


def _undecodable(there_s: float, error: Exception) -> str:
    reason = str(getattr(error, "strerror", None) or error).rstrip(".")
    return f"cannot be read beyond {there_s:.2f} s ({reason}); {COPY_AGAIN}, or convert it to WAV"


def _open_soundfile(file: io.FileIO, stack: ExitStack) -> Source | None:
    """Return a decoder by libsndfile, or None for what PyAV should try."""
    import soundfile  # type: ignore[import-untyped, unused-ignore]

    is_tagged = has_length_tag(file)
    try:
        sound = stack.enter_context(soundfile.SoundFile(_libsndfile_input(file), closefd=False))
    except soundfile.SoundFileError:
        return None
    # What can be sought in, soundfile seeks in after each read, which garbles MP3.
    sound.seekable = lambda: False
    is_guessed = sound.subtype.startswith("MPEG") and not is_tagged
    if is_guessed and _import_pyav() is not None:
        return None
    n_stated = sound.frames if sound.frames < 2**62 else None
    n_promised = None
    if n_stated is not None and not is_guessed:
        n_promised = round(n_stated * promised_ratio(sound.extra_info))
    frames = _soundfile_frames(sound, file, n_promised)
    duration_s = None if n_stated is None else n_stated / sound.samplerate
    return Source(sound.samplerate, sound.channels, duration_s, frames)


def _libsndfile_input(file: io.FileIO) -> Any:
    """Return what to give libsndfile: the descriptor wherever possible, as it reports errors."""
    length_at = missing_length_at(file, size_of(file))
    if length_at is not None:
        return UnfinishedWav(file.fileno(), length_at)
    return file if os.name == "nt" else file.fileno()


def _soundfile_frames(sound: Any, file: io.FileIO, n_promised: int | None) -> Iterator[Array]:
    """Yield what libsndfile decodes, shape (n, n_channels), then raise what was wrong."""
    n_read = 0
    fault = None
    shape = (_piece_length(sound.samplerate, sound.channels), sound.channels)
    frames = np.empty(shape, np.float32)
    while fault is None:
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
    size = size_of(file)
    left = size - file.tell()
    if n_promised is not None and (fault is None or left == 0):
        is_mpeg = sound.subtype.startswith("MPEG")
        slack = _MPEG_SLACK_S * sound.samplerate if is_mpeg else 0
        if n_promised - n_read > slack:
            return _cut_short(there_s, n_promised / sound.samplerate)
    if fault is not None:
        return _undecodable(there_s, fault)
    if n_read == 0:
        return _NO_AUDIO
    # libsndfile guesses the length of an untagged MP3, and stops there.
    if n_promised is None and n_read >= sound.frames and left > 0.01 * size:
        return (
            f"is an MP3 that does not state its length, of which only {there_s:.2f} s can be "
            "read without PyAV; pip install av or convert it to WAV"
        )
    return _cut_short(there_s, None) if is_cut_ogg(file, size) else None


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
        """Return -1 where one cannot go: PyAV prints what is raised here (a damaged W64)."""
        try:
            return super().seek(offset, whence)
        except OSError:
            return -1


def _open_pyav(file: io.FileIO, stack: ExitStack) -> Source:
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
    promised_s = duration_s if stated else None
    frames = _pyav_frames(av, itertools.chain([first], decoded), file, promised_s)
    rate, n_channels = first.sample_rate, len(first.layout.channels)
    gathered = _gathered(frames, _piece_length(rate, n_channels))
    return Source(rate, n_channels, duration_s, gathered)


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
    av: ModuleType, decoded: Iterator[Any], file: io.FileIO, promised_s: float | None
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
    if is_cut_ogg(file, size_of(file)):
        raise AudioError(_cut_short(end_s, None))


def _gathered(pieces: Iterator[Array], length: int) -> Iterator[Array]:
    """Yield the same frames in pieces of `length` or a little more, all before an error."""
    fault = None
    waiting: list[Array] = []
    n_waiting = 0
    try:
        for piece in pieces:
            waiting.append(piece)
            n_waiting += len(piece)
            if n_waiting >= length:
                yield np.concatenate(waiting)
                waiting, n_waiting = [], 0
    except AudioError as error:
        fault = error
    if waiting:
        yield np.concatenate(waiting)
    if fault is not None:
        raise fault
