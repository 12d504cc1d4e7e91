"""How far the features agree with Praat, openSMILE and librosa, on real speech.

    python -m benchmarks.oracles --corpora DIR [--out FILE]

Clips of five corpora, of those speakers alone whose half the weights of the pitch were not fitted
on. Each is heard four times: clean (8 kHz, its full band), within the telephone band, and there
with pink noise 20 and 10 dB below the speech, behind G.711. Feature and oracle hear the same.

F0 has two references: Praat on what the engine hears, and Praat on the clean clip, which is as near
to the truth as can be had. The telephone takes the fundamental away, so Praat itself loses voices
there; "trusted" frames are those in which both of its answers agree within 2 %.
"""

import argparse
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks import curves
from benchmarks.record import Figures, command, commit, show, write
from hackles.config import FRAME_LENGTH, HOP_LENGTH, SAMPLE_RATE
from hackles.errors import UsageError
from hackles.features import FUNCTIONAL, LLD, functionals, in_tiles
from hackles.features.functionals import FUNCTIONAL_NAMES
from hackles.features.harmonicity import hnr_db
from hackles.features.spectrum import log_mel_db, power_spectrum
from hackles.types import AnyArray, Array, Bools
from models.training.corpora import NEVER_TRAINED, Clip, read_clips, read_samples
from tests.features.signals import band_limited, frames_of, in_noise, loud_frames

CONDITIONS = ("clean", "band", "noise 20 dB", "noise 10 dB")
_LEVEL_DB = -26.0
_HEARD_DB = 40.0
"""Frames this far below a clip's loudest are compared: the rest is the studio's noise."""
_SPOKEN_DB = 30.0
_LONGEST = 6 * SAMPLE_RATE
_SEED = 2026

TWINS = {
    "f0_st_p20": "F0semitoneFrom27.5Hz_sma3nz_percentile20.0",
    "f0_st_p50": "F0semitoneFrom27.5Hz_sma3nz_percentile50.0",
    "f0_st_p80": "F0semitoneFrom27.5Hz_sma3nz_percentile80.0",
    "f0_st_range": "F0semitoneFrom27.5Hz_sma3nz_pctlrange0-2",
    "alpha_ratio_db_mean": "alphaRatioV_sma3nz_amean",
    "hammarberg_db_mean": "hammarbergIndexV_sma3nz_amean",
    "flux_db_mean": "spectralFlux_sma3_amean",
    "syllable_rate": "loudnessPeaksPerSec",
    "voiced_segment_rate": "VoicedSegmentsPerSec",
    "voiced_s_mean": "MeanVoicedSegmentLengthSec",
    **{f"mfcc{order}_mean": f"mfcc{order}_sma3_amean" for order in range(1, 5)},
}
"""Functionals, and the eGeMAPS functionals that come nearest."""


@dataclass(frozen=True)
class Heard:
    """A clip in one condition: what we and what others make of it."""

    samples: AnyArray
    spoken: Bools
    """Frames in which somebody speaks, by the clean clip."""

    @cached_property
    def llds(self) -> Array:
        """Our descriptors."""
        return in_tiles(frames_of(self.samples))

    @cached_property
    def praat(self) -> dict[str, AnyArray]:
        """Praat's curves."""
        return curves.praat(self.samples)

    @cached_property
    def f0_hz(self) -> AnyArray:
        """Our F0; 0 where there is none."""
        f0_st = self.llds[:, LLD["f0_st"]].astype(np.float64)
        return np.where(f0_st > 0.0, 27.5 * 2.0 ** (f0_st / 12.0), 0.0)

    @property
    def from_first_to_last(self) -> AnyArray:
        """The samples without the silence before and after."""
        frame = np.flatnonzero(self.spoken)
        return self.samples[frame[0] * HOP_LENGTH : frame[-1] * HOP_LENGTH + FRAME_LENGTH]

    @cached_property
    def functionals(self) -> dict[str, float]:
        """Our functionals of all frames in which somebody speaks, as one window."""
        frame = np.flatnonzero(self.spoken)
        values = functionals(
            self.llds[frame][None], frame[None], np.ones((1, len(frame)), dtype=np.bool_)
        )
        return dict(zip(FUNCTIONAL_NAMES, values[0].tolist(), strict=True))


@dataclass
class Pairs:
    """Values of ours beside those of an oracle, gathered from many clips."""

    ours: list[AnyArray] = field(default_factory=list)
    theirs: list[AnyArray] = field(default_factory=list)

    def add(self, ours: AnyArray, theirs: AnyArray) -> None:
        """Add those of one clip."""
        self.ours.append(np.atleast_1d(ours).astype(np.float64))
        self.theirs.append(np.atleast_1d(theirs).astype(np.float64))

    def agreement(self) -> Figures:
        """Return the correlation, the median difference, and percentiles of its size."""
        ours, theirs = np.concatenate(self.ours), np.concatenate(self.theirs)
        off = ours - theirs
        return {
            "values": len(off),
            "correlation": round(float(np.corrcoef(ours, theirs)[0, 1]), 4),
            "offset": _rounded(np.median(off)),
            "median": _rounded(np.median(np.abs(off))),
            "p90": _rounded(np.percentile(np.abs(off), 90)),
            "p95": _rounded(np.percentile(np.abs(off), 95)),
        }

    def pitch(self) -> Figures:
        """Return how many of our F0 values are near the oracle's, and where the others are."""
        ratio = np.concatenate(self.ours) / np.concatenate(self.theirs)
        off = np.abs(ratio - 1.0)
        octave = np.log2(ratio)
        return {
            "frames": len(ratio),
            "within_2_percent": _percent(off <= 0.02),
            "gross": _percent(off > 0.2),
            "octave_up": _percent(np.abs(octave - 1.0) < 0.25),
            "octave_down": _percent(np.abs(octave + 1.0) < 0.25),
            "median_cents": _rounded(np.median(np.abs(1200.0 * octave))),
        }


Table = defaultdict[str, Pairs]


def reported(speaker: str) -> bool:
    """Return whether a speaker is of the half that the pitch was not fitted on."""
    return int(hashlib.sha256(speaker.encode()).hexdigest(), 16) % 2 == 1


def chosen(clips: Sequence[Clip], per_corpus: int) -> list[Clip]:
    """Return as many clips of each corpus, by chance but always the same."""
    chance = np.random.default_rng(_SEED)
    result = []
    corpora = dict.fromkeys(clip.corpus for clip in clips if clip.corpus not in NEVER_TRAINED)
    for corpus in corpora:
        own = [clip for clip in clips if clip.corpus == corpus and reported(clip.speaker)]
        order = chance.permutation(len(own))[:per_corpus]
        result += [own[at] for at in sorted(order)]
    return result


def versions(samples: AnyArray, seed: int) -> Iterator[tuple[str, Heard]]:
    """Yield a clip in each condition."""
    spoken = loud_frames(samples, _SPOKEN_DB)
    rms = np.sqrt(np.mean(np.square(frames_of(samples)[spoken])))
    clean = samples.astype(np.float64) * 10 ** (_LEVEL_DB / 20) / rms
    yield "clean", Heard(clean, spoken)
    yield "band", Heard(band_limited(clean), spoken)
    for condition, snr_db in (("noise 20 dB", 20.0), ("noise 10 dB", 10.0)):
        yield condition, Heard(in_noise(clean, snr_db, seed), spoken)


def compare_pitch(table: Table, condition: str, heard: Heard, clean: Heard) -> None:
    """Add F0, ours and Praat's, against Praat's on the same input and on the clean clip."""
    ours, same, truth = heard.f0_hz, heard.praat["f0_hz"], clean.praat["f0_hz"]
    trusted = (same > 0.0) & (np.abs(same / np.maximum(truth, 1.0) - 1.0) <= 0.02)
    for name, some, reference in (
        ("ours, Praat on the same", ours, same),
        ("ours, Praat on clean", ours, truth),
        ("Praat, Praat on clean", same, truth),
        ("ours, where Praat agrees with itself", ours, np.where(trusted, truth, 0.0)),
    ):
        both = (some > 0.0) & (reference > 0.0)
        table[f"{condition}: {name}"].add(some[both], reference[both])


def compare_curves(table: Table, heard: Heard) -> None:
    """Add every other descriptor against its oracles on the same input."""
    llds = heard.llds
    loud = loud_frames(heard.samples, _HEARD_DB)
    ours = {name: llds[:, column] for name, column in LLD.items()}
    both = (heard.f0_hz > 0.0) & (heard.praat["f0_hz"] > 0.0)
    ours["hnr_db"] = hnr_db(ours["voicing"])
    mel = log_mel_db(power_spectrum(frames_of(heard.samples)))
    # Undefined near the ends; and ours is of the telephone band whatever is heard.
    theirs_db = curves.praat(band_limited(heard.samples))["level_db"]
    known = loud & (theirs_db > -190.0)
    table["level_db, Praat"].add(ours["level_db"][known], theirs_db[known])
    for name, way in (("hnr_db", "ac"), ("hnr_cc_db", "cc")):
        strong = both & (heard.praat[name] > -100.0)
        table[f"hnr_db, Praat {way}"].add(ours["hnr_db"][strong], heard.praat[name][strong])
    for package, theirs in (
        ("Praat", curves.praat_balance(heard.samples)),
        ("librosa", curves.librosas(heard.samples)),
        ("openSMILE", curves.smile(heard.samples)),
    ):
        mel_db = theirs.pop("mel_db", None)
        if mel_db is not None:
            table["mel_db, librosa"].add(mel[loud].ravel(), mel_db[loud].ravel())
        for name, curve in theirs.items():
            known = both & (curve != 0.0) if name in ("f0_st", "hnr_db") else loud
            table[f"{name}, {package}"].add(ours[name][known], curve[known])


def voicing_agreement(heard: Sequence[Heard], clean: Sequence[Heard]) -> Figures:
    """Return how far we and Praat agree on which of the spoken frames are voiced."""
    spoken = np.concatenate([h.spoken for h in heard])
    ours, same = (np.concatenate(x)[spoken] > 0.0 for x in _f0_of(heard))
    truth = np.concatenate([h.praat["f0_hz"] for h in clean])[spoken] > 0.0
    return {
        "frames": len(ours),
        "ours_as_Praat_on_the_same": _percent(ours == same),
        "ours_as_Praat_on_clean": _percent(ours == truth),
        "Praat_as_Praat_on_clean": _percent(same == truth),
        "voiced_and_heard": _percent(ours[truth]),
        "unvoiced_and_heard_so": _percent(~ours[~truth]),
    }


def compare_functionals(heard: Sequence[Heard], clean: Sequence[Heard]) -> dict[str, Figures]:
    """Return the correlation over clips with openSMILE's twin, and with ourselves on clean."""
    theirs = [curves.smile_functionals(h.from_first_to_last) for h in heard]
    rows: dict[str, Figures] = {}
    for name in FUNCTIONAL:
        ours = [h.functionals[name] for h in heard]
        row: Figures = {"with_clean": _correlation(ours, [h.functionals[name] for h in clean])}
        if name in TWINS:
            row["with_openSMILE"] = _correlation(ours, [some[TWINS[name]] for some in theirs])
        rows[name] = row
    return rows


def _f0_of(heard: Sequence[Heard]) -> tuple[list[AnyArray], list[AnyArray]]:
    return [h.f0_hz for h in heard], [h.praat["f0_hz"] for h in heard]


def _correlation(some: Sequence[float], others: Sequence[float]) -> float | None:
    if np.std(some) == 0.0 or np.std(others) == 0.0:
        return None
    return round(float(np.corrcoef(some, others)[0, 1]), 3)


def _percent(flags: Bools) -> float:
    return round(100.0 * float(np.mean(flags)), 2)


def _rounded(value: float | np.floating) -> float:
    return float(f"{float(value):.4g}")


def measure(clips: Sequence[Clip]) -> Figures:
    """Return all figures."""
    pitch: Table = defaultdict(Pairs)
    tables: dict[str, Table] = {condition: defaultdict(Pairs) for condition in CONDITIONS}
    kept: dict[str, list[Heard]] = {condition: [] for condition in CONDITIONS}
    for seed, clip in enumerate(clips):
        for condition, heard in versions(read_samples(clip)[:_LONGEST], seed):
            kept[condition].append(heard)
            compare_pitch(pitch, condition, heard, kept["clean"][-1])
            compare_curves(tables[condition], heard)
    clean = kept["clean"]
    return {
        "clips": len(clips),
        "speakers": len({clip.speaker for clip in clips}),
        "seconds": round(sum(len(h.samples) for h in clean) / SAMPLE_RATE, 1),
        "f0": {name: pairs.pitch() for name, pairs in pitch.items()},
        "voicing": {name: voicing_agreement(heard, clean) for name, heard in kept.items()},
        "descriptors": {
            name: {row: pairs.agreement() for row, pairs in table.items()}
            for name, table in tables.items()
        },
        "functionals": {name: compare_functionals(heard, clean) for name, heard in kept.items()},
    }


def show_all(figures: Figures) -> None:
    """Print the tables."""
    show("F0, per cent of frames that both call voiced", figures["f0"])
    show("Voicing, per cent of the frames in which somebody speaks", figures["voicing"])
    for condition, rows in figures["descriptors"].items():
        show(f"Descriptors, {condition}", rows)
    by_name: dict[str, Figures] = {}
    for condition, rows in figures["functionals"].items():
        for name, row in rows.items():
            short = {"with_clean": "clean", "with_openSMILE": "openSMILE"}
            columns = {f"{condition} ~ {short[what]}": value for what, value in row.items()}
            by_name[name] = by_name.get(name, {}) | columns
    show("Functionals, correlation over clips", by_name)


def main(arguments: list[str] | None = None) -> int:
    """Compare, print and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of labelled speech")
    parser.add_argument("--clips", type=int, default=30, help="clips of each corpus")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args(arguments)
    begun: Figures = {"commit": commit()}
    try:
        clips = chosen(read_clips(options.corpora), options.clips)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    packages = {name: version(name) for name in ("praat-parselmouth", "opensmile", "librosa")}
    figures: Figures = {"packages": packages, **measure(clips)}
    show_all(figures)
    if options.out:
        write(options.out, command("-m benchmarks.oracles", options), {**begun, **figures})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
