// Talks to the gateway, and tells what went wrong in one shape.

import { knows, say, span } from "./words.js";

/** Why the gateway did not do something. Without a `status` it was not reached. */
export class Refusal extends Error {
  constructor({ status = 0, code = "network", message = "", retryAfter = 0, fields = {} }) {
    super(message);
    Object.assign(this, { status, code, retryAfter, fields });
  }

  /** What to tell people, and what they can do. */
  get advice() {
    if (this.status === 0) return say("studio-error-network");
    if (this.status === 404) return say("studio-error-gone");
    if (this.status === 429 || this.status === 503) {
      if (this.retryAfter) return say("studio-error-busy-until", { span: span(this.retryAfter * 1000) });
      return say("studio-error-busy");
    }
    return say("studio-error", { message: this.message });
  }
}

/** What to tell people of a task's failure. */
export function adviceOf(error) {
  const operator = ["auth_invalid", "not_entitled", "quota_exhausted"];
  const kind = operator.includes(error?.kind) ? "operator" : error?.kind;
  const message = error?.message ?? "";
  const known = `studio-error-${kind}`;
  return knows(known) ? say(known, { message }) : say("studio-error-upstream", { message });
}

/** Calls the API. `body` is a form, or anything that JSON can say. Gives what was answered; nothing for 204. */
export async function call(method, path, body, { headers = {}, ...rest } = {}) {
  const isForm = body instanceof FormData;
  const request = { method, headers: { ...headers }, ...rest };
  if (body !== undefined) {
    request.body = isForm ? body : JSON.stringify(body);
    if (!isForm) request.headers["content-type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(location.origin + path, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal({ message: error.message });
  }
  if (answer.status === 401) {
    // the session is over; what is in the form is kept
    location.assign("/studio");
    return new Promise(() => {});
  }
  const said = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw refusal(answer, said ?? {});
  return said;
}

/** The surfaces tell errors in their own shapes; this is what they have in common. */
function refusal(answer, said) {
  const error = typeof said.error === "object" && said.error ? said.error : said;
  const named = typeof said.error === "string" ? said.error : undefined;
  const fields = { ...(said.details ?? {}) };
  if (error.param && !fields[error.param]) fields[error.param] = [error.message];
  return new Refusal({
    status: answer.status,
    code: error.code ?? named ?? String(answer.status),
    message: error.message ?? `HTTP ${answer.status}`,
    retryAfter: Number(answer.headers.get("retry-after") ?? said.retry_after ?? 0),
    fields,
  });
}
