"""The record as a sink: what happens in live calls, as rows without any name in clear."""

from collections.abc import Sequence

from hackles.records import LiveRecord
from hackles.settings import Store
from hackles.store.recorder import Recorder
from hackles.store.rows import row


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

    def rest(self) -> None:
        """Catch up with what waits for the database, and delete what was kept for long enough."""
        self._recorder.rest()

    def close(self) -> None:
        """Take in no more; what the database did not take waits on disk for the next run."""
        self._recorder.close()
