"""The simulated telephone does to a voice what its parts are named after, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.coding import CODECS, coded, mu_law
from models.training.noise import NOISES, babble, hum, pink_noise
from models.training.telephone import (
    PACKET,
    Line,
    at_level,
    band_pass,
    clipped,
    gain_controlled,
    lossy,
    room,
    rough_line,
    telephone,
    transmit,
)
from tests.features.signals import harmonics

RATE = 8000


def power_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20)


def voice(seconds=3.0, level=0.1):
    t = np.arange(int(seconds * RATE)) / RATE
    syllables = np.maximum(0.02, np.sin(2 * np.pi * 4 * t))
    sound = harmonics(140.0, seconds=seconds)[: len(t)] * syllables
    return (sound * level / np.sqrt(np.mean(sound**2))).astype(np.float32)


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_gives_as_many_samples_in_step_with_those_it_got(codec):
    for n_samples in (1, 159, 7296, 8000, 8137):
        assert len(coded(voice(2.0)[:n_samples], codec)) == n_samples
    sent = voice()
    got = coded(sent, codec)
    lags = range(-80, 81)
    alike = [np.corrcoef(sent[400:-400], np.roll(got, -lag)[400:-400])[0, 1] for lag in lags]
    assert lags[int(np.argmax(alike))] == 0
    assert max(alike) > 0.6


@pytest.mark.parametrize(("codec", "least_db"), [("mu-law", 35), ("A-law", 35), ("GSM 6.10", 4)])
def test_what_a_codec_adds_is_that_much_under_the_voice(codec, least_db):
    sent = voice()
    assert power_db(sent) - power_db(coded(sent, codec) - sent) > least_db


def test_fewer_bits_cost_more():
    sent = voice()
    errors = [power_db(coded(sent, f"Opus {rate} kbit/s") - sent) for rate in (16, 12, 6)]
    assert errors == sorted(errors)


def test_g711_is_the_law_that_the_engine_decodes():
    """Every value that a code stands for passes unharmed, and what is over full scale is held."""
    from hackles.capture.g711 import Encoding, decode

    for law in Encoding:
        values = decode(np.arange(256, dtype=np.uint8), law)
        assert np.array_equal(coded(values, str(law)), values)
    assert np.abs(mu_law(np.array([3.0, -3.0], np.float32))).max() <= 1


def test_an_unknown_codec_is_named():
    with pytest.raises(ValueError, match=r"no codec 'AMR'; known are mu-law"):
        coded(voice(), "AMR")


@pytest.mark.parametrize("name", NOISES)
def test_a_noise_is_of_unit_power_and_made_of_its_seed(name):
    one, again, other = (NOISES[name](np.random.default_rng(seed), 40_001) for seed in (0, 0, 1))
    assert power_db(one) == pytest.approx(0, abs=0.1)
    assert np.array_equal(one, again)
    assert not np.allclose(one, other)


def test_pink_noise_falls_by_3_db_an_octave():
    noise = pink_noise(np.random.default_rng(0), 80_001)
    power = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(len(noise), 1 / RATE)
    low, high = (power[(hz > a) & (hz < 2 * a)].mean() for a in (100, 1600))
    assert 10 * np.log10(low / high) == pytest.approx(12, abs=1.0)


def test_hum_is_on_the_harmonics_of_the_mains_alone():
    noise = hum(np.random.default_rng(0), 80_000)
    power = np.abs(np.fft.rfft(noise * np.hanning(80_000))) ** 2
    hz = np.fft.rfftfreq(80_000, 1 / RATE)
    mains = min((50, 60), key=lambda f: -power[np.abs(hz - f) < 1].sum())
    near = np.abs(hz / mains - np.rint(hz / mains)) * mains < 2
    assert power[near].sum() > 0.999 * power.sum()


def test_babble_is_several_voices_and_needs_some():
    noise = babble(np.random.default_rng(0), 40_000, [voice(), voice(1.0)])
    assert power_db(noise) == pytest.approx(0, abs=0.1)
    # One voice has pauses of 20 dB and more; of six, somebody always talks.
    frames = noise[: 40_000 // 400 * 400].reshape(-1, 400)
    assert np.percentile([power_db(f) for f in frames], 5) > -12
    with pytest.raises(ValueError, match="give it some"):
        babble(np.random.default_rng(0), 10, [])


@given(st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_a_rough_line_can_be_spoken_over(seed):
    line, again = (rough_line(np.random.default_rng(seed)) for _ in range(2))
    assert line == again
    assert line.codec in CODECS
    assert line.noise in NOISES or line.noise == "babble"
    assert 8 <= line.snr_db <= 40
    assert line.gain_db == 0


def test_a_line_is_made_of_its_seed():
    line = Line("Opus 12 kbit/s", noise="babble", snr_db=15, loss=0.05, room_s=0.4, agc=True)
    one, again = (
        transmit(np.random.default_rng(5), voice(), -26, line, [voice(1.0)]) for _ in range(2)
    )
    assert np.array_equal(one, again)


@given(gain_db=st.floats(-30, 0), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_gain_changes_the_level_and_nothing_else(gain_db, seed):
    """In float: the codec behind it is the only thing that a quieter voice sounds worse by."""
    sent = voice(1.0)
    plain = band_pass(sent)
    got = transmit(np.random.default_rng(seed), sent, -26, Line(gain_db=gain_db))
    assert power_db(got) - power_db(plain) == pytest.approx(gain_db, abs=0.5)
    assert np.corrcoef(got, plain)[0, 1] > 0.99


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_noise_is_as_far_under_the_voice_as_was_asked(snr_db):
    sent = at_level(voice(4.0), -26)
    line = Line(noise="white", snr_db=snr_db)
    quiet = transmit(np.random.default_rng(0), np.zeros_like(sent), -26, line)
    # The band lets 3100 of 4000 Hz through.
    assert power_db(quiet) == pytest.approx(-26 - snr_db + 10 * np.log10(3100 / 4000), abs=0.5)


def test_the_telephone_has_no_bass_and_no_treble():
    noise = NOISES["white"](np.random.default_rng(0), 80_000)
    power = np.abs(np.fft.rfft(band_pass(noise))) ** 2
    hz = np.fft.rfftfreq(80_000, 1 / RATE)
    inside = power[(hz > 500) & (hz < 3000)].mean()
    for low, high, least_db in ((0, 100, 40), (0, 200, 15), (3800, 4000, 15)):
        beside = power[(hz >= low) & (hz < high)].mean()
        assert 10 * np.log10(inside / beside) > least_db


def test_a_room_rings_as_long_as_it_is_told():
    click = np.zeros(RATE, np.float32)
    click[0] = 1.0
    heard = room(np.random.default_rng(0), click, 0.5)
    assert heard[0] == 1.0
    tail = [power_db(heard[at : at + 400]) for at in (400, 2400)]  # a quarter of a second apart
    assert tail[0] - tail[1] == pytest.approx(30, abs=3)


def test_clipping_cuts_the_peaks_by_as_much_as_was_asked():
    sent = voice()
    got = clipped(sent, 12.0)
    assert 20 * np.log10(np.abs(sent).max() / np.abs(got).max()) == pytest.approx(12, abs=0.01)
    untouched = np.abs(sent) < np.abs(got).max()
    assert np.array_equal(sent[untouched], got[untouched])


def test_a_gain_control_evens_out_the_level_and_leaves_silence_alone():
    loud, soft = voice(6.0, level=0.2), voice(6.0, level=0.02)
    levels = [power_db(gain_controlled(sent)[-RATE:]) for sent in (loud, soft)]
    assert abs(levels[0] - levels[1]) < 6 < power_db(loud) - power_db(soft)
    silence = np.full(RATE, 1e-4, np.float32)
    assert np.array_equal(gain_controlled(silence), silence)


@given(share=st.floats(0, 1), seed=st.integers(0, 999), n_samples=st.integers(0, 5000))
@settings(max_examples=40, deadline=None)
def test_a_lost_packet_is_the_last_one_again_at_half_or_silence(share, seed, n_samples):
    sent = np.arange(1, n_samples + 1, dtype=np.float32)
    got = lossy(np.random.default_rng(seed), sent, share)
    assert len(got) == n_samples
    lost = 0
    for at in range(0, n_samples - PACKET + 1, PACKET):
        packet, before = got[at : at + PACKET], got[max(at - PACKET, 0) : at]
        if np.array_equal(packet, sent[at : at + PACKET]):
            continue
        lost += 1
        assert not packet.any() or np.array_equal(packet, before * np.float32(0.5))
    packets = n_samples // PACKET
    if share in (0, 1):
        assert lost == share * packets


def test_packets_are_lost_as_often_as_was_asked():
    sent = np.ones(PACKET * 20_000, np.float32)
    got = lossy(np.random.default_rng(0), sent, 0.1)
    assert np.mean(got[::PACKET] < 1) == pytest.approx(0.1, abs=0.01)


def test_level_is_set_where_it_sounds_not_over_the_pauses():
    tone = np.sin(np.arange(16_000) * 0.7).astype(np.float32) * 0.01
    with_pause = np.concatenate([tone, np.zeros(16_000, np.float32)])
    for samples in (tone, with_pause):
        assert power_db(at_level(samples, -20)[:16_000]) == pytest.approx(-20, abs=0.2)


def test_the_usual_telephone_sets_level_and_noise():
    got = telephone(np.random.default_rng(0), voice(4.0, level=0.7), -30.0, 20.0)
    assert power_db(at_level(got, -30)) == pytest.approx(power_db(got), abs=1.0)
