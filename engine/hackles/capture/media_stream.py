"""One media stream: what its messages say, until nothing more of it is wanted."""

from collections.abc import Callable
from typing import Final

from hackles.capture.complaints import Complaints
from hackles.capture.intake import AHEAD_S, Fate, Refusal, Troubles
from hackles.capture.media_backlog import Codes, backlog_of
from hackles.capture.media_messages import (
    BROKEN,
    Decode,
    DtmfMessage,
    FlatMedia,
    FlatStart,
    Media,
    MediaMessage,
    Message,
    StartMessage,
    decode,
    decode_base64,
    decode_either,
    decode_flat,
    decode_pairs,
    says_nothing_of_audio,
)
from hackles.capture.media_order import Order, Piece
from hackles.capture.media_start import Format, Start, start_of
from hackles.config import SAMPLE_RATE

_LEEWAY_S: Final = 2.0
"""A network that stalled may lose this much more than there was time for since the start came."""

_MOST_WAITING: Final = 10 * 2 * SAMPLE_RATE
"""Bytes; with more of a call waiting, it is not read again until they have been handed over."""

_MOST_BROKEN: Final = 50
"""Messages in a row that cannot be read; with more, it is no media stream."""

_MESSAGES_PER_S: Final = 400
"""Two tracks in packets of 10 ms are half of it."""

_MOST_MESSAGES: Final = 4000
"""So many may come at once: what a network held up for `AHEAD_S`, and more."""

_MESSAGE_BYTES: Final = 4096
"""A message counts once for each of these: linear PCM at 48 kHz needs 2,600 for 20 ms."""

_KEYS: Final = frozenset("0123456789*#ABCD")
_MEDIA: Final = (MediaMessage, FlatMedia)


class Stream:
    """What one connection says.

    Attributes:
        start: what it said when it started; None until then.
        backlog: the customer's audio, once it is known how it is coded.
        is_over: whether nothing more of it is wanted.
        digits: keys that were pressed and have not been told.
    """

    def __init__(
        self,
        customer_track: str,
        troubles: Troubles,
        clock: Callable[[], float],
        complaints: Complaints,
    ) -> None:
        """Begin without a start.

        Args:
            customer_track: the customer's, as the telephone system calls it.
            troubles: counts what goes wrong.
            clock: seconds from any moment.
            complaints: where it is said.
        """
        self.start: Start | None = None
        self.backlog = backlog_of(None, SAMPLE_RATE)
        self.is_over = False
        self.digits: list[str] = []
        self._customer_track = customer_track
        self._troubles = troubles
        self._clock = clock
        self._complaints = complaints
        self._began_s = 0.0
        self._credit, self._credited_s = float(_MOST_MESSAGES), clock()
        self._order = Order(troubles, 0)
        self._tracks: tuple[str, ...] = ()
        self._decode: Decode = decode_either
        self._decode_payload: Callable[..., bytes] = decode_base64
        self._packet_bytes = 0
        self._n_broken = 0
        self._has_complained = False
        self._has_flooded = False

    @property
    def name(self) -> str:
        """The call's, once it has begun."""
        return self.start.call if self.start else ""

    @property
    def is_call(self) -> bool:
        """Whether it has begun, and can be heard."""
        return bool(self._tracks)

    def hear(self, message: memoryview | bytearray) -> None:
        """Take in a message. Nothing is raised, whatever it is."""
        if self.is_over:
            return
        try:
            said = self._decode(message)
            if type(said) in _MEDIA:
                media: Media = said.media  # type: ignore[union-attr]
                if media.track in self._tracks:
                    payload = self._decode_payload(media.payload)
                    if self._order.is_next(media.chunk, media.timestamp):
                        self.backlog.codes += payload
                    else:
                        self._put(self._order.push(media.chunk, media.timestamp, payload))
                    self._n_broken = 0
            else:
                self._hear_rare(said)
        except BROKEN as error:
            if not says_nothing_of_audio(message):
                self._complain(str(error))

    def drop(self, refusal: Refusal, reason: str) -> None:
        """Hear no more of a call, and say why.

        The connection stays as it is: closing it might end the call itself.
        """
        self._troubles[refusal] += 1
        self.finish()
        self._complaints.warning("The call %r is heard no further: %s.", self.name, reason)

    def finish(self) -> None:
        """Take in no more: what has come is still handed over."""
        if not self.is_over:
            self.is_over = True
            self._put(self._order.flush())
            self.backlog.end()

    def forget(self) -> None:
        """Hear no more, and let go of what has come."""
        self.is_over = True
        self._tracks = ()
        self.backlog = backlog_of(None, SAMPLE_RATE)
        self._order = Order(self._troubles, 0)
        self.digits.clear()

    def take(self, n_samples: int, now: float) -> tuple[Codes, int]:
        """Return at most so many samples' codes, and how many samples are missing before them."""
        if self._order.held:
            self._put(self._order.wait(now))
        return self.backlog.take(n_samples)

    def release_digits(self) -> list[str]:
        """Return the keys that were pressed since the last time."""
        digits, self.digits = self.digits, []
        return digits

    def count(self, n_bytes: int) -> None:
        """Count a message of any kind, which takes time whether it holds audio or not."""
        self._credit -= 1 + n_bytes // _MESSAGE_BYTES

    def is_too_fast(self) -> bool:
        """Return whether more has come than can have been spoken, or than can be kept."""
        now = self._clock()
        self._credit += (now - self._credited_s) * _MESSAGES_PER_S
        self._credit, self._credited_s = min(self._credit, _MOST_MESSAGES), now
        is_ahead = self.backlog.n_samples > self._samples_by(now + AHEAD_S)
        if self._credit >= 0 and not is_ahead:
            return len(self.backlog.codes) > _MOST_WAITING
        if not self._has_flooded:
            self._has_flooded = True
            self._troubles[Refusal.FLOOD] += 1
            self._complaints.warning(
                "The call %r comes faster than it can be spoken; it is held back.", self.name
            )
        return True

    def _samples_by(self, now: float) -> float:
        return (now - self._began_s) * SAMPLE_RATE

    def _hear_rare(self, said: Message) -> None:
        """Take in a message that comes once, or now and then."""
        if isinstance(said, StartMessage | FlatStart):
            self._begin(said)
        elif isinstance(said, DtmfMessage):
            self._press(said.dtmf.digit.upper())
        else:
            self.finish()

    def _press(self, digit: str) -> None:
        if digit not in _KEYS:
            raise ValueError("it names a key that no telephone has")
        if self.start:
            self.digits.append(digit)

    def _begin(self, said: StartMessage | FlatStart) -> None:
        if self.start:
            self.drop(Refusal.PROTOCOL, "it began a second time")
            return
        start = start_of(said, self._customer_track)
        self.start, self._began_s = start, self._clock()
        is_flat = isinstance(said, FlatStart)
        self._decode = decode_flat if is_flat else decode
        refusal = self._refusal(start)
        if refusal:
            self.drop(*refusal)
        elif start.format:
            self._prepare(start.format, is_alone=len(start.tracks) <= 1, is_flat=is_flat)

    def _prepare(self, sent: Format, *, is_alone: bool, is_flat: bool) -> None:
        """Make ready for audio."""
        self.backlog = backlog_of(sent.law, sent.sample_rate)
        self._decode_payload = decode_base64 if sent.law else decode_pairs
        # Whether Bandwidth numbers its tracks together is not known; TCP keeps them in order.
        second = 2 * sent.sample_rate
        self._order = Order(self._troubles, second, numbered=is_alone or not is_flat)
        # A track that is sent alone need not be named.
        self._tracks = (self._customer_track, "") if is_alone else (self._customer_track,)

    def _refusal(self, start: Start) -> tuple[Refusal, str] | None:
        """Return why a stream cannot be heard, if so."""
        if start.format is None:
            return Refusal.CODEC, "it does not say how its audio is coded (mediaFormat)"
        if not start.format.is_known:
            return Refusal.CODEC, (
                f"its audio is {start.format}; have it sent as audio/x-mulaw, {SAMPLE_RATE} Hz, "
                "one channel, or as A-law or linear PCM"
            )
        if start.tracks and self._customer_track not in start.tracks:
            return Refusal.ROLE, (
                f"its tracks are {start.tracks}, and the customer's is "
                f"{self._customer_track!r}; have that one sent, or set customer_track"
            )
        return None

    def _put(self, pieces: list[Piece]) -> None:
        for missing, payload in pieces:
            self._packet_bytes = len(payload) or self._packet_bytes
            if missing:
                self._lose(missing)
            self.backlog.codes += payload

    def _lose(self, n_packets: int) -> None:
        """Tell packets as lost, but no more of them than there was time for."""
        each = self.backlog.samples_in(self._packet_bytes)
        room = int(self._samples_by(self._clock() + _LEEWAY_S)) - self.backlog.n_samples
        lost = max(0, min(n_packets * each, room))
        self._troubles[Fate.LOST] += max(1, lost // each) if each else 1
        if lost:
            self.backlog.lose(lost)
            self._complain_once("some of its audio was lost")

    def _complain(self, reason: str) -> None:
        """Count a message that cannot be read."""
        self._troubles[Fate.BROKEN] += 1
        self._n_broken += 1
        if self._n_broken > _MOST_BROKEN:
            self.drop(Refusal.PROTOCOL, f"its messages cannot be read ({reason})")
        else:
            self._complain_once(f"a message cannot be read ({reason})")

    def _complain_once(self, reason: str) -> None:
        if not self._has_complained:
            self._has_complained = True
            self._complaints.warning("In call %r %s; there may be more.", self.name, reason)
