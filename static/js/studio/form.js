// The order as it stands in the form: read, checked, filled again, kept over a reload.

import { action, inputs, model, offer, setSize, sides, size, suit } from "./fields.js";
import { files } from "./files.js";
import { say } from "./words.js";

const form = document.getElementById("panel");
const by = (id) => document.getElementById(id);
const KEPT = "troupe-studio-order";

/** The field that each name of the API belongs to. */
const FIELDS = {
  prompt: "prompt",
  image: "image",
  model: "model",
  width: "size",
  height: "size",
  size: "size",
  num_images: "count",
  n: "count",
  seed: "seed",
};

/** The order, without its files. */
export function order() {
  const chosen = model();
  const order = { action: action(), model: by("model").value, prompt: by("prompt").value.trim() };
  const picked = by("size-field").hidden ? "" : size();
  const [width, height] = picked === "own" ? [by("width").value, by("height").value] : (picked || "").split("x");
  if (width && height) Object.assign(order, { width: Number(width), height: Number(height) });
  if (!by("count-field").hidden) order.num_images = Number(by("count").value);
  if (chosen?.seed && by("seed").value !== "") order.seed = Number(by("seed").value);
  if (chosen?.negative && by("negative").value.trim()) order.negative_prompt = by("negative").value.trim();
  if (chosen?.steps) order.steps = Number(by("steps").value);
  if (chosen?.guidance) order.scale = Number(by("guidance").value);
  const tags = tagsIn(by("tags").value);
  if (tags.length) order.tags = tags;
  return order;
}

/** The tags in a text with commas, each once. */
export const tagsIn = (text) => [...new Set(text.split(/[,，]/).map((tag) => tag.trim()).filter(Boolean))];

/** Whether the order can be sent; what is wrong with it is said beside the fields. */
export function check() {
  const wrong = {};
  const needs = inputs();
  if (!model()) wrong.model = say("studio-need-model");
  if (!by("prompt").value.trim() && action() !== "upscale") wrong.prompt = say("studio-need-prompt");
  if (files().length < needs.least) wrong.image = say("studio-need-image");
  for (const id of ["count", "seed"]) {
    const field = by(id);
    if (!by(`${id}-field`).hidden && !field.validity.valid) {
      wrong[id] = say("studio-need-number", { least: field.min, most: field.max });
    }
  }
  const free = model()?.free;
  const badSide = ["width", "height"].some((id) => !by(id).validity.valid || by(id).value === "");
  if (size() === "own" && free && !by("size-field").hidden && badSide) wrong.size = say("studio-need-size", free);
  complain(wrong);
  return Object.keys(wrong).length === 0;
}

/** Says what is wrong beside each field, by the names of fields, and goes to the first. */
export function complain(wrong) {
  for (const error of form.querySelectorAll(".error")) {
    const field = error.id.replace("-error", "");
    const message = wrong[field];
    error.textContent = message ?? "";
    error.hidden = !message;
    const input = by(field);
    if (message) input?.setAttribute("aria-invalid", "true");
    else input?.removeAttribute("aria-invalid");
  }
  const first = Object.keys(wrong)[0];
  const target = first === "size" ? by("width") : by(first);
  target?.focus?.();
}

/** The same for what the gateway found wrong; what belongs to no field stands below the form. */
export function complainOf(refusal) {
  const wrong = {};
  for (const [name, messages] of Object.entries(refusal.fields)) {
    const field = FIELDS[name] ?? "order";
    wrong[field] = [messages].flat().join(" ");
  }
  complain(Object.keys(wrong).length ? wrong : { order: refusal.advice });
}

/** Fills the form as a task was ordered. */
export function fill(task) {
  const { params = {} } = task;
  const done = [...(form.elements.action?.length ? form.elements.action : [form.elements.action])];
  const wished = done.find((radio) => radio?.value === task.action);
  if (wished) wished.checked = true;
  if ([...by("model").options].some((option) => option.value === task.model)) by("model").value = task.model;
  offer();
  by("prompt").value = task.prompt ?? "";
  by("negative").value = params.negative_prompt ?? task.negative_prompt ?? "";
  by("count").value = params.num_images ?? params.n ?? 1;
  const first = task.images?.[0];
  setSize(params.width ?? first?.width, params.height ?? first?.height);
  seed(params.seed ?? first?.seed);
  for (const [id, value] of [["steps", params.steps], ["guidance", params.scale ?? params.guidance]]) {
    if (value != null) by(id).value = value;
    by(`${id}-value`).textContent = by(id).value;
  }
  if (params.negative_prompt || params.steps != null) by("details").open = true;
  complain({});
  keep();
}

/** Puts a seed in, locked, or lets it be drawn by lot. */
export function seed(value) {
  by("seed").value = value ?? "";
  by("lock").setAttribute("aria-pressed", String(value != null));
}

/** After an order: a seed that is not locked was for this one. */
export function sent() {
  if (by("lock").getAttribute("aria-pressed") !== "true") by("seed").value = "";
  complain({});
  keep();
}

/** Keeps the order in the browser, so that nothing is lost with the page. */
function keep() {
  const locked = by("lock").getAttribute("aria-pressed") === "true";
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...order(), tags: by("tags").value, locked }));
  } catch {
    // a browser that keeps nothing is fine
  }
}

/** Forgets the order: who comes next shall not read it. */
function forget() {
  try {
    localStorage.removeItem(KEPT);
  } catch {
    // nothing is kept there
  }
}

function restore() {
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(KEPT) ?? "null");
  } catch {
    return;
  }
  if (!kept) return;
  fill({ ...kept, params: { ...kept, seed: undefined } });
  if (kept.locked) seed(kept.seed);
  by("tags").value = kept.tags ?? "";
  by("details").open = false;
}

export function begin() {
  offer();
  restore();
  let typing = 0;
  form.addEventListener("input", ({ target }) => {
    const output = by(`${target.id}-value`);
    if (output) output.textContent = target.value;
    if (target.getAttribute("aria-invalid")) check();
    clearTimeout(typing);
    typing = setTimeout(keep, 300);
  });
  form.addEventListener("change", ({ target }) => {
    if (target.name === "action") offer();
    if (target.id === "model") suit();
    if (target.name === "size") sides();
  });
  document.querySelector(".leave").addEventListener("submit", forget);
  by("lock").addEventListener("click", () => {
    const locked = by("lock").getAttribute("aria-pressed") === "true";
    if (locked) return seed(undefined), keep();
    seed(by("seed").value || Math.floor(Math.random() * 2 ** 31));
    keep();
  });
}
