// Sends the order, once, and shows what becomes of it.

import { call } from "./api.js";
import * as files from "./files.js";
import * as form from "./form.js";
import { announce, show } from "./gallery.js";
import { close } from "./sheet.js";
import { say } from "./words.js";

const panel = document.getElementById("panel");
const button = document.getElementById("generate");

/** An order that may have arrived although its answer did not: the same key is used again. */
let unsure = null;

async function send() {
  if (button.disabled || !form.check()) return;
  const order = form.order();
  const chosen = files.files();
  button.disabled = true;
  announce(say("studio-sending"));
  try {
    const task = await submit(order, chosen);
    form.sent();
    close();
    const { width, height, num_images, steps, scale, seed, negative_prompt } = order;
    const params = { width, height, num_images, steps, scale, seed, negative_prompt };
    show({ ...order, params, progress: 0, images: [], ...task });
    announce(say("studio-sent"));
    document.getElementById("works")?.scrollIntoView?.({ block: "start" });
  } catch (refusal) {
    form.complainOf(refusal);
  } finally {
    button.disabled = false;
  }
}

async function submit(order, chosen) {
  const text = JSON.stringify([order, chosen.map((file) => [file.name, file.size, file.lastModified])]);
  const key = unsure?.text === text ? unsure.key : crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  try {
    const headers = { "idempotency-key": key, "accept-language": document.documentElement.lang };
    const task = await call("POST", "/api/v1/tasks", chosen.length ? multipart(order, chosen) : order, { headers });
    unsure = null;
    return task;
  } catch (refusal) {
    // a gateway that is away, or a proxy before it, says nothing of the order
    unsure = refusal.status === 0 || refusal.status >= 500 ? { text, key } : null;
    throw refusal;
  }
}

function multipart(order, chosen) {
  const data = new FormData();
  for (const [name, value] of Object.entries(order)) {
    for (const one of [value].flat()) data.append(name, one);
  }
  for (const file of chosen) data.append("image", file, file.name);
  return data;
}

/** Orders the same again. */
export function again(task) {
  form.fill(task);
  // what worked on pictures needs them again
  if (task.action === "generate") send();
}

export function begin() {
  panel.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  });
}
