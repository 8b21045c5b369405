// One order in the gallery: what was asked for, how far it is, and its pictures.

import { adviceOf } from "./api.js";
import { moment, say, span, timeOf } from "./words.js";

const FINAL = new Set(["completed", "failed", "cancelled"]);
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export const isFinal = (task) => FINAL.has(task.status);
export const isFilm = (image) => image.mime?.startsWith("video/");

/** Text that stands for a picture where it cannot be seen. */
export function altOf(task, image) {
  const prompt = task.prompt || say("studio-untitled");
  const images = task.images ?? [];
  if (images.length < 2) return prompt;
  const place = say("studio-of", { index: images.indexOf(image) + 1, total: images.length });
  return `${prompt} (${place})`;
}

export class Run {
  #missed = new Set();
  /** When it will be done, as far as can be told; by the page's own clock. */
  #due = 0;
  /** When it is tried again. */
  #wake = 0;

  constructor(task) {
    this.task = { images: [], params: {}, ...task };
    this.#times(task);
    this.element = copy("run-template");
    this.element.dataset.task = task.task_id;
    this.#part(".prompt").textContent = this.task.prompt || say("studio-untitled");
    this.#part(".prompt").title = this.task.prompt ?? "";
    this.show();
  }

  #part(selector) {
    return this.element.querySelector(selector);
  }

  /** How many pictures it is to have. */
  get wanted() {
    const asked = Number(this.task.params?.num_images ?? this.task.params?.n ?? 1);
    const made = this.task.images.length;
    return isFinal(this.task) ? made : Math.max((asked || 1) - this.#missed.size, made);
  }

  /** Takes over what is new of the task. */
  update(news) {
    const { images, ...rest } = news;
    Object.assign(this.task, rest);
    this.#times(rest);
    for (const image of images ?? []) this.add(image);
    this.show();
  }

  #times(news) {
    const after = (seconds) => (seconds > 0 ? Date.now() + seconds * 1000 : 0);
    if ("estimated_time" in news) this.#due = after(Number(news.estimated_time));
    if ("next_attempt_at" in news) this.#wake = news.next_attempt_at ? moment(news.next_attempt_at) : 0;
  }

  /** Shows what is left of its times by now. */
  beat() {
    if (!isFinal(this.task)) this.#progress();
  }

  /** Adds a picture that it has not, or takes over what is new of one. */
  add(image) {
    const known = this.task.images.find((other) => other.image_id === image.image_id);
    if (known) Object.assign(known, image);
    else this.task.images.push(image);
  }

  /** Notes that one of its pictures was not made. */
  miss(index) {
    this.#missed.add(index);
    this.show();
  }

  show() {
    const { task, element } = this;
    const over = isFinal(task);
    const failed = task.status === "failed" || task.status === "cancelled";
    this.#facts();
    this.#part(".progress").hidden = over;
    this.#part(".fault").hidden = !failed;
    this.#part("[data-do=cancel]").hidden = over;
    this.#part("[data-do=delete]").hidden = task.status !== "completed";
    this.#part(".run-tools [data-do=reuse]").hidden = failed;
    element.setAttribute("aria-busy", String(!over));
    if (!over) this.#progress();
    if (failed) {
      const cancelled = task.status === "cancelled";
      this.#part(".fault p").textContent = cancelled ? say("studio-status-cancelled") : adviceOf(task.error);
    }
    this.#tiles();
  }

  /** The state in words, as it is shown and told. */
  get words() {
    const { task } = this;
    const waits = task.status === "pending" || task.status === "retrying";
    if (waits && task.queue_position > 1) {
      return say("studio-status-queued", { position: task.queue_position });
    }
    if (waits && task.last_error) {
      return say("studio-status-resting", { reason: task.last_error.message });
    }
    return say(`studio-status-${task.status}`, { progress: task.progress ?? 0 });
  }

  #progress() {
    const { task } = this;
    const bar = this.#part("progress");
    bar.value = task.progress ?? 0;
    bar.setAttribute("aria-label", this.words);
    const [wake, due] = [this.#wake - Date.now(), this.#due - Date.now()];
    const again = wake > 0 ? ` · ${say("studio-again-in", { span: span(wake) })}` : "";
    const about = due > 0 ? ` · ${say("studio-left", { span: span(due) })}` : "";
    const text = this.words + again + about;
    const state = this.#part("[data-state]");
    if (state.textContent !== text) state.textContent = text;
  }

  #facts() {
    const { task } = this;
    const [width, height] = [task.params?.width, task.params?.height];
    const first = task.images[0];
    const size = width && height ? [width, height] : [first?.width, first?.height];
    const tags = [...new Set(task.images.flatMap((image) => image.tags ?? []))];
    const missed = this.#missed.size;
    const facts = [
      task.model,
      size[0] ? `${size[0]}×${size[1]}` : "",
      timeOf(moment(task.completed_at ?? task.created_at)),
      missed ? say("studio-part-failed", { count: missed }) : "",
      ...tags.map((tag) => `#${tag}`),
    ];
    const shown = facts.filter(Boolean).flatMap((fact, at) => (at ? [" · ", fact] : [fact]));
    this.#part(".facts").replaceChildren(...shown);
  }

  /** Pictures keep their elements, so that nothing flickers and the focus stays; the rest are skeletons. */
  #tiles() {
    const list = this.#part(".tiles");
    const known = new Map([...list.children].map((tile) => [tile.dataset.image, tile]));
    const tiles = this.task.images.map((image) => known.get(image.image_id) ?? this.#tile(image));
    tiles.forEach((tile, at) => this.#mark(tile, this.task.images[at]));
    for (let at = tiles.length; at < this.wanted; at += 1) tiles.push(this.#skeleton());
    const same = tiles.length === list.children.length && tiles.every((tile, at) => tile === list.children[at]);
    if (!same) list.replaceChildren(...tiles);
    list.hidden = tiles.length === 0;
  }

  #tile(image) {
    const tile = copy(isFilm(image) ? "film-template" : "tile-template");
    tile.dataset.image = image.image_id;
    const picture = tile.querySelector("img");
    if (!picture) {
      tile.querySelector("span").textContent = this.task.prompt || say("studio-untitled");
      return tile;
    }
    if (image.width) [picture.width, picture.height] = [image.width, image.height];
    picture.addEventListener("load", () => tile.classList.add("here"), { once: true });
    picture.addEventListener("error", () => (picture.src = image.url), { once: true });
    picture.src = image.thumbnail_url;
    return tile;
  }

  #mark(tile, image) {
    const picture = tile.querySelector("img");
    if (picture) picture.alt = altOf(this.task, image);
    const mark = tile.querySelector(".pinned");
    if (image.pinned && !mark) tile.firstElementChild.append(copy("pin-template"));
    if (!image.pinned) mark?.remove();
  }

  #skeleton() {
    const tile = copy("skeleton-template");
    const { width, height } = this.task.params ?? {};
    if (width && height) tile.firstElementChild.style.aspectRatio = `${width} / ${height}`;
    return tile;
  }
}
