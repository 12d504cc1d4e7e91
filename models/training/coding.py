"""What the codecs of a telephone leave of a voice: G.711, GSM 6.10 and Opus, coded and decoded."""

import io
from types import MappingProxyType

import numpy as np

from hackles.config import SAMPLE_RATE
from hackles.types import Array

_SOUNDFILE = MappingProxyType({"mu-law": "ULAW", "A-law": "ALAW", "GSM 6.10": "GSM610"})
_OPUS = MappingProxyType({f"Opus {kbit_per_s} kbit/s": kbit_per_s for kbit_per_s in (6, 12, 16)})

_ONE_PAGE = 2 * SAMPLE_RATE

CODECS = (*_SOUNDFILE, *_OPUS)
"""What `coded` knows, by name."""


def coded(samples: Array, codec: str) -> Array:
    """Return samples as they leave a codec at the far end, as many, without its delay.

    Args:
        samples: at 8 kHz, shape (n_samples,); what is beyond full scale is clipped.
        codec: one of `CODECS`.

    Raises:
        ValueError: if there is no such codec.
    """
    if codec not in CODECS:
        raise ValueError(f"there is no codec {codec!r}; known are {', '.join(CODECS)}")
    if not len(samples):
        return samples
    held = np.clip(samples, -1.0, 1.0)
    decoded = _opus(held, _OPUS[codec]) if codec in _OPUS else _wav(held, _SOUNDFILE[codec])
    # GSM comes in blocks, and short clips are filled up for Opus: what they were filled with goes.
    return decoded[: len(samples)]


def mu_law(samples: Array) -> Array:
    """Return samples after G.711 mu-law, the telephone's usual codec."""
    return coded(samples, "mu-law")


def _wav(samples: Array, subtype: str) -> Array:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype=subtype)
    return _decoded(file)


def _opus(samples: Array, kbit_per_s: int) -> Array:
    """Code speech as a softphone does: 20 ms packets, variable rate."""
    import av

    file = io.BytesIO()
    options = {"application": "voip", "frame_duration": "20", "vbr": "on"}
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", SAMPLE_RATE, options, layout="mono")
        stream.bit_rate = 1000 * kbit_per_s
        # libsndfile calls some Ogg files of a single page malformed (up to a second: one page).
        silence = max(_ONE_PAGE - len(samples), 0)
        integers = np.rint(np.pad(samples, (0, silence)) * 32767.0).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(integers, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return _decoded(file)


def _decoded(file: io.BytesIO) -> Array:
    import soundfile

    file.seek(0)
    samples, _ = soundfile.read(file, dtype="float32")
    result: Array = samples
    return result
