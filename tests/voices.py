"""A corpus of made-up voices, to train on in tests: no recording is needed."""

import csv

import numpy as np
import soundfile

EMOTIONS = ("neutral", "anger", "happiness", "sadness")
CORPORA = ("nemo", "emodb", "ased")


def voice(rng, f0_hz, tilt_db, seconds=2.0):
    """A hummed sentence: harmonics with an intonation, a tilt, and four syllables a second."""
    t = np.arange(int(seconds * 8000)) / 8000
    pitch = f0_hz * 2 ** (0.15 * np.sin(2 * np.pi * rng.uniform(0.4, 0.7) * t + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    harmonics = range(1, int(3600 / f0_hz))
    sound = sum(10 ** (-tilt_db * np.log2(k) / 20) * np.sin(k * phase) for k in harmonics)
    syllables = np.maximum(0.03, np.sin(2 * np.pi * 4 * t + rng.uniform(0, 6)))
    return (0.1 * syllables * sound + 1e-4 * rng.standard_normal(len(t))).astype(np.float32)


def write_corpora(folder, corpora=CORPORA, emotions=EMOTIONS, speakers=4, takes=3):
    """Write clips of every emotion of every speaker, and their labels; anger is high and bright."""
    rng = np.random.default_rng(0)
    rows = []
    for corpus in corpora:
        for speaker in range(speakers):
            f0_hz = rng.uniform(100, 220)
            for emotion in emotions:
                for take in range(takes):
                    angry = emotion == "anger"
                    raised = 1.4 if angry else 1.2 if emotion == "happiness" else 1.0
                    samples = voice(rng, f0_hz * raised, 5 if angry else 10)
                    file = f"{corpus}_{speaker}_{emotion}_{take}.flac"
                    soundfile.write(folder / file, samples, 8000)
                    rows.append((file, corpus, f"{corpus}:{speaker}", "", emotion, ""))
    with (folder / "labels.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "corpus", "speaker", "sex", "emotion", "intensity"])
        writer.writerows(rows)
    return folder
