"""The words of one language, as its file has them."""

from functools import cache
from typing import Any, Final, Literal

from hackles.errors import UsageError
from hackles.types import Alert, Evidence, Reason, State
from hackles.wording.languages import LANGUAGES

_DIGITS: Final = {"loudness": 0}
"""How many digits of a change are told, if not one."""


def clock(seconds: float) -> str:
    """Return a time as m:ss, or h:mm:ss from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@cache
def words(language: str) -> "Words":
    """Return the words of a language.

    Raises:
        UsageError: if hackles does not speak it.
    """
    if language not in LANGUAGES:
        raise UsageError(f"There are no words in {language!r}; choose {', '.join(LANGUAGES)}.")
    import tomllib
    from importlib import resources

    file = resources.files("hackles.wording") / f"{language}.toml"
    return Words(language, tomllib.loads(file.read_text(encoding="utf-8")))


class Words:
    """What is said of a call, in one language."""

    def __init__(self, language: str, sections: dict[str, Any]) -> None:
        """Take the sections of a language's file."""
        self.language = language
        self._sections = sections

    def state(self, state: State) -> str:
        """Return what is heard: "irritation rising"."""
        return self._said("states", state)

    def reason(self, reason: Reason) -> str:
        """Return why a stretch was not scored: "hold music"."""
        return self._said("reasons", reason)

    def trend(self, trend: Literal["up", "flat", "down"]) -> str:
        """Return where the level goes: "rising"."""
        return self._said("trends", trend)

    def text(self, key: str, **values: str) -> str:
        """Return a text of the section `texts`, filled in.

        Raises:
            KeyError: if there is none of that name.
        """
        return self._said("texts", key).format(**values)

    def number(self, x: float, digits: int = 1, signed: bool = False) -> str:
        """Return a number with so many digits after the point, or what the language has there."""
        shown = f"{abs(x):.{digits}f}"
        sign = "+" if signed else ""
        if x < 0 and float(shown):
            sign = self._said("numbers", "minus")
        return sign + shown.replace(".", self._said("numbers", "decimal"))

    def percent(self, ratio: float) -> str:
        """Return a ratio in whole percent."""
        return self._said("numbers", "percent").format(number=self.number(100 * ratio, 0))

    def because(self, alert: Alert) -> str:
        """Return an alert's evidence as one phrase."""
        phrases = ", ".join(self.phrases(alert))
        if alert.evidence and alert.evidence[0].baseline is None:
            return self._said("unheard", "because").format(phrases=phrases)
        return phrases

    def phrases(self, alert: Alert) -> list[str]:
        """Return an alert's evidence, a phrase for each measure.

        Of a voice that eases they say what is left of the change, and begin so.
        """
        found = [self.phrase(evidence) for evidence in alert.evidence]
        if alert.state is State.EASED and found and alert.evidence[0].baseline is not None:
            found[0] = self._said("eased", "because").format(phrase=found[0])
        return found

    def phrase(self, evidence: Evidence) -> str:
        """Return one measure as people say it: "pitch +3.2 semitones", "18 % faster"."""
        measure, unit = evidence.measure, evidence.unit
        name = self._sections["measures"].get(measure, measure)
        if evidence.baseline is None:
            value = self._quantity(evidence.now, unit, 1, signed=False)
            return self._said("unheard", "measure").format(measure=name, value=value)
        change = evidence.now - evidence.baseline
        phrases = self._sections["more" if change > 0 else "less"]
        is_known = measure in phrases and (measure != "tempo" or evidence.baseline > 0)
        digits = _DIGITS.get(measure, 1)
        return str(phrases[measure if is_known else "any"]).format(
            measure=name,
            size=self._quantity(abs(change), unit, digits, signed=False),
            change=self._quantity(change, unit, digits, signed=True),
            percent=self.percent(abs(change) / evidence.baseline) if evidence.baseline > 0 else "",
        )

    def _quantity(self, x: float, unit: str, digits: int, signed: bool) -> str:
        """Return a number with its unit, in the case that the number asks for."""
        number = self.number(x, digits, signed)
        decimal = self._said("numbers", "decimal")
        if self._said("numbers", "whole") == "1":
            number = number.removesuffix(f"{decimal}0")
        forms = self._sections["units"].get(unit)
        if forms:
            unit = forms[_form(self.language, number.lstrip("+-−"))]
        return self._said("numbers", "with_unit").format(number=number, unit=unit)

    def _said(self, section: str, key: str) -> str:
        return str(self._sections[section][key])


def _form(language: str, shown: str) -> Literal["one", "few", "many", "other"]:
    """Return which form of a noun stands after a number, as it is shown without its sign.

    Source:
        Unicode CLDR, "Language Plural Rules", cardinals of English, Polish and Spanish.
    """
    if not shown.isdecimal():
        return "other"
    number = int(shown)
    if number == 1:
        return "one"
    if language == "pl" and number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return "few"
    return "many" if language == "pl" else "other"
