// One picture, large, with all that is known of it.

import { call } from "./api.js";
import * as files from "./files.js";
import { tagsIn } from "./form.js";
import { removeImage, shown, tileOf } from "./gallery.js";
import { tags } from "./history.js";
import { altOf, isFilm } from "./run.js";
import { toast } from "./toasts.js";
import { bytes, moment, say, timeOf } from "./words.js";

const box = document.getElementById("lightbox");
const stage = document.getElementById("shown");
const by = (id) => document.getElementById(id);

/** What is shown: `{ run, image }`. */
let current = null;
let reuse = () => {};

export function open(run, image) {
  current = { run, image };
  render();
  if (!box.open) box.showModal();
}

function render() {
  const { run, image } = current;
  const { task } = run;
  const all = shown();
  const at = all.findIndex((one) => one.image === image);
  stage.replaceChildren(element(task, image));
  by("lightbox-place").textContent = say("studio-of", { index: at + 1, total: all.length });
  by("lightbox-title").textContent = task.prompt || say("studio-untitled");
  const download = by("download");
  download.href = image.url;
  download.download = fileName(task, image);
  by("picture-tags").value = (image.tags ?? []).join(", ");
  box.querySelector("[data-do=previous]").disabled = at <= 0;
  box.querySelector("[data-do=next]").disabled = at < 0 || at + 1 >= all.length;
  box.querySelector("[data-do=use]").hidden = isFilm(image) || !document.querySelector("[name=action][value=edit]");
  showPin();
  parameters(task, image);
}

function showPin() {
  const button = box.querySelector("[data-do=pin]");
  button.setAttribute("aria-pressed", String(Boolean(current.image.pinned)));
  button.querySelector("span").textContent = say(current.image.pinned ? "studio-unpin" : "studio-pin");
}

function element(task, image) {
  if (isFilm(image)) {
    const film = document.createElement("video");
    Object.assign(film, { src: image.url, controls: true, loop: true });
    film.setAttribute("aria-label", altOf(task, image));
    return film;
  }
  const picture = document.createElement("img");
  if (image.width) [picture.width, picture.height] = [image.width, image.height];
  Object.assign(picture, { src: image.url, alt: altOf(task, image) });
  return picture;
}

/** The first words of the prompt, so that it is found again among downloads. */
function fileName(task, image) {
  const words = (task.prompt ?? "").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const ending = (image.mime ?? "image/png").split("/")[1].replace("jpeg", "jpg");
  return `${words.slice(0, 6).join("-").slice(0, 60) || image.image_id}.${ending}`;
}

function parameters(task, image) {
  const params = task.params ?? {};
  const seed = image.seed ?? params.seed;
  const facts = [
    ["studio-model", task.model],
    ["studio-size", image.width ? `${image.width}×${image.height} px` : null],
    ["studio-seed", seed],
    ["studio-steps", params.steps],
    ["studio-guidance", params.scale ?? params.guidance],
    ["studio-negative", params.negative_prompt],
    ["studio-revised", image.revised_prompt],
    ["studio-made", timeOf(moment(image.created_at ?? task.completed_at))],
    ["studio-file", image.file_size ? `${image.mime}, ${bytes(image.file_size)}` : image.mime],
  ];
  const rows = facts.filter(([, value]) => value != null && value !== "").map(([key, value]) => {
    const row = document.createElement("div");
    const [name, said] = [document.createElement("dt"), document.createElement("dd")];
    name.textContent = say(key);
    said.append(value instanceof Node ? value : String(value));
    row.append(name, said);
    return row;
  });
  by("parameters").replaceChildren(...rows);
}

function step(by) {
  const all = shown();
  const next = all[all.findIndex((one) => one.image === current.image) + by];
  if (next) open(next.run, next.image);
}

function remove() {
  const { run, image } = current;
  const all = shown();
  const at = all.findIndex((one) => one.image === image);
  const near = all[at + 1] ?? all[at - 1];
  removeImage(run, image);
  if (near) open(near.run, near.image);
  else box.close();
}

async function change(patch, done) {
  const { run, image } = current;
  try {
    Object.assign(image, await call("PATCH", `/api/v1/images/${image.image_id}`, patch));
    run.show();
    if (current?.image === image) render();
    toast(say(done));
    if (patch.tags) tags();
  } catch (refusal) {
    toast(refusal.advice);
  }
}

/** Takes the picture into the form, to be worked on. */
async function use() {
  const { task } = current.run;
  const { image } = current;
  box.close();
  const answer = await fetch(image.url);
  const radio = document.querySelector("[name=action][value=edit]");
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  files.add([new File([await answer.blob()], fileName(task, image), { type: image.mime })]);
  by("prompt").focus();
}

const acts = {
  previous: () => step(-1),
  next: () => step(1),
  close: () => box.close(),
  delete: remove,
  pin: () => change({ pinned: !current.image.pinned }, current.image.pinned ? "studio-unpinned" : "studio-pinned"),
  use,
  reuse: () => {
    const { task } = current.run;
    box.close();
    reuse(task);
  },
};

export function begin(onReuse) {
  reuse = onReuse;
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) acts[button.dataset.do]();
    else if (event.target === box) box.close();
  });
  box.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea, video")) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  by("tags-form").addEventListener("submit", (event) => {
    event.preventDefault();
    change({ tags: tagsIn(by("picture-tags").value) }, "studio-tags-kept");
  });
  box.addEventListener("close", () => {
    const tile = current && tileOf(current.image);
    stage.replaceChildren();
    current = null;
    tile?.focus();
  });
}
