"""A record to ask: a few calls of which everything is kept, told as the daemon tells it."""

from dataclasses import dataclass, field

from hackles.records import (
    Acknowledgement,
    CallNews,
    CardShown,
    LiveRecord,
    Note,
    Outcome,
    Satisfaction,
    record_id,
)
from hackles.store.rows import row
from hackles.store.writing import Writer
from hackles.types import Alert, Evidence, Gap, Reading, Reason, State, Summary

NOON = 1_795_348_800.0
"""Of 22 November 2026, in UTC."""


@dataclass
class Told:
    """A session of a call, told bit by bit."""

    call: str
    session: str
    begun: float = NOON
    queue: str = "billing"
    agent: str = "a7"
    customer: str = ""
    records: list[LiveRecord] = field(default_factory=list)

    def tell(self, event, after_s=0.0, **more):
        """Tell an event so long after the beginning; return its id."""
        at = self.begun + after_s
        record = LiveRecord(self.call, self.session, self.queue, self.agent, at, event, **more)
        self.records.append(record)
        return record_id(record)

    def begin(self, names, consent=True):
        """Tell that it began."""
        self.tell(CallNews("begun", None, consent, names.customer(self.customer)))
        return self

    def hear(self):
        """Tell what was heard of somebody who gets irritated, and what the agent did."""
        for second, level in enumerate((0.05, 0.1, 0.4, 0.8), 5):
            self.tell(Reading(second + 0.25, level, 0.5, 0.9), second)
        evidence = (Evidence("pitch", "semitones", 20.0, 23.2), Evidence("tempo", "1/s", 4.0, 4.7))
        alert = Alert(8.25, 6.5, State.RISING, 0.61, 1.2, 0.8, evidence)
        id_ = self.tell(alert, 8, card="venting.listen")
        self.tell(CardShown(8.5, "venting.listen", "venting", "en"), 8.5)
        self.tell(Acknowledgement(11.0, id_, "seen"), 11)
        self.tell(Alert(20.0, 18.0, State.IRRITATED, 0.9, 0.2, 0.9, evidence), 20)
        self.tell(Gap(40.0, 30.0, Reason.MUSIC), 40)
        return self

    def end(self, duration_s=95.0, alerts=1):
        """Tell that it ended."""
        self.tell(Summary(duration_s, 40.0, 0.8 if alerts else 0.1, 0.3, alerts, None), duration_s)
        return self

    def write_down(self, result="promised", what="", promised="", by_when="", note=""):
        """Tell what the agent wrote down."""
        if note:
            self.tell(Note(50.0, note), 50)
        if what:
            self.tell(Outcome(95.0, result, what, promised, by_when), 150)
        return self

    def rate(self, score, answer):
        """Tell what the customer answered to a survey."""
        self.tell(Satisfaction(score, answer, "thanks", "mail"), 4000)
        return self


def write(database, *told):
    """Write sessions, all that was told of them in its order."""
    records = sorted((one for some in told for one in some.records), key=lambda one: one.at)
    rows = [row(one, database.names, "model-1", "settings-1") for one in records]
    Writer(database).write([one for one in rows if one])


DAY_S = 86_400.0
CUSTOMER = "+48 22 123 45 67"


def write_calls(database):
    """Write four calls, one of them in two sessions, one without an end."""
    names = database.names
    promised = Told("c-1001", "3fa9c1d20001", NOON - 2 * DAY_S, customer=CUSTOMER)
    promised.begin(names).hear().end()
    promised.write_down(
        "promised",
        "Refund of order 1182 was late",
        "refund, and a call back",
        "Friday",
        note="Faktura się nie zgadza: złe 100 %",
    )
    promised.rate(0.75, "4 of 1 to 5")
    calm = Told("c-1002", "81b0aa770002", NOON - 2 * DAY_S + 60, queue="sales", agent="a8")
    calm.begin(names, consent=None).end(30.5, alerts=0)
    first = Told("c-1003", "c0ffee000003", NOON - DAY_S, agent="a8", customer="0048221234567")
    first.begin(names).end(600.0, alerts=0)
    second = Told("c-1003", "c0ffee000004", NOON - DAY_S + 700, queue="second line", agent="a9")
    second.customer = CUSTOMER
    second.begin(names).hear().end(4000.0, alerts=2)
    second.write_down("ended_by_rule", "Shouted at", "Queja por teléfono: “nunca más”")
    under_way = Told("c-1004", "00dd00dd0005", NOON, customer=CUSTOMER)
    under_way.begin(names)
    write(database, promised, calm, first, second, under_way)
