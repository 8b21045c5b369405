// Has a language model write the prompt out.

import { call } from "./api.js";
import { announce } from "./gallery.js";
import { toast } from "./toasts.js";
import { say } from "./words.js";

const button = document.getElementById("improve");
const prompt = document.getElementById("prompt");
const model = document.getElementById("studio").dataset.talker;

async function improve() {
  const before = prompt.value;
  if (!before.trim()) return prompt.focus();
  button.disabled = prompt.readOnly = true;
  announce(say("studio-improving"));
  try {
    const { text } = await call("POST", "/api/v1/text", { model, prompt: before });
    put(text);
    toast(say("studio-improved"), { label: say("studio-restore"), act: () => put(before) });
  } catch (refusal) {
    toast(refusal.advice);
  } finally {
    button.disabled = prompt.readOnly = false;
    prompt.focus();
  }
}

function put(text) {
  prompt.value = text;
  prompt.dispatchEvent(new Event("input", { bubbles: true }));
}

export function begin() {
  button.addEventListener("click", improve);
}
