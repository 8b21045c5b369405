// What was made before: page by page as one scrolls, searched as one types.

import { call } from "./api.js";
import { clear, empty, listen, show } from "./gallery.js";
import { toast } from "./toasts.js";
import { say } from "./words.js";

const place = document.getElementById("runs");
const search = document.getElementById("search");
const tag = document.getElementById("tag");
const skeletons = document.getElementById("loading");
const more = document.getElementById("more");
const noMatch = document.getElementById("no-match");

const PAGE = 20;
const TYPING_MS = 250;

let next = null;
let loading = null;

const filtered = () => search.value.trim() !== "" || tag.value !== "";

/** Begins anew, with the search as it is now. */
export async function restart() {
  loading?.abort();
  next = null;
  clear({ all: filtered() });
  if (!filtered()) await unfinished();
  await load();
}

/** What waits or is being made, and what failed lately, which the history does not name. */
async function unfinished() {
  try {
    const { items } = await call("GET", "/api/v1/tasks?limit=50");
    for (const task of items.filter((task) => task.status !== "completed")) show(task);
  } catch {
    // the history says what is wrong
  }
}

async function load() {
  const aborted = new AbortController();
  loading = aborted;
  more.hidden = true;
  skeletons.hidden = false;
  place.setAttribute("aria-busy", "true");
  const query = new URLSearchParams({ limit: PAGE });
  if (search.value.trim()) query.set("q", search.value.trim());
  if (tag.value) query.set("tag", tag.value);
  if (next) query.set("after", next);
  try {
    const page = await call("GET", `/api/v1/history?${query}`, undefined, { signal: aborted.signal });
    for (const task of page.items) show(task);
    next = page.next ?? null;
    more.hidden = !next;
  } catch (error) {
    if (error.name === "AbortError") return;
    more.hidden = false;
    toast(error.advice);
  }
  loading = null;
  skeletons.hidden = true;
  place.setAttribute("aria-busy", "false");
  empty(true);
  // a search goes on by itself as long as there is more to look through
  noMatch.hidden = !filtered() || place.children.length > 0 || next !== null;
  noMatch.textContent = say("studio-no-match", { query: search.value.trim() || tag.value });
}

/** The tags that there are, with the number of their pictures. */
export async function tags() {
  const { items } = await call("GET", "/api/v1/tags").catch(() => ({ items: [] }));
  const chosen = tag.value || new URLSearchParams(location.search).get("tag");
  const options = items.map(({ name, count }) => new Option(`#${name} (${count})`, name, false, name === chosen));
  tag.replaceChildren(tag.options[0], ...options);
  tag.hidden = options.length === 0;
}

/** The search is in the address, so that it can be kept and gone back to. */
function remember() {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of [["q", search.value.trim()], ["tag", tag.value]]) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  window.history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

export async function begin() {
  search.value = new URLSearchParams(location.search).get("q") ?? "";
  listen({ filtered });
  await tags();
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      remember();
      restart();
    }, TYPING_MS);
  });
  search.form.addEventListener("submit", (event) => event.preventDefault());
  tag.addEventListener("change", () => {
    remember();
    restart();
  });
  document.getElementById("more-button").addEventListener("click", load);
  new IntersectionObserver(([seen]) => seen.isIntersecting && !loading && next && load(), {
    rootMargin: "600px",
  }).observe(more);
  await restart();
}
