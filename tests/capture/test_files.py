"""Recordings of every sort, all made here: what they yield, and what is said of the broken ones."""

import importlib
import os
import re
import socket
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from hackles.capture import decoding
from hackles.capture.files import (
    AUDIO_SUFFIXES,
    Channels,
    find_recordings,
    open_recording,
    parse_channels,
)
from hackles.errors import AudioError, UsageError

MONO = Channels(customer=None)
LEFT = Channels(customer=0)
RATE = 8000


def need(name: str) -> Any:
    """Return an optional package; without it the test is skipped, or fails if all is required."""
    if os.environ.get("HACKLES_REQUIRE_ALL") == "1":
        return importlib.import_module(name)
    return pytest.importorskip(name)


def tone(hz: float = 440.0, seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def noise(seconds: float = 10.0, rate: int = RATE) -> np.ndarray:
    n = int(seconds * rate)
    return (0.1 * np.random.default_rng(7).standard_normal(n)).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = RATE, **options: Any) -> str:
    soundfile.write(path, samples, rate, **options)
    return str(path)


def write_pyav(path: Path, codec: str, samples: np.ndarray, rate: int, **options: str) -> str:
    """Write mono or stereo `samples`, shape (n,) or (n, 2), with FFmpeg."""
    av = need("av")
    layout = "mono" if samples.ndim == 1 else "stereo"
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = 64000
        planar = np.ascontiguousarray(np.atleast_2d(samples.T))
        frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=layout)
        frame.sample_rate = rate
        fit = av.AudioResampler(stream.format, layout, rate, stream.frame_size or None)
        for part in [*fit.resample(frame), *fit.resample(None), None]:
            container.mux(stream.encode(part))
    return str(path)


def cut(path: str, share: float) -> str:
    """Cut the file to this share of its bytes."""
    os.truncate(path, int(os.path.getsize(path) * share))
    return path


def read(path: str, channels: Channels = MONO) -> np.ndarray:
    """Return the customer's samples."""
    samples, error = read_until_error(path, channels)
    assert error is None, error
    return samples


def read_until_error(path: str, channels: Channels = MONO) -> tuple[np.ndarray, str | None]:
    """Return the customer's samples, and what was said at their end."""
    parts = [np.zeros(0, np.float32)]
    message = None
    try:
        with open_recording(path, channels) as recording:
            for customer, _ in recording.blocks():
                assert customer.start == sum(map(len, parts))
                assert customer.samples.dtype == np.float32
                parts.append(customer.samples)
    except AudioError as error:
        message = str(error)
    assert message is None or path not in message
    return np.concatenate(parts), message


def said(path: str, channels: Channels = MONO) -> str:
    """Return the error of a file that has nothing to yield."""
    samples, error = read_until_error(path, channels)
    assert len(samples) == 0
    assert error is not None
    return error


def peak_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 2**18))
    return float(np.argmax(spectrum)) * RATE / 2**18


def assert_is_tone(samples: np.ndarray, hz: float = 440.0, seconds: float = 3.0) -> None:
    assert peak_hz(samples) == pytest.approx(hz, abs=0.5)
    assert len(samples) / RATE == pytest.approx(seconds, abs=0.15)
    assert np.std(samples[4000:-4000]) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


# Finding


@pytest.fixture(autouse=True)
def pieces_of_ten_seconds(monkeypatch):
    """Read less at a time than users do, so that files of half a minute have several pieces."""
    monkeypatch.setattr(decoding, "_PIECE_S", 10.0)


def test_a_file_gives_itself_as_given(tmp_path, monkeypatch):
    (tmp_path / "notes.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert find_recordings("./notes.txt") == ["./notes.txt"]


def test_a_folder_gives_its_audio_sorted_and_joined_on_the_given_path(tmp_path, monkeypatch):
    for name in ("b.WAV", "a.mp3", "sub/deep/c.m4a", "notes.txt", "sub/no_ending"):
        (tmp_path / "calls" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "calls" / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    expected = ["calls/a.mp3", "calls/b.WAV", "calls/sub/deep/c.m4a"]
    assert find_recordings("calls") == expected
    assert find_recordings("calls/") == expected


def test_hidden_files_and_appledouble_are_skipped(tmp_path):
    (tmp_path / ".hidden").mkdir()
    for name in ("._a.wav", ".b.wav", ".hidden/c.wav", "d.wav"):
        (tmp_path / name).write_bytes(b"x")
    assert find_recordings(str(tmp_path)) == [str(tmp_path / "d.wav")]


def test_a_link_to_the_folder_above_does_not_loop(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"x")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert find_recordings(str(tmp_path)) == [str(tmp_path / "a.wav")]


def test_a_link_to_itself_is_found_but_cannot_be_opened(tmp_path):
    link = tmp_path / "loop.wav"
    link.symlink_to(link)
    assert find_recordings(str(tmp_path)) == [str(link)]
    assert "cannot be read" in said(str(link))


@pytest.mark.parametrize("path", ["nowhere", ""])
def test_a_missing_path_is_an_error(path):
    with pytest.raises(AudioError, match="is not there; check the path"):
        find_recordings(path)


def test_a_folder_without_audio_says_what_was_looked_for(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(AudioError, match=r"no audio files; looked for \.wav, \.flac, .* and \d+"):
        find_recordings(str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_listed_is_an_error(tmp_path):
    write(tmp_path / "a.wav", tone())
    (tmp_path / "closed").mkdir(mode=0o000)
    with pytest.raises(AudioError, match=r"closed.*may not be read"):
        find_recordings(str(tmp_path))
    with pytest.raises(AudioError, match=r"^may not be read"):
        find_recordings(str(tmp_path / "closed"))


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(AudioError, match=r"^may not be read by this user"):
        find_recordings(str(tmp_path))


def test_endings_are_lower_case_and_cover_both_decoders():
    assert {".wav", ".flac", ".mp3", ".opus", ".m4a", ".wma", ".amr"} <= AUDIO_SUFFIXES
    assert all(ending == ending.lower() and ending[0] == "." for ending in AUDIO_SUFFIXES)


# Naming channels


@pytest.mark.parametrize(
    ("customer", "agent", "expected"),
    [
        ("left", None, Channels(0)),
        ("right", "left", Channels(1, 0)),
        ("1", "2", Channels(0, 1)),
        ("64", "right", Channels(63, 1)),
        ("mono", None, Channels(None)),
    ],
)
def test_channels_are_named_left_right_a_number_or_mono(customer, agent, expected):
    assert parse_channels(customer, agent) == expected


@pytest.mark.parametrize("name", ["", "0", "-1", "1.5", "middle", "LEFT", "٣", "99999", "left "])
def test_any_other_name_is_an_error_that_gives_the_choices(name):
    with pytest.raises(UsageError, match="give left, right, a number from 1, or mono"):
        parse_channels(name, None)
    with pytest.raises(UsageError, match=r"--agent .* give left, right or a number"):
        parse_channels("64", name)


def test_the_agent_cannot_be_mono():
    with pytest.raises(UsageError, match="--agent 'mono' names no channel"):
        parse_channels("left", "mono")


@pytest.mark.parametrize(("customer", "agent"), [("left", "left"), ("right", "2")])
def test_both_parties_cannot_be_in_one_channel(customer, agent):
    with pytest.raises(UsageError, match="name one channel for each"):
        parse_channels(customer, agent)


def test_an_agent_beside_a_customer_alone_is_an_error():
    with pytest.raises(UsageError, match="leave out --agent"):
        parse_channels("mono", "right")


# Formats and rates


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
def test_any_rate_gives_the_same_tone_and_length(tmp_path, rate):
    samples = read(write(tmp_path / "a.wav", tone(rate=rate), rate))
    assert_is_tone(samples)
    assert abs(len(samples) - 3 * RATE) <= 8


def test_samples_at_8_khz_are_untouched_even_beyond_full_scale(tmp_path):
    loud = tone() * 10
    path = write(tmp_path / "a.wav", loud, subtype="FLOAT")
    assert np.array_equal(read(path), loud)


def test_a_sound_above_4_khz_does_not_fold_back(tmp_path):
    samples = read(write(tmp_path / "a.wav", tone(5000, rate=16000), 16000))
    assert np.abs(samples[400:-400]).max() < 1e-4


SUBTYPES = [
    "GSM610",
    "MS_ADPCM",
    "IMA_ADPCM",
    "ALAW",
    "ULAW",
    "PCM_U8",
    "PCM_24",
    "FLOAT",
    "DOUBLE",
]


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_wav_of_every_coding_is_read(tmp_path, subtype):
    assert_is_tone(read(write(tmp_path / "a.wav", tone(), subtype=subtype)))


FORMATS = ["FLAC", "MP3", "OGG VORBIS", "OGG OPUS", "AIFF", "AU", "CAF", "W64", "RF64", "WAVEX"]


@pytest.mark.parametrize("coding", FORMATS)
@pytest.mark.parametrize("rate", [8000, 48000])
def test_every_format_of_soundfile_is_read(tmp_path, coding, rate):
    container, *subtype = coding.split()
    path = write(
        tmp_path / "a", tone(rate=rate), rate, format=container, subtype="".join(subtype) or None
    )
    assert_is_tone(read(path))


PYAV_FORMATS = [
    ("a.m4a", "aac", 16000),
    ("a.aac", "aac", 44100),
    ("a.mp4", "aac", 48000),
    ("a.wma", "wmav2", 44100),
    ("a.mka", "ac3", 48000),
    ("a.webm", "libopus", 48000),
    ("a.wav", "g726", 8000),
]


@pytest.mark.parametrize(("name", "codec", "rate"), PYAV_FORMATS)
def test_pyav_reads_what_soundfile_cannot(tmp_path, name, codec, rate):
    path = write_pyav(tmp_path / name, codec, tone(rate=rate), rate)
    with pytest.raises(soundfile.SoundFileError):
        soundfile.SoundFile(path)
    with open_recording(path, MONO) as recording:
        assert recording.sample_rate == rate
        assert recording.n_channels == 1
        assert recording.duration_s == pytest.approx(3.0, abs=0.2)
    assert_is_tone(read(path))


def test_pyav_keeps_the_channels_apart(tmp_path):
    both = np.stack([tone(300, rate=16000), tone(1000, rate=16000)], axis=1)
    path = write_pyav(tmp_path / "a.m4a", "aac", both, 16000)
    assert peak_hz(read(path, Channels(0))) == pytest.approx(300, abs=1)
    assert peak_hz(read(path, Channels(1))) == pytest.approx(1000, abs=1)


def test_reading_an_mp3_in_pieces_gives_what_reading_it_whole_gives(tmp_path):
    path = write(tmp_path / "a.mp3", noise(25))
    assert np.allclose(read(path), soundfile.read(path, dtype="float32")[0], atol=1e-6)


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.ogg", "a.m4a"])
@pytest.mark.parametrize("piece_s", [0.01, 0.3, 2.0])
def test_the_size_of_the_pieces_does_not_change_the_samples(tmp_path, monkeypatch, name, piece_s):
    if name == "a.m4a":
        path = write_pyav(tmp_path / name, "aac", noise(12, 44100), 44100)
    else:
        path = write(tmp_path / name, noise(12, 44100), 44100)
    expected = read(path)
    monkeypatch.setattr(decoding, "_PIECE_S", piece_s)
    assert np.array_equal(read(path), expected)


def test_duration_rate_and_channels_are_known_on_opening(tmp_path):
    path = write(tmp_path / "a.flac", np.zeros((22050, 3)), 11025)
    with open_recording(path, Channels(2)) as recording:
        assert (recording.duration_s, recording.sample_rate, recording.n_channels) == (2, 11025, 3)


@pytest.mark.parametrize("n_samples", [1, 2, 100])
@pytest.mark.parametrize("rate", [8000, 48000])
def test_a_very_short_recording_is_no_error(tmp_path, n_samples, rate):
    samples = read(write(tmp_path / "a.wav", np.zeros(n_samples), rate))
    assert len(samples) == pytest.approx(n_samples * RATE / rate, abs=1)


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_silence_offset_and_clipping_are_no_errors(tmp_path, level):
    samples = read(write(tmp_path / "a.wav", np.full(RATE, level)))
    assert samples == pytest.approx(np.full(RATE, level), abs=1e-4)


# Blocks


@pytest.mark.parametrize("rate", [8000, 44100])
def test_blocks_are_consecutive_and_both_parties_keep_step(tmp_path, rate):
    both = np.stack([tone(300, 25.5, rate), tone(1000, 25.5, rate)], axis=1)
    path = write(tmp_path / "a.wav", both, rate)
    n_read = 0
    with open_recording(path, Channels(customer=1, agent=0)) as recording:
        for customer, agent in recording.blocks():
            assert customer.start == agent.start == n_read
            assert customer.samples.shape == agent.samples.shape
            assert 0 < len(customer.samples) < 10.3 * RATE
            assert customer.samples.flags.c_contiguous
            n_read += len(customer.samples)
    assert n_read == pytest.approx(25.5 * RATE, abs=8)


def test_each_party_is_read_from_its_own_channel(tmp_path):
    both = np.stack([tone(300), tone(1000)], axis=1)
    path = write(tmp_path / "a.wav", both, subtype="FLOAT")
    with open_recording(path, Channels(customer=1, agent=0)) as recording:
        pairs = list(recording.blocks())
    assert np.array_equal(np.concatenate([a.samples for a, _ in pairs]), both[:, 1])
    assert np.array_equal(np.concatenate([b.samples for _, b in pairs]), both[:, 0])


def test_without_an_agent_the_second_block_is_none(tmp_path):
    path = write(tmp_path / "a.wav", np.zeros((RATE, 2)))
    with open_recording(path, LEFT) as recording:
        assert [agent for _, agent in recording.blocks()] == [None]


def test_any_of_64_channels_can_be_named(tmp_path):
    samples = np.tile(np.arange(64) / 100, (RATE, 1)).astype(np.float32)
    path = write(tmp_path / "a.wav", samples, subtype="FLOAT")
    assert np.array_equal(read(path, Channels(63)), samples[:, 63])


@pytest.mark.parametrize(("rate", "minutes"), [(48000, 1), (48000, 10)])
def test_a_long_file_needs_no_more_memory_than_a_short_one(tmp_path, rate, minutes):
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", rate, 2, subtype="PCM_U8") as file:
        for _ in range(minutes * 6):
            file.write(np.zeros((10 * rate, 2), np.int16))
    tracemalloc.start()
    with open_recording(str(path), Channels(0, 1)) as recording:
        lengths = [len(customer.samples) for customer, _ in recording.blocks()]
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(lengths) == minutes * 60 * RATE
    assert max(lengths) < 10.3 * RATE
    assert peak_bytes < 16e6


def test_the_file_is_closed_at_the_end_and_after_a_failed_opening(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    path = write(tmp_path / "a.wav", tone())
    read(path)
    said(path, LEFT)
    said(write(tmp_path / "b.wav", tone(rate=4000), 4000))
    assert len(os.listdir("/proc/self/fd")) == before


# What cannot be opened


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "a.wav").touch()
    assert said(str(tmp_path / "a.wav")).startswith("is empty (0 bytes); ")


@pytest.mark.parametrize("container", ["WAV", "OGG", "AIFF", "AU", "W64"])
def test_a_header_without_audio_is_an_error(tmp_path, container):
    path = write(tmp_path / "a", np.zeros(0), format=container)
    assert said(path).startswith("holds no audio")


def test_a_header_with_notes_but_no_audio_is_an_error(tmp_path):
    path = write(tmp_path / "a.wav", np.zeros(0))
    with open(path, "ab") as file:
        file.write(b"LIST" + struct.pack("<I", 4) + b"INFO")
    assert said(path).startswith("holds no audio")


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a", "a.gsm", "a.ogg"])
@pytest.mark.parametrize("content", [b"hello\n" * 999, bytes(9999), b"#EXTM3U\nhttp://a/b.wav\n"])
def test_what_is_not_audio_is_an_error(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert said(str(tmp_path / name)).startswith("is ")


def test_what_soundfile_cannot_read_names_the_extra_where_pyav_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.wav").write_text("no audio")
    assert "pip install av" in said(str(tmp_path / "a.wav"))
    assert "convert it to WAV" in said(str(tmp_path / "a.wav"))


def test_a_playlist_does_not_open_other_files(tmp_path):
    need("av")
    path = write(tmp_path / "a.wav", tone())
    playlist = tmp_path / "a.m4a"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{path}\n#EXT-X-ENDLIST\n")
    assert said(str(playlist)).startswith("is damaged, or is not audio")


def test_a_film_without_sound_holds_no_audio(tmp_path):
    av = need("av")
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=5, width=16, height=16)
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))
        for part in (picture, None):
            container.mux(stream.encode(part))
    assert said(str(tmp_path / "a.mp4")).startswith("holds no audio")


def test_a_coding_that_nobody_knows_is_an_error(tmp_path):
    path = Path(write_pyav(tmp_path / "a.m4a", "aac", tone(), RATE))
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"zzzz").replace(b"esds", b"zzzz"))
    assert said(str(path)).startswith("is damaged, or is not audio")


def test_two_audio_tracks_are_an_error_because_the_first_may_be_the_agent(tmp_path):
    av = need("av")
    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        streams = [container.add_stream("aac", rate=8000, layout="mono") for _ in range(2)]
        for stream in streams:
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.sample_rate = 8000
            for part in (frame, None):
                container.mux(stream.encode(part))
    assert said(str(tmp_path / "a.m4a")).startswith("has 2 audio tracks; ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path):
    path = write(tmp_path / "a.wav", tone())
    os.chmod(path, 0)
    assert said(path) == "may not be read by this user; change its permissions"


def test_a_file_that_is_gone_is_an_error(tmp_path):
    assert said(str(tmp_path / "a.wav")) == "is not there; check the path"


def test_a_folder_given_as_a_file_is_an_error(tmp_path):
    assert said(str(tmp_path)).startswith("is a folder")


def test_a_fifo_is_an_error_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    assert said(str(tmp_path / "a.wav")).startswith("is not a regular file")


def test_a_socket_and_a_device_are_errors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.wav")
        assert said("a.wav").startswith("is not a regular file")
    assert said("/dev/zero").startswith("is not a regular file")


@pytest.mark.parametrize("rate", [1, 7999, 384_001, 10_000_000])
def test_a_rate_out_of_range_is_an_error(tmp_path, rate):
    error = said(write(tmp_path / "a.wav", np.zeros(100), rate))
    assert error == f"is sampled at {rate} Hz; hackles needs 8000 to 384000 Hz"


def test_the_highest_rate_is_read(tmp_path):
    path = write(tmp_path / "a.wav", tone(rate=384_000), 384_000)
    assert_is_tone(read(path))


# Channels that are not there


@pytest.mark.parametrize("channels", [Channels(0), Channels(1), Channels(7), Channels(1, 0)])
def test_one_channel_is_not_scored_as_one_of_two(tmp_path, channels):
    error = said(write(tmp_path / "a.wav", tone()), channels)
    assert error.startswith("has one channel; if it holds the customer alone, ")
    assert "--customer mono; a mix of both parties cannot be scored" in error


def test_two_channels_are_not_scored_as_the_customer_alone(tmp_path):
    error = said(write(tmp_path / "a.wav", np.zeros((9, 2))), MONO)
    assert error == "has 2 channels; name the customer's with --customer left, right or its number"


def test_a_channel_beyond_the_last_is_an_error(tmp_path):
    path = write(tmp_path / "a.wav", np.zeros((9, 2)))
    assert said(path, Channels(2)) == "has 2 channels; name one of them with --customer, not 3"
    assert said(path, Channels(0, 9)) == "has 2 channels; name one of them with --agent, not 10"


# What breaks off


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_audio_before_a_sample_that_is_no_number_is_yielded(tmp_path, wrong, rate):
    samples = tone(seconds=15, rate=rate)
    samples[int(12.25 * rate)] = wrong
    path = write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    readable, error = read_until_error(path)
    assert len(readable) == pytest.approx(12.25 * RATE, abs=8)
    assert np.isfinite(readable).all()
    assert "no finite number (NaN, infinite) at 12.250 s" in error


def test_a_sample_that_is_no_number_in_a_channel_not_asked_for_is_harmless(tmp_path):
    both = np.stack([tone(), np.full(3 * RATE, np.nan)], axis=1)
    path = write(tmp_path / "a.wav", both, subtype="FLOAT")
    assert_is_tone(read(path, LEFT))


CUT_FORMATS = ["WAV", "WAV GSM610", "WAV MS_ADPCM", "RF64", "W64", "AIFF", "AU", "FLAC", "MP3"]


@pytest.mark.parametrize("coding", CUT_FORMATS)
def test_a_cut_file_yields_what_is_there_then_says_how_much_was(tmp_path, coding):
    container, *subtype = coding.split()
    path = write(tmp_path / "a", noise(), format=container, subtype="".join(subtype) or None)
    samples, error = read_until_error(cut(path, 0.6))
    there_s = len(samples) / RATE
    assert there_s == pytest.approx(6.0, abs=0.6)
    pattern = r"is cut short: only (.*) s of (.*) s are there; copy it again from where it was.*"
    assert re.fullmatch(pattern, error)[1] == f"{there_s:.2f}"
    assert float(re.fullmatch(pattern, error)[2]) == pytest.approx(10.0, abs=0.1)


def test_a_cut_file_at_another_rate_yields_what_is_there(tmp_path):
    path = write(tmp_path / "a.wav", noise(rate=44100), 44100)
    samples, error = read_until_error(cut(path, 0.5))
    assert len(samples) == pytest.approx(5 * RATE, abs=8)
    assert error.startswith("is cut short: only 5.00 s of 10.00 s")


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_cut_ogg_yields_what_is_there(tmp_path, subtype):
    path = write(tmp_path / "a.ogg", noise(), format="OGG", subtype=subtype)
    samples, error = read_until_error(cut(path, 0.6))
    assert 4 * RATE < len(samples) < 7 * RATE
    assert error.startswith("is cut short: only ")


def test_a_flac_of_unstated_length_that_is_cut_yields_what_is_there(tmp_path):
    path = write(tmp_path / "a.flac", noise())
    with open(path, "r+b") as file:  # STREAMINFO: the last 36 bits before the MD5
        file.seek(21)
        high = file.read(1)[0] & 0xF0
        file.seek(21)
        file.write(bytes([high, 0, 0, 0, 0]))
    with open_recording(path, MONO) as recording:
        assert recording.duration_s is None
    assert len(read(path)) == 10 * RATE
    samples, error = read_until_error(cut(path, 0.6))
    assert len(samples) == pytest.approx(6 * RATE, abs=0.6 * RATE)
    assert error.startswith("cannot be read beyond ")


@pytest.mark.parametrize("name", ["a.mp4", "a.mka"])
def test_a_cut_file_of_pyav_yields_what_is_there(tmp_path, name):
    path = write_pyav(tmp_path / name, "aac", noise(), RATE, movflags="+faststart")
    samples, error = read_until_error(cut(path, 0.6))
    assert len(samples) == pytest.approx(6 * RATE, abs=0.6 * RATE)
    assert error.startswith("is cut short: only ")
    assert " of 10." in error


def test_damage_in_the_middle_is_an_error_after_what_is_before_it(tmp_path):
    path = write(tmp_path / "a.flac", noise())
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        file.write(bytes(40_000))
    samples, error = read_until_error(path)
    assert 3 * RATE < len(samples) < 6 * RATE
    assert error.startswith("cannot be read beyond ")


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFFF - 44])
@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW", "GSM610"])
def test_a_streamed_wav_of_unknown_length_is_read_whole(tmp_path, length, subtype):
    path = write(tmp_path / "a.wav", tone(), subtype=subtype)
    content = bytearray(Path(path).read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", length)
    Path(path).write_bytes(content)
    assert_is_tone(read(path))


def test_a_length_that_counts_the_header_is_not_a_cut(tmp_path):
    path = write(tmp_path / "a.wav", tone())
    content = bytearray(Path(path).read_bytes())
    content[40:44] = struct.pack("<I", len(content))
    Path(path).write_bytes(content)
    assert len(read(path)) == 3 * RATE


def untagged_mp3(path: Path) -> str:
    """Write an MP3 of changing bit rate, without the frame that tells its length."""
    samples = np.concatenate([noise(2) * 0.001, noise(18)])
    write(path, samples, format="MP3", bitrate_mode="VARIABLE", compression_level=0.3)
    content = path.read_bytes()
    path.write_bytes(content[content.index(content[:2], 4) :])
    assert b"Xing" not in path.read_bytes()
    return str(path)


def test_an_mp3_that_does_not_state_its_length_is_read_whole_by_pyav(tmp_path):
    need("av")
    samples = read(untagged_mp3(tmp_path / "a.mp3"))
    assert len(samples) == pytest.approx(20 * RATE, abs=0.3 * RATE)


def test_an_mp3_that_does_not_state_its_length_is_not_half_read_in_silence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    samples, error = read_until_error(untagged_mp3(tmp_path / "a.mp3"))
    assert 0 < len(samples) < 19 * RATE
    assert error.startswith("is an MP3 that does not state its length")
    assert "pip install av" in error


def test_a_file_that_turns_from_mono_to_stereo_yields_what_is_before(tmp_path):
    tagless = {"write_xing": "0", "id3v2_version": "0"}
    both = np.stack([tone(), tone()], axis=1)
    mono = write_pyav(tmp_path / "a.mp3", "libmp3lame", tone(), RATE, **tagless)
    stereo = write_pyav(tmp_path / "b.mp3", "libmp3lame", both, RATE, **tagless)
    with open(mono, "ab") as file:
        file.write(Path(stereo).read_bytes())
    samples, error = read_until_error(mono)
    assert_is_tone(samples[: 3 * RATE])
    assert error.startswith("changes its rate or channels at 3.")


@pytest.mark.parametrize("container", ["WAV", "AU", "FLAC", "MP3", "OGG"])
def test_a_file_that_grows_yields_what_was_there_then_says_so(tmp_path, container):
    path = write(tmp_path / "a", noise(25), format=container)
    parts = []
    with open_recording(path, MONO) as recording:
        blocks = recording.blocks()
        parts.append(next(blocks)[0].samples)
        with open(path, "ab") as file:
            file.write(bytes(1000))
        with pytest.raises(AudioError, match=r"^grew while it was read; score it again when"):
            parts.extend(customer.samples for customer, _ in blocks)
    assert len(np.concatenate(parts)) == pytest.approx(25 * RATE, abs=2 * 576)


def test_a_file_that_is_deleted_is_read_to_its_end(tmp_path):
    path = write(tmp_path / "a.wav", noise(25))
    with open_recording(path, MONO) as recording:
        os.remove(path)
        assert sum(len(customer.samples) for customer, _ in recording.blocks()) == 25 * RATE


def test_a_file_that_is_emptied_while_it_is_read_is_an_error(tmp_path):
    path = write(tmp_path / "a.wav", noise(25))
    with open_recording(path, MONO) as recording:
        blocks = recording.blocks()
        next(blocks)
        os.truncate(path, 0)
        with pytest.raises(AudioError, match=r"^is cut short: only 1\d\.\d\d s of 25\.00 s"):
            list(blocks)


def test_a_disk_that_fails_is_an_error_after_what_could_be_read(tmp_path, monkeypatch):
    path = write(tmp_path / "a.wav", noise(25))
    original = soundfile.SoundFile.read

    def fail_later(self, *args, **kwargs):
        if self.tell() >= 20 * RATE:
            raise soundfile.LibsndfileError(2)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(soundfile.SoundFile, "read", fail_later)
    samples, error = read_until_error(path)
    assert len(samples) == 20 * RATE
    assert error.startswith("cannot be read beyond 20.00 s (System error); ")


def test_importing_the_module_loads_no_decoder():
    code = (
        "import sys, hackles.capture.files; print({'av', 'soxr', 'soundfile'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_clipping_outlives_the_resampling(tmp_path, rate):
    samples = np.clip(3 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate), -1, 1)
    got = read(write(tmp_path / "a.wav", samples, rate))
    assert np.abs(got).max() <= 1.0
    assert np.mean(np.abs(got) >= 0.99) > 0.2
