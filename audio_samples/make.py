"""Make the sample calls of this folder from espeak-ng: stereo G.711 mu-law, 8 kHz.

    python audio_samples/make.py [--out DIR]

The left channel is the agent, the right channel the customer; `NAME.json` beside `NAME.wav`
tells what is true of the call. The texts and voices stand in `dialogues.toml`; how a mood
sounds stands in `STYLES`. All chance comes from one seed, so a second run writes the same bytes.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, firwin2, sosfilt, stft

Array = NDArray[np.float64]

HERE = Path(__file__).resolve().parent
SEED = 20240611
DEMO = "en_rising_1"
SAMPLE_RATE = 8000
AGENT, CUSTOMER = 0, 1

SPEECH_RMS_DBFS = -32.5  # calm speech; espeak's crest factor puts its peaks near -12 dBFS
LINE_NOISE_DBFS = -60.0  # white, so that a pause is not digital silence
TELEPHONE_BAND_HZ = (300.0, 3400.0)
TENSE_HZ, TENSE_Q = 1750.0, 0.6  # the middle of 1-3 kHz, about two octaves wide
MUSIC_S, MUSIC_RMS_DBFS = 12.0, -28.0
INTERRUPTION_S = 0.6

# The long-term average spectrum of speech, men and women of twelve languages, dB per third octave
# (Byrne et al. 1994, J. Acoust. Soc. Am. 96:2108). espeak's own voices are up to 8 dB too
# bright or too dark somewhere in the band, as no caller is.
SPEECH_HZ = (200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150)
SPEECH_DB = (60.2, 60.3, 59.0, 62.1, 62.1, 60.5, 56.8, 53.7, 53.0, 52.0, 48.7, 48.1, 46.8)
MOST_DB, TAPS = 12.0, 257
CHORDS = ((60, 64, 67, 72), (57, 60, 64, 69), (53, 57, 60, 65), (55, 59, 62, 67))  # MIDI notes


class EspeakError(RuntimeError):
    """espeak-ng is missing or made no sound."""


@dataclass(frozen=True)
class Style:
    """How a turn sounds, against the same voice when calm.

    Attributes:
        pitch: added to the voice's `espeak-ng -p`, about 0.18 semitones a unit.
        range_percent: SSML prosody range; espeak's own is 100, its widest about 200.
        rate: times the call's `words_per_minute`, which is `espeak-ng -s`.
        level_db: RMS level against calm speech.
        tense_db: boost around 1-3 kHz, which flattens the spectral tilt as a tense voice does.
        emotion: the name in the truth's `segments`.
        distractor: the name in the truth's `distractors`, where the turn is one.
    """

    pitch: float
    range_percent: float
    rate: float
    level_db: float
    tense_db: float
    emotion: str = "neutral"
    distractor: str | None = None


def irritated(share: float) -> Style:
    """Return the style that lies `share` (0 to 1) of the way from calm to full irritation."""
    return Style(46 * share, 85, 1 + 0.4 * share, 6 * share, 20 * share, "anger")


STYLES = {
    "agent": Style(0, 100, 1.1, 0, 0),
    "calm": Style(0, 85, 1, 0, 0),
    "close": Style(0, 85, 1, 8, 0, distractor="closer to the microphone"),
    "cheerful": Style(9, 145, 1.08, 1, 0, "happy", distractor="cheerful"),
    "rise1": irritated(0.34),
    "rise2": irritated(0.67),
    "held": irritated(1.0),
    "burst": irritated(1.0),  # as held, but talks over the end of the agent's turn
}


def espeak(text: str, voice: str, pitch: int, words_per_minute: int, range_percent: float) -> Array:
    """Return one spoken turn at 8 kHz, of no particular level.

    Args:
        text: plain text; words between asterisks are emphasised.
        voice: an espeak-ng voice with its variant, such as `pl+f2`.
        pitch: `-p`, 0 to 99.
        words_per_minute: `-s`, 80 and up.
        range_percent: SSML prosody range.

    Raises:
        EspeakError: if espeak-ng is missing, fails or stays silent.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise EspeakError("espeak-ng is needed to make the samples and was not found on the PATH.")
    body = re.sub(r"\*(.+?)\*", r'<emphasis level="strong">\1</emphasis>', escape(text))
    ssml = f'<speak><prosody range="{range_percent:.0f}%">{body}</prosody></speak>'
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder, "turn.wav")
        # -a below its default of 100: some voices clip inside espeak at 100.
        command = [program, "-v", voice, "-p", str(pitch), "-s", str(words_per_minute)]
        command += ["-a", "60", "-b", "1", "-m", "-w", str(wav), ssml]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not wav.exists():
            raise EspeakError(f"espeak-ng failed with voice {voice}: {done.stderr.strip()}")
        spoken, sample_rate = sf.read(wav, dtype="float64")
    samples = np.asarray(soxr.resample(spoken, sample_rate, SAMPLE_RATE), dtype=np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.max(np.abs(samples), initial=1e-9))
    if loud.size == 0:
        raise EspeakError(f"espeak-ng made no sound with voice {voice}.")
    return samples[loud[0] : loud[-1] + 1]


def telephone_band(samples: Array) -> Array:
    """Return `samples` through a gentle 300-3400 Hz band-pass (second order a side)."""
    band = butter(2, TELEPHONE_BAND_HZ, "bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(band, samples), dtype=np.float64)


def naturalness(calm: Array) -> Array:
    """Return the filter that gives a voice the average spectrum of speech, shape (TAPS,).

    Args:
        calm: calm speech of that voice.
    """
    hz, _, spectrum = stft(calm, SAMPLE_RATE, nperseg=512)
    power = np.abs(spectrum) ** 2
    heard = power.sum(axis=0)
    mean = power[:, heard > heard.max() / 100].mean(axis=1)
    low, high = (np.array(SPEECH_HZ) * 2.0**side for side in (-1 / 6, 1 / 6))
    level_db = [
        10 * np.log10(mean[(hz >= a) & (hz < b)].sum()) for a, b in zip(low, high, strict=True)
    ]
    gain_db = np.array(SPEECH_DB) - level_db
    gain_db = np.clip(gain_db - gain_db.mean(), -MOST_DB, MOST_DB)
    edges = np.array([0, *SPEECH_HZ, SAMPLE_RATE / 2])
    gain = 10 ** (np.concatenate([gain_db[:1], gain_db, gain_db[-1:]]) / 20)
    return np.asarray(firwin2(TAPS, edges, gain, fs=SAMPLE_RATE), dtype=np.float64)


def tense(samples: Array, gain_db: float) -> Array:
    """Return `samples` with a bell-shaped boost of `gain_db` around 1-3 kHz.

    Source:
        Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", peakingEQ.
    """
    amplitude = 10 ** (gain_db / 40)
    omega = 2 * np.pi * TENSE_HZ / SAMPLE_RATE
    alpha = np.sin(omega) / (2 * TENSE_Q)
    b = np.array([1 + alpha * amplitude, -2 * np.cos(omega), 1 - alpha * amplitude])
    a = np.array([1 + alpha / amplitude, -2 * np.cos(omega), 1 - alpha / amplitude])
    sos = np.concatenate([b, a])[np.newaxis] / a[0]
    return np.asarray(sosfilt(sos, samples), dtype=np.float64)


def speech_rms(samples: Array) -> float:
    """Return the RMS of the 20 ms frames that lie within 30 dB of the loudest one."""
    frame_length = SAMPLE_RATE // 50
    frames = samples[: len(samples) // frame_length * frame_length].reshape(-1, frame_length)
    power = np.mean(frames**2, axis=1)
    return float(np.sqrt(np.mean(power[power > power.max() / 1000])))


def at_level(samples: Array, level_dbfs: float) -> Array:
    """Return `samples` scaled to an RMS of `level_dbfs` while they sound."""
    return samples * (10 ** (level_dbfs / 20) / speech_rms(samples))


def hold_music() -> Array:
    """Return plucked chords with a melody above them, `MUSIC_S` long, at `MUSIC_RMS_DBFS`."""
    out = np.zeros(round(MUSIC_S * SAMPLE_RATE))
    beat = round(0.5 * SAMPLE_RATE)
    time_s = np.arange(2 * beat) / SAMPLE_RATE
    for i, start in enumerate(range(0, len(out), beat)):
        chord = CHORDS[i // 4 % len(CHORDS)]
        notes = [chord[(3 * i) % 4] + 12, *(chord if i % 4 == 0 else chord[i % 2 : i % 2 + 1])]
        for note in notes:
            f0_hz = 440 * 2 ** ((note - 69) / 12)
            tone = sum(np.sin(2 * np.pi * k * f0_hz * time_s) / k**1.5 for k in range(1, 5))
            room = out[start : start + 2 * beat]
            room += (tone * np.exp(-3 * time_s) * np.minimum(1, time_s / 0.01))[: len(room)]
    return at_level(telephone_band(out), MUSIC_RMS_DBFS)


def pink_noise(n_samples: int, rng: np.random.Generator) -> Array:
    """Return noise of unit RMS whose power falls by 3 dB an octave from 50 Hz on."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE), 50.0))
    noise = telephone_band(np.fft.irfft(spectrum, n_samples))
    return noise / float(np.sqrt(np.mean(noise**2)))


def voice_of(call: dict[str, Any], mood: str) -> tuple[int, str]:
    """Return the pitch and the voice of who speaks."""
    return (45, call["agent"]) if mood == "agent" else (call["pitch"], call["customer"])


def filter_of(call: dict[str, Any], calm: str) -> Array:
    """Return the filter of one party, whose calm turns have the mood `calm`."""
    pitch, voice = voice_of(call, calm)
    style, words = STYLES[calm], " ".join(text for mood, text in call["turns"] if mood == calm)
    return naturalness(espeak(words, voice, pitch, call["words_per_minute"], style.range_percent))


def say(
    call: dict[str, Any], mood: str, text: str, natural: Array, rng: np.random.Generator
) -> Array:
    """Return one turn as it goes down the line, with a little chance in pitch, rate and level."""
    style = STYLES[mood]
    base, voice = voice_of(call, mood)
    lift = style.pitch * call.get("pitch_lift", 1.0)
    pitch = round(min(99.0, base + lift + rng.uniform(-2, 2)))
    words_per_minute = round(call["words_per_minute"] * style.rate)
    spoken = espeak(text, voice, pitch, words_per_minute, style.range_percent)
    spoken = np.asarray(fftconvolve(spoken, natural, "same"), dtype=np.float64)
    samples = telephone_band(tense(spoken, style.tense_db))
    return at_level(samples, SPEECH_RMS_DBFS + style.level_db + rng.uniform(-1, 1))


def place(call: dict[str, Any], rng: np.random.Generator) -> Iterator[tuple[str, int, Array]]:
    """Yield mood, first sample and samples of every turn of a call, in order."""
    end = round(0.4 * SAMPLE_RATE)
    filters = {party: filter_of(call, party) for party in ("agent", "calm")}
    for mood, text in call["turns"]:
        if mood == "music":
            samples = hold_music()
        else:
            natural = filters["agent" if mood == "agent" else "calm"]
            samples = say(call, mood, text, natural, rng)
        gap_s = -INTERRUPTION_S if mood == "burst" else rng.uniform(0.2, 0.45)
        start = end + round(gap_s * SAMPLE_RATE)
        end = start + len(samples)
        yield mood, start, samples


def truth(call: dict[str, Any], turns: list[tuple[str, int, Array]]) -> dict[str, Any]:
    """Return what is true of a call; times in seconds of the recording.

    `segments` are the customer's turns, and `speech_s` is their sum, with the short pauses inside.
    """
    segments: list[list[Any]] = []
    distractors: list[list[Any]] = []
    held: list[float] = []
    said: list[list[Any]] = []
    for (mood, start, samples), (_, text) in zip(turns, call["turns"], strict=True):
        span = [round(n / SAMPLE_RATE, 3) for n in (start, start + len(samples))]
        if mood != "music":
            who = "agent" if mood == "agent" else "customer"
            said.append([*span, who, text.replace("*", "")])
        if mood == "music":
            distractors.append([*span, "hold music"])
        elif mood != "agent":
            segments.append([*span, STYLES[mood].emotion])
            if STYLES[mood].distractor:
                distractors.append([*span, STYLES[mood].distractor])
            if mood in ("held", "burst"):
                held.append(span[0])
    angry = [s for s in segments if s[2] == "anger"]
    return {
        "synthetic": "espeak-ng",
        "speaker": call["customer"],
        "sex": call["sex"],
        "language": call["language"],
        "escalates": bool(angry),
        "onset_s": angry[0][0] if angry else None,
        "plateau_s": held[0] if held else None,
        "end_s": angry[-1][1] if angry else None,
        "speech_s": round(sum(end - start for start, end, _ in segments), 3),
        "gain_db": 0.0,
        "snr_db": call.get("snr_db"),
        "codec": "mulaw",
        "segments": segments,
        "distractors": distractors,
        "turns": said,
    }


def make_call(call: dict[str, Any], folder: Path) -> Path:
    """Write one call's WAV and its truth into `folder`; return the WAV's path."""
    rng = np.random.default_rng([SEED, zlib.crc32(call["name"].encode())])
    turns = list(place(call, rng))
    n_samples = turns[-1][1] + len(turns[-1][2]) + SAMPLE_RATE // 2
    stereo = rng.standard_normal((n_samples, 2)) * 10 ** (LINE_NOISE_DBFS / 20)
    for mood, start, samples in turns:
        # Hold music is heard on both legs; a talker only on their own.
        for channel in (AGENT, CUSTOMER):
            if mood == "music" or (mood == "agent") == (channel == AGENT):
                stereo[start : start + len(samples), channel] += samples
    if "snr_db" in call:
        noise_dbfs = SPEECH_RMS_DBFS - call["snr_db"]
        stereo[:, CUSTOMER] += pink_noise(n_samples, rng) * 10 ** (noise_dbfs / 20)
    if np.max(np.abs(stereo)) >= 1.0:
        raise ValueError(f"{call['name']} clips: lower SPEECH_RMS_DBFS")
    wav = folder / f"{call['name']}.wav"
    sf.write(wav, stereo, SAMPLE_RATE, format="WAV", subtype="ULAW")
    text = json.dumps(truth(call, turns), ensure_ascii=False, indent=1)
    text = re.sub(r"\[\s+([\d.]+),\s+([\d.]+),\s+(\"[^\"]+\")\s+\]", r"[\1, \2, \3]", text)
    text = re.sub(r"\[\s+([\d.]+),\s+([\d.]+),\s+(\"\w+\"),\s+(.+)\s+\]", r"[\1, \2, \3, \4]", text)
    wav.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return wav


def main(arguments: list[str] | None = None) -> int:
    """Make every call; return 0, or 2 if espeak-ng cannot do its part."""
    parser = argparse.ArgumentParser(description="Make the sample calls from espeak-ng.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the files")
    folder: Path = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    # The sample that `hackles demo` plays travels in the package.
    demo = HERE.parent / "engine" / "hackles" / "samples" if folder == HERE else folder
    calls = tomllib.loads((HERE / "dialogues.toml").read_text(encoding="utf-8"))["call"]
    try:
        for call in calls:
            print(made := make_call(call, folder))
            if call["name"] == DEMO:
                demo.mkdir(parents=True, exist_ok=True)
                for file in (made, made.with_suffix(".json")):
                    shutil.copyfile(file, demo / f"call{file.suffix}")
    except EspeakError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
