// Talking to the API: answers, problems, and changes that are made once however often they are sent.

import { pause } from "./dom.js";
import { reasonAlone } from "./whynot.js";
import { has, inPrint, language, number, t, timesIn } from "./words.js";

const PATIENCE = 6;

/** What the API said instead of doing it. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail ?? body.code ?? String(status));
    this.status = status;
    this.code = body.code ?? "error";
    this.body = body;
    this.failures = body.failures ?? [];
    this.retryAfter = retryAfter;
  }

  /** The problem in the page's language. */
  get words() {
    if (language === "zh" && this.body.detail_zh) return inPrint(timesIn(this.body.detail_zh));
    if (this.code === "not_possible" && this.body.detail) return t("problem.not_possible", { why: timesIn(reasonAlone(this.body.detail)) });
    if (has(`problem.${this.code}`)) return t(`problem.${this.code}`);
    return timesIn(this.body.detail ?? t("problem.error"));
  }

  /** Each failing check: which field it belongs to, if any, and its words. */
  get reasons() {
    return this.failures.map((failure) => {
      const path = String(failure.field ?? "");
      const words = failureWords(failure);
      return { code: failure.code, path, field: path.split(".").pop(), words: words.startsWith(path) ? words.slice(path.length).replace(/^[:\uff1a]\s*/, "") : words };
    });
  }
}

/** A failing check in the page's language. */
export function failureWords(failure) {
  if (has(`invalid.${failure.code}`)) return t(`invalid.${failure.code}`);
  const chinese = language === "zh" && failure.message_zh;
  const words = chinese || failure.message || failure.code;
  const figures = Object.values(failure).filter((one) => Number.isInteger(one) && one >= 1000);
  return inPrint(figures.reduce((text, one) => text.replace(new RegExp(`\\b${one}\\b`), number(one)), words));
}

let newest = 0;
/** The address, asking for an answer that knows at least of our own changes (and of `position`). */
export function fresh(path, position = 0) {
  const least = Math.max(newest, position);
  return least ? `${path}${path.includes("?") ? "&" : "?"}min_position=${least}` : path;
}

/** Read something; waits while views catch up or the service is away for a moment. */
export async function get(path, { signal, patience = PATIENCE } = {}) {
  for (let tried = 1; ; tried++) {
    let problem;
    try {
      const answer = await fetch(path, { signal, headers: { Accept: "application/json" } });
      if (answer.ok && answer.status !== 202) return await answer.json();
      problem = await read(answer);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      problem = new Problem(0, { code: "offline" });
    }
    if (!passing(problem) || tried >= patience) throw problem;
    await pause(problem.retryAfter * 1000 || 400 * tried);
  }
}

/** The answer of a check that may be unwell and still speaks (`/health` answers 503 with a body). */
export async function getAnyway(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  return { status: answer.status, body: await answer.json() };
}

/**
 * A change that somebody wants. One key per intent: sending it again, after a lost answer or a
 * second click, is the same intent; once it was answered, the next sending is a new one.
 */
export class Intent {
  constructor(path, { method = "POST", file = false } = {}) {
    this.path = path;
    this.method = method;
    /** Whether the answer may be a file: then it is `{ file }`. */
    this.file = file;
    this.key = null;
    this.sent = null;
    this.running = null;
  }

  /** Whether it was sent and nobody knows what became of it. */
  get unknown() {
    return this.key !== null && this.running === null;
  }

  send(body, { path = this.path, onWaiting } = {}) {
    if (this.running) return this.running;
    if (this.key === null) {
      this.key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
      // A file goes as it is, everything else as JSON.
      this.sent = body instanceof Blob ? { path, body, type: body.type } : { path, body: JSON.stringify(body), type: "application/json" };
    }
    this.running = this.#deliver(onWaiting).finally(() => { this.running = null; });
    return this.running;
  }

  async #said(answer) {
    if (answer.status === 204) return {};
    const json = (answer.headers.get("Content-Type") ?? "").includes("json");
    return this.file && !json ? { file: await answer.blob() } : answer.json();
  }

  async #deliver(onWaiting) {
    for (let tried = 1; ; tried++) {
      let problem;
      try {
        const answer = await fetch(this.sent.path, {
          method: this.method,
          headers: { "Content-Type": this.sent.type, "Idempotency-Key": this.key },
          body: this.sent.body,
        });
        if (answer.ok) {
          const said = await this.#said(answer);
          this.key = null;
          newest = Math.max(newest, said.position ?? 0);
          return said;
        }
        problem = await read(answer);
      } catch (error) {
        problem = new Problem(0, { code: "offline" });
      }
      if (!passing(problem)) {
        this.key = null;
        throw problem;
      }
      if (tried >= PATIENCE) throw new Problem(problem.status, { code: "unknown_outcome" });
      onWaiting?.(problem);
      await pause(problem.retryAfter * 1000 || 500 * tried);
    }
  }
}

/** A question by POST that changes nothing (quotes). */
export async function ask(path, body, { signal } = {}) {
  for (let tried = 1; ; tried++) {
    let problem;
    try {
      const answer = await fetch(path, {
        method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
      if (answer.ok) return await answer.json();
      problem = await read(answer);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      problem = new Problem(0, { code: "offline" });
    }
    if (!passing(problem) || tried >= 4) throw problem;
    await pause(problem.retryAfter * 1000 || 400 * tried);
  }
}

const typed = new WeakSet();
document.addEventListener("input", (event) => typed.add(event.target), true);

/** Whether something stands in a form of the page itself that somebody typed and did not send yet. */
const isTyped = () => [...document.querySelectorAll("#view :is(textarea, input:not([type=search], [type=radio], [type=checkbox]))")].some((one) => typed.has(one) && one.value.trim());

function passing(problem) {
  return [0, 202, 429, 502, 503, 504].includes(problem.status) || problem.code === "in_flight";
}

async function read(answer) {
  if (answer.status === 401) {
    // What was typed would be lost: it waits until its author is back.
    if (document.querySelector("dialog[open]") || isTyped()) return new Problem(401, { code: "session_over" }, 0);
    const here = location.pathname === "/" ? "" : `?next=${encodeURIComponent(location.pathname)}`;
    location.assign(`/login${here}${location.hash}`);
  }
  const after = Number(answer.headers.get("Retry-After")) || 0;
  let body = {};
  try { body = await answer.json(); } catch { /* not ours: the status has to do */ }
  return new Problem(answer.status, body, Math.min(after, 30));
}
