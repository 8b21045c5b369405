// All orders that are shown, newest first, and what is done with them.

import { call } from "./api.js";
import { Run, isFinal } from "./run.js";
import { deleteLater, toast } from "./toasts.js";
import { say } from "./words.js";

const place = document.getElementById("runs");
const nothing = document.getElementById("nothing");
const news = document.getElementById("news");

/** By task. */
const runs = new Map();
/** What is deleted unless it is undone; history may name it meanwhile. */
const hidden = new Set();

/** What others do when an order is begun again, reused or looked at, and who follows orders. */
const others = { follow() {}, forget() {}, reuse() {}, again() {}, open() {}, filtered: () => false };

export const listen = (handlers) => Object.assign(others, handlers);
export const runOf = (element) => runs.get(element.closest(".run")?.dataset.task);

/** Tells those who cannot see it. */
export function announce(text) {
  if (news.textContent !== text) news.textContent = text;
}

/** All pictures that are shown, in their order: `{ run, image }`. */
export function shown() {
  const all = [...place.children].map((element) => runs.get(element.dataset.task));
  return all.filter(Boolean).flatMap((run) => run.task.images.map((image) => ({ run, image })));
}

/** The element of a picture that can have the focus. */
export const tileOf = (image) => place.querySelector(`[data-image="${image.image_id}"] button`);

/** Shows a task, or what is new of it. */
export function show(task) {
  if (hidden.has(task.task_id)) return null;
  const images = task.images?.filter((image) => !hidden.has(image.image_id));
  const known = runs.get(task.task_id);
  if (known) {
    known.update(images ? { ...task, images } : task);
    return known;
  }
  const run = new Run(images ? { ...task, images } : task);
  put(run);
  if (!isFinal(run.task)) others.follow(task.task_id);
  empty();
  return run;
}

/** Puts an order where it belongs by its age, which is in its id. */
function put(run) {
  const id = run.task.task_id;
  runs.set(id, run);
  const older = [...place.children].find((element) => element.dataset.task < id);
  place.insertBefore(run.element, older ?? null);
}

/** Takes all orders away that are over; with `all` the others too. */
export function clear({ all = false } = {}) {
  for (const [id, run] of [...runs]) {
    if (all || isFinal(run.task)) drop(id);
  }
}

/** Whether there is nothing, which the page then says. */
export function empty(loaded = place.getAttribute("aria-busy") === "false") {
  nothing.hidden = !loaded || runs.size > 0 || others.filtered();
}

function drop(id) {
  others.forget(id);
  runs.get(id)?.element.remove();
  runs.delete(id);
}

/** What is left out of news once it is no longer so. */
const PLACE = { queue_position: undefined, estimated_time: undefined, next_attempt_at: undefined };

/** A message about a task that is followed. */
export function hear(message) {
  const run = runs.get(message.task_id ?? message.task?.task_id);
  if (!run) return;
  const before = run.task.status;
  switch (message.type) {
    case "status": {
      const { type, request_id, ...state } = message;
      run.update({ ...PLACE, last_error: undefined, ...state });
      break;
    }
    case "progress": {
      const { type, ...state } = message;
      run.update({ ...PLACE, ...state });
      break;
    }
    case "image":
      run.update({ images: [message.image] });
      break;
    case "error":
      if (message.error.kind === "not_found") {
        drop(message.task_id);
        return empty();
      }
      // with an index it is of one picture, and the others may come yet
      if (message.index === undefined) run.update({ error: message.error });
      else run.miss(message.index);
      break;
    case "task":
      run.update({ ...PLACE, last_error: undefined, ...message.task });
      break;
    case "gone":
      drop(message.task_id);
      return empty();
  }
  tell(run, before);
}

/** What is left of a time grows shorter, also while nothing is told. */
setInterval(() => {
  for (const run of runs.values()) run.beat();
}, 1000);

/** Says the state where it changed, and the progress in quarters. */
function tell(run, before) {
  const { task } = run;
  if (isFinal(task)) {
    if (before === task.status) return;
    others.forget(task.task_id);
    announce(task.status === "completed" ? say("studio-done", { count: task.images.length }) : run.words);
    // what the messages left out: tags, times, what an upstream made of the prompt, why it failed
    call("GET", `/api/v1/task/${task.task_id}`).then(show, () => {});
    return;
  }
  const quarter = Math.floor((task.progress ?? 0) / 25);
  if (before !== task.status || quarter !== run.quarter) announce(run.words);
  run.quarter = quarter;
}

/** Deletes an order with all its pictures, for a while only as it looks. */
export function remove(run) {
  const id = run.task.task_id;
  const next = run.element.nextElementSibling;
  hidden.add(id);
  drop(id);
  empty();
  focusNear(next);
  deleteLater(`/api/v1/history/${id}`, () => {
    hidden.delete(id);
    put(run);
    empty();
  });
}

/** Deletes one picture; the last one takes its order along. */
export function removeImage(run, image) {
  if (run.task.images.length === 1) return remove(run);
  const at = run.task.images.indexOf(image);
  hidden.add(image.image_id);
  run.task.images.splice(at, 1);
  run.show();
  deleteLater(`/api/v1/images/${image.image_id}`, () => {
    hidden.delete(image.image_id);
    run.task.images.splice(at, 0, image);
    run.show();
  });
}

/** The focus stays where the deleted order was. */
function focusNear(element) {
  const near = element ?? place.lastElementChild;
  (near?.querySelector("button:not([hidden])") ?? document.getElementById("prompt")).focus();
}

async function cancel(run) {
  try {
    await call("DELETE", `/api/v1/task/${run.task.task_id}`);
    if (!isFinal(run.task)) run.update({ status: "cancelled" });
    others.forget(run.task.task_id);
  } catch (error) {
    toast(error.advice);
  }
}

async function dismiss(run, { quiet = false } = {}) {
  const next = run.element.nextElementSibling;
  drop(run.task.task_id);
  empty();
  if (!quiet) focusNear(next);
  await call("DELETE", `/api/v1/task/${run.task.task_id}`).catch(() => {});
}

place.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  const run = button && runOf(button);
  if (!run) return;
  switch (button.dataset.do) {
    case "open": {
      const id = button.closest(".tile").dataset.image;
      return others.open(run, run.task.images.find((image) => image.image_id === id));
    }
    case "reuse":
      return others.reuse(run.task);
    case "cancel":
      return cancel(run);
    case "delete":
      return remove(run);
    case "dismiss":
      return dismiss(run);
    case "again":
      others.again(run.task);
      return dismiss(run, { quiet: true });
  }
});
