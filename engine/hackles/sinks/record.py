"""The record as a sink: what happens in live calls, as rows without any name in clear."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from hackles.errors import StoreError
from hackles.records import Earlier, LiveRecord
from hackles.settings import Store
from hackles.store.recorder import Recorder
from hackles.store.rows import Row, row
from hackles.store.search import earlier

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 500
_GATHERED_S: Final = 0.5
"""A commit costs as much as a hundred rows, so those of so long a time go together."""


class RecordSink:
    """Keeps what happens in live calls, and what people did about it.

    Attributes:
        model: a hash of the model that alerts come from.
        configuration: a hash of the settings by which they were decided; it may change.
    """

    name = "record"
    for_people = False

    def __init__(
        self,
        section: Store,
        model: str,
        configuration: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the record.

        Raises:
            UsageError: if the settings are wrong; a database that is away is waited for.
        """
        self.model, self.configuration = model, configuration
        self._recorder = Recorder(section, clock)
        self._names, self._clock = self._recorder.folder.names, clock
        self._gathered: list[Row] = []
        self._since = 0.0

    def write(self, records: Sequence[LiveRecord]) -> None:
        """Take in some records."""
        if not self._gathered:
            self._since = self._clock()
        for record in records:
            made = row(record, self._names, self.model, self.configuration)
            if made is not None:
                self._gathered.append(made)
        is_enough = len(self._gathered) >= _AT_ONCE
        if is_enough or self._clock() - self._since >= _GATHERED_S:
            self._hand_over()

    def forget(self, call: str) -> None:
        """Delete whatever is kept of a call; if the database is away, as soon as it is back.

        Raises:
            OSError: if not even the order can be kept.
        """
        digest = self._names.call(call)
        self._gathered = [one for one in self._gathered if one.call != digest]
        self._hand_over()
        self._recorder.forget(digest)

    def digest(self, number: str) -> str:
        """Return what is kept of a customer's number."""
        return self._names.customer(number) if number else ""

    def earlier(self, customer: str, session: str) -> Sequence[Earlier]:
        """Return what came of a customer's earlier calls; nothing while that cannot be asked.

        Args:
            customer: the digest of the number.
            session: the one that is under way.
        """
        try:
            return earlier(self._recorder.database, customer, session)
        except StoreError as error:
            _log.warning("Earlier calls cannot be looked up now: %s", error)
            return ()

    def rest(self) -> None:
        """Catch up with what waits for the database, and delete what was kept for long enough."""
        self._hand_over()
        self._recorder.rest()

    def close(self) -> None:
        """Take in no more; what the database did not take waits on disk for the next run."""
        self._hand_over()
        self._recorder.close()

    def _hand_over(self) -> None:
        rows, self._gathered = self._gathered, []
        if rows:
            self._recorder.take(rows)
