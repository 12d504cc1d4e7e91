// A short sound with a new alert: off until somebody switches it on.

import { keep, kept } from "./keys.js";

const STORED = "hackles.chime";
const NOTES = { rising: [523.25], irritated: [523.25, 659.26] }; // Hz
const NOTE_S = 0.16, LOUD = 0.12;

let context = null;
let isOn = kept(STORED) === "on";

/** Whether new alerts are to be heard. */
export const isWanted = () => isOn;

/** Switch it on or off; the browser remembers. */
export function want(wanted) {
  isOn = wanted;
  keep(STORED, wanted ? "on" : "off");
  if (wanted) ring("rising");
}

/** Ring, if it is switched on. */
export function ring(state) {
  if (!isOn) return;
  context ??= new AudioContext();
  context.resume();
  for (const [place, hertz] of (NOTES[state] ?? NOTES.rising).entries()) {
    const begin = context.currentTime + place * NOTE_S;
    const tone = new OscillatorNode(context, { frequency: hertz, type: "sine" });
    const loud = new GainNode(context, { gain: 0 });
    loud.gain.setTargetAtTime(LOUD, begin, 0.01);
    loud.gain.setTargetAtTime(0, begin + NOTE_S * 0.7, 0.06);
    tone.connect(loud).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + 4 * NOTE_S);
  }
}
