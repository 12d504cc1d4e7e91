"""Events in words. It says what was heard, never what somebody feels."""

from hackles.types import Alert, Evidence, Reason, State

STATES: dict[State, str] = {
    State.CALM: "calm",
    State.RISING: "irritation rising",
    State.IRRITATED: "irritation high",
    State.EASED: "easing",
}

REASONS: dict[Reason, str] = {
    Reason.SILENCE: "silence",
    Reason.TONE: "a tone",
    Reason.MUSIC: "hold music",
    Reason.NOISE: "too much noise",
    Reason.CLIPPING: "clipped sound",
    Reason.LOST_AUDIO: "lost audio",
    Reason.AGENT_LEAK: "the agent's voice in the customer's channel",
    Reason.TOO_LITTLE_SPEECH: "too little speech",
}


def clock(seconds: float) -> str:
    """Return a time as m:ss, or h:mm:ss from an hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def phrase(evidence: Evidence) -> str:
    """Return one measure as people say it: "pitch +3.2 semitones", "18 % faster"."""
    if evidence.baseline is None:
        return f"{evidence.measure} {evidence.now:.1f} {evidence.unit}"
    change = evidence.now - evidence.baseline
    if evidence.measure == "tempo" and evidence.baseline > 0:
        percent = round(100 * change / evidence.baseline)
        return f"{abs(percent)} % {'faster' if change > 0 else 'slower'}"
    if evidence.measure == "loudness":
        return f"{abs(change):.0f} dB {'louder' if change > 0 else 'quieter'}"
    if evidence.measure == "tension":
        return f"{'tenser' if change > 0 else 'softer'} voice ({change:+.1f} dB above 1 kHz)"
    if evidence.measure == "liveliness":
        return f"pitch range {change:+.1f} semitones"
    return f"{evidence.measure} {change:+.1f} {evidence.unit}"


def because(alert: Alert) -> str:
    """Return an alert's evidence as one phrase."""
    if alert.evidence and alert.evidence[0].baseline is None:
        return "not yet heard calm: " + ", ".join(phrase(e) for e in alert.evidence)
    return ", ".join(phrase(e) for e in alert.evidence)
