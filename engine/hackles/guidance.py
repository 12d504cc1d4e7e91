"""What to say now: one tip for each state."""

from hackles.types import State

TIPS: dict[State, str] = {
    State.RISING: "Let them finish, then say back in their words what went wrong.",
    State.IRRITATED: "Say you see why, own it, and offer two ways forward.",
    State.EASED: "Say what you will do and by when; ask whether that suits them.",
}
