// Elements, and what stands in them: written only where it changed, and always as text.

import { tidy } from "./words.js";

const NAMESPACE = "http://www.w3.org/2000/svg";

export const by = (id) => document.getElementById(id);

/** An element with its content; texts stay texts, whatever they look like. */
export function node(name, attributes = {}, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

/** An element of a drawing. */
export function shape(name, attributes = {}, ...content) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

/** The sign of a state; what it means always stands beside it in words. */
export function glyph(state = "calm") {
  const drawing = shape("svg", { class: "glyph", "aria-hidden": "true" }, shape("use"));
  sign(drawing, state);
  return drawing;
}

/** Let a sign show another state. */
export function sign(drawing, state) {
  if (drawing.dataset.state === state) return;
  drawing.dataset.state = state;
  drawing.firstElementChild.setAttribute("href", `#shape-${state}`);
}

/** Write a text, if it is another. */
export function write(element, text) {
  const set = tidy(text);
  if (element.textContent !== set) element.textContent = set;
}

/** Set an attribute, if it is another; null takes it away. */
export function mark(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== `${value}`) element.setAttribute(name, value);
}

/** Fill an element anew, if what it is made of is another. */
export function fill(element, made, make) {
  const said = JSON.stringify(made);
  if (element.said === said) return false;
  element.said = said;
  element.replaceChildren(...make(made));
  return true;
}
