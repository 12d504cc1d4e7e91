"""G.711 against libsndfile, which decodes it too."""

import io

import numpy as np
import pytest
import soundfile

from hackles.capture.g711 import Encoding, decode

EVERY_CODE = np.arange(256, dtype=np.uint8)
SUBTYPES = {Encoding.MU_LAW: "ULAW", Encoding.A_LAW: "ALAW"}

both = pytest.mark.parametrize("law", Encoding)


@both
def test_every_code_is_decoded_as_libsndfile_does(law):
    expected, _ = soundfile.read(
        io.BytesIO(EVERY_CODE.tobytes()),
        format="RAW",
        subtype=SUBTYPES[law],
        samplerate=8000,
        channels=1,
        dtype="float32",
    )
    decoded = decode(EVERY_CODE, law)
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, expected)


@both
def test_the_first_bit_is_the_sign(law):
    np.testing.assert_array_equal(decode(EVERY_CODE[128:], law), -decode(EVERY_CODE[:128], law))


@pytest.mark.parametrize(("law", "top"), [(Encoding.MU_LAW, 32124), (Encoding.A_LAW, 32256)])
def test_the_loudest_codes_stay_within_full_scale(law, top):
    decoded = decode(EVERY_CODE, law) * 32768
    assert (decoded.min(), decoded.max()) == (-top, top)


@both
def test_codes_may_come_in_any_order_and_number(law):
    codes = np.random.default_rng(0).integers(0, 256, 10_000, dtype=np.uint8)
    np.testing.assert_array_equal(decode(codes, law), decode(EVERY_CODE, law)[codes])
    assert decode(codes[:0], law).shape == (0,)
