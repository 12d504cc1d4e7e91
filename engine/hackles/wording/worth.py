"""What a sensitivity of a model is worth, in words."""

from collections.abc import Iterator

from hackles.classifier import Sensitivity

NOT_MEASURED = "not measured"


def worth(sensitivity: Sensitivity) -> str:
    """Return the figures that travel with a sensitivity, as far as there are any."""
    return ", ".join(_figures(sensitivity)) or NOT_MEASURED


def _figures(its: Sensitivity) -> Iterator[str]:
    if its.false_per_hour is not None:
        below = its.false_per_hour_below
        at_most = "" if below is None else f" (at most {below:.3g} with 95 % confidence)"
        yield f"{its.false_per_hour:.3g} false alerts per hour of speech{at_most}"
    if its.recall is not None:
        yield f"{its.recall:.0%} of escalations warned of".replace("%", " %")
    if its.early_share is not None:
        yield f"{its.early_share:.0%} before their height".replace("%", " %")
    if its.delay_median_s is not None:
        yield f"half of them within {its.delay_median_s:.1f} s of speech"
