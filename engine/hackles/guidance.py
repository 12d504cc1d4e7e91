"""What to say now: one tip for each state."""

from hackles.types import State

TIPS: dict[State, str] = {
    State.RISING: "Let them finish. Then say back, in their own words, what went wrong.",
    State.IRRITATED: "Say you see why this is maddening, own it, and offer two ways forward.",
    State.EASED: "Confirm what you will do and by when, and ask whether that works for them.",
}
