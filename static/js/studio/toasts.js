// Short messages at the edge of the page, and what can still be undone.

import { call } from "./api.js";
import { say } from "./words.js";

const place = document.getElementById("toasts");
const template = document.getElementById("toast-template");
const STAYS_MS = 6_000;

/** What is to be done yet if nobody undoes it. */
const pending = new Set();

/** Shows a message for a while; with `act` a button that ends it early. Gives what removes it. */
export function toast(text, { label, act } = {}) {
  const element = template.content.firstElementChild.cloneNode(true);
  element.querySelector("p").textContent = text;
  const button = element.querySelector("button");
  const close = () => {
    clearTimeout(timer);
    element.remove();
  };
  button.textContent = label ?? "";
  button.hidden = !label;
  button.onclick = () => {
    close();
    act();
  };
  const timer = setTimeout(close, STAYS_MS);
  place.append(element);
  return close;
}

/**
 * Deletes what `path` names after a while, unless it is undone meanwhile. `undo` puts back what is shown; it is called
 * as well where the gateway refuses. A page that is left deletes at once.
 */
export function deleteLater(path, undo) {
  const job = {
    run: async (rest) => {
      pending.delete(job);
      clearTimeout(job.timer);
      try {
        await call("DELETE", path, undefined, rest);
      } catch (error) {
        // what is not there any more is deleted
        if (error.status === 404) return;
        undo();
        toast(say("studio-not-deleted"));
      }
    },
  };
  pending.add(job);
  job.timer = setTimeout(() => job.run(), STAYS_MS);
  toast(say("studio-deleted"), {
    label: say("studio-undo"),
    act: () => {
      pending.delete(job);
      clearTimeout(job.timer);
      undo();
    },
  });
}

window.addEventListener("pagehide", () => {
  for (const job of [...pending]) job.run({ keepalive: true });
});
