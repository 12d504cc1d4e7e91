"""What the law asks for, and what cannot be guarded."""

from hackles.configuration import Checked, summary
from hackles.doctor.told import Telling, doubt, fault, well
from hackles.settings import Settings


def configuration(checked: Checked[Settings] | None) -> Telling:
    """Tell what is wrong with the configuration file."""
    if checked is None:
        yield doubt("configuration", "none was named, so only half is looked at; add --config PATH")
        return
    for line in checked.lines(are_warnings=False):
        yield fault("configuration", line)
    for line in checked.lines(are_warnings=True):
        yield doubt("configuration", line)
    if checked.settings:
        yield well("configuration", f"{checked.path} is well: {summary(checked.settings)}")
    else:
        yield doubt("configuration", "what it names is looked at once it is well")


def compliance(settings: Settings) -> Telling:
    """Tell what is said of notice and basis, and whose voice might be scored in error."""
    yield well("notice", settings.compliance.notice)
    yield well("legal basis", settings.compliance.basis)
    if settings.compliance.withdraw_digit:
        yield well("withdrawal", f"by the key {settings.compliance.withdraw_digit}")
    else:
        text = "callers have no key for it; set withdraw_digit, or tell it to the control API"
        yield doubt("withdrawal", text)
    yield doubt(
        "not guarded",
        "ways in for live calls bring the customer's side alone, so the agent's voice that leaks "
        "into it (sidetone, a loudspeaker) cannot be told from the customer's and would be "
        "scored; give agents headsets and turn sidetone off on the line",
    )
    yield doubt(
        "not guarded",
        "whose voice comes is taken on trust: hackles cannot hear who speaks; see to it that "
        "what is named the customer's is never the agent's",
    )
    if settings.alerts.shadow:
        yield doubt("alerts", "shadow = true: nobody is shown any")
