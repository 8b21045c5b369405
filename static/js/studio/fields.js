// The form's fields as the chosen model has them.

import { say } from "./words.js";

const bench = document.getElementById("studio");
const models = JSON.parse(bench.dataset.models);
const form = document.getElementById("panel");
const select = document.getElementById("model");
const sizes = document.getElementById("sizes");
const by = (id) => document.getElementById(id);

/** What is to be done: `generate`, `edit`, `upscale`, `video`. */
export const action = () => form.elements.action?.value || "generate";

/** The chosen model; none where nobody does what is to be done. */
export const model = () => models.find((model) => model.id === select.value && model.actions.includes(action()));

/** How many pictures the work needs at least and takes at most. */
export function inputs() {
  const chosen = model();
  if (action() === "generate") return { least: 0, most: 0 };
  const most = Math.min(chosen?.inputs || 1, Number(bench.dataset.maxFiles));
  return { least: action() === "video" ? 0 : 1, most: action() === "upscale" ? 1 : most };
}

/** Offers the models that do what is to be done, and keeps the choice where it is among them. */
export function offer() {
  const fits = (id) => models.find((model) => model.id === id)?.actions.includes(action());
  for (const option of select.options) option.hidden = option.disabled = !fits(option.value);
  for (const group of select.children) group.hidden = [...group.children].every((option) => option.hidden);
  if (!fits(select.value)) select.value = [...select.options].find((option) => !option.disabled)?.value ?? "";
  suit();
}

/** Shows what the chosen model can be told. */
export function suit() {
  const chosen = model();
  const does = action();
  by("image-field").hidden = does === "generate";
  by("size-field").hidden = does === "upscale" || does === "video";
  by("count-field").hidden = does === "video" || does === "upscale" || Boolean(chosen?.single);
  by("seed-field").hidden = !chosen?.seed;
  by("negative-field").hidden = !chosen?.negative;
  slider("steps", chosen?.steps, 1);
  slider("guidance", chosen?.guidance, 0.1);
  chips(chosen, does);
}

function slider(id, range, step) {
  const field = by(`${id}-field`);
  field.hidden = !range;
  if (!range) return;
  const input = by(id);
  const [least, most] = range.range;
  const same = input.min === String(least) && input.max === String(most);
  Object.assign(input, { min: least, max: most, step });
  if (!same) input.value = range.default;
  by(`${id}-value`).textContent = input.value;
}

/** The sizes of a model, and where it makes any within limits, one's own. */
function chips(chosen, does) {
  const before = size() ?? "";
  const choices = (chosen?.sizes ?? []).map((text) => {
    const [width, height] = text.split("x").map(Number);
    return { value: text, label: ratio(width, height), beside: `${width}×${height}`, width, height };
  });
  if (does !== "generate" || choices.length === 0) choices.unshift({ value: "", label: say("studio-auto-size") });
  if (chosen?.free) choices.push({ value: "own", label: say("studio-own-size") });
  sizes.replaceChildren(...choices.map(chip));
  const radios = [...sizes.querySelectorAll("input")];
  const kept = radios.find((radio) => radio.value === before) ?? radios[0];
  if (kept) kept.checked = true;
  sides();
}

function chip({ value, label, beside, width, height }) {
  const element = document.getElementById("chip-template").content.firstElementChild.cloneNode(true);
  element.querySelector("input").value = value;
  element.querySelector("b").textContent = label;
  element.querySelector("small").textContent = beside ?? "";
  const shape = element.querySelector("svg");
  if (!width) shape.remove();
  else outline(shape.firstElementChild, width, height);
  return element;
}

/** A rectangle of that shape in the middle of the icon. */
function outline(rect, width, height) {
  const scale = 18 / Math.max(width, height);
  const [w, h] = [width * scale, height * scale];
  for (const [name, value] of Object.entries({ x: 12 - w / 2, y: 12 - h / 2, width: w, height: h, rx: 1.5 })) {
    rect.setAttribute(name, value.toFixed(1));
  }
}

/** `16:9`; sizes of a rarer shape are named by themselves. */
function ratio(width, height) {
  const divisor = (a, b) => (b ? divisor(b, a % b) : a);
  const by = divisor(width, height);
  const [w, h] = [width / by, height / by];
  return Math.max(w, h) <= 32 ? `${w}:${h}` : `${width}×${height}`;
}

/** The chosen size: `1024x576`, `own`, or nothing for the model's own choice. */
export const size = () => sizes.querySelector("input:checked")?.value;

/** Chooses a size, as one's own where it is not among the offered. */
export function setSize(width, height) {
  const radios = [...sizes.querySelectorAll("input")];
  const offered = radios.find((radio) => radio.value === `${width}x${height}`);
  const own = radios.find((radio) => radio.value === "own");
  if (offered) offered.checked = true;
  else if (own) {
    own.checked = true;
    [by("width").value, by("height").value] = [width, height];
  }
  sides();
}

/** The two sides, where the size is one's own. */
export function sides() {
  const own = size() === "own";
  by("sides").hidden = !own;
  const free = model()?.free;
  if (!own || !free) return;
  for (const id of ["width", "height"]) {
    Object.assign(by(id), { min: free.least, max: free.most, step: free.multiple });
    by(id).value ||= Math.min(1024, free.most);
  }
}
