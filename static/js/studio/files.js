// Pictures to work on: chosen, dropped, pasted, or taken from the gallery.

import { inputs } from "./fields.js";
import { say } from "./words.js";

const bench = document.getElementById("studio");
const input = document.getElementById("image");
const drop = document.getElementById("drop");
const list = document.getElementById("files");
const error = document.getElementById("image-error");
const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"];

let chosen = [];

/** The files of the order; more than the model takes are not sent. */
export const files = () => chosen.slice(0, inputs().most);

/** Adds what is a picture and small enough, and says what was not. */
export function add(more) {
  const mib = Math.floor(Number(bench.dataset.maxFile) / (1 << 20));
  const wrong = [];
  for (const file of more) {
    if (!TYPES.includes(file.type)) wrong.push(say("studio-no-picture", { name: file.name }));
    else if (file.size > mib << 20) wrong.push(say("studio-file-too-large", { name: file.name, most: mib }));
    else chosen.push(file);
  }
  const { most } = inputs();
  if (most === 1) chosen = chosen.slice(-1);
  else if (chosen.length > most) {
    wrong.push(say("studio-too-many-files", { most }));
    chosen = chosen.slice(0, most);
  }
  error.textContent = wrong.join(" ");
  error.hidden = wrong.length === 0;
  show();
}

export function clear() {
  chosen = [];
  show();
}

function show() {
  for (const picture of list.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
  list.replaceChildren(...chosen.map(entry));
  list.hidden = chosen.length === 0;
}

function entry(file) {
  const element = document.getElementById("file-template").content.firstElementChild.cloneNode(true);
  element.querySelector("img").src = URL.createObjectURL(file);
  element.querySelector("span").textContent = file.name;
  const button = element.querySelector("button");
  button.querySelector("span").textContent = say("studio-remove-file", { name: file.name });
  button.onclick = () => {
    chosen = chosen.filter((other) => other !== file);
    show();
    input.focus();
  };
  return element;
}

export function begin() {
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
  // a file that misses the field must not replace the page
  for (const event of ["dragover", "drop"]) document.addEventListener(event, (dragged) => dragged.preventDefault());
  drop.addEventListener("dragover", () => drop.classList.add("over"));
  for (const event of ["dragleave", "drop"]) drop.addEventListener(event, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => add(event.dataTransfer.files));
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length && inputs().most) add(pasted);
  });
}
