"""The record as a sink: what happens in live calls, as rows without any name in clear."""

import logging
from collections.abc import Sequence

from hackles.errors import StoreError
from hackles.records import LiveRecord
from hackles.settings import Store
from hackles.store.recorder import Recorder
from hackles.store.rows import row
from hackles.store.search import Earlier, earlier

_log = logging.getLogger(__name__)


class RecordSink:
    """Keeps what happens in live calls, and what people did about it.

    Attributes:
        model: a hash of the model that alerts come from.
        configuration: a hash of the settings by which they were decided; it may change.
    """

    name = "record"
    for_people = False

    def __init__(self, section: Store, model: str, configuration: str) -> None:
        """Open the record.

        Raises:
            UsageError: if the settings are wrong; a database that is away is waited for.
        """
        self.model, self.configuration = model, configuration
        self._recorder = Recorder(section)
        self._names = self._recorder.folder.names

    def write(self, records: Sequence[LiveRecord]) -> None:
        """Take in some records."""
        made = (row(one, self._names, self.model, self.configuration) for one in records)
        self._recorder.take([one for one in made if one is not None])

    def forget(self, call: str) -> None:
        """Delete whatever is kept of a call; if the database is away, as soon as it is back.

        Raises:
            OSError: if not even the order can be kept.
        """
        self._recorder.forget(self._names.call(call))

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
        self._recorder.rest()

    def close(self) -> None:
        """Take in no more; what the database did not take waits on disk for the next run."""
        self._recorder.close()
