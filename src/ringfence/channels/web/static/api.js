// The server's API: requests with the session's CSRF token, errors as problem+json, and a run's events as they come.
import { online, session } from "./state.js";

const PATIENCE_MS = 30_000; // for the beginning of an answer
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 60_000; // a stream that says nothing for so long is taken for dead (the server sends comments)

// What went wrong, in words for people: `what` and `todo`. `status` 0: the server was not reached.
export class Failed extends Error {
  constructor(status, { detail, todo, code, ...more } = {}) {
    super(detail || `the server answered ${status}`);
    Object.assign(this, { status, code: code ?? "", what: this.message, todo: todo ?? "", more });
  }
  get offline() {
    return this.status === 0;
  }
}

export async function api(path, { method = "GET", body, headers = {}, signal } = {}) {
  const answer = await send(path, { method, body, headers, signal });
  if (!answer.ok) throw await failure(answer);
  if (answer.status === 204) return null;
  const kind = answer.headers.get("content-type") ?? "";
  return kind.includes("json") ? answer.json() : answer.text();
}

export const get = (path, options) => api(path, options);
export const post = (path, body, options) => api(path, { method: "POST", body, ...options });
export const patch = (path, body, options) => api(path, { method: "PATCH", body, ...options });
export const remove = (path, options) => api(path, { method: "DELETE", ...options });

// "/v1/runs" and {limit: 5, q: ""} -> "/v1/runs?limit=5"
export function url(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

async function send(path, { method, body, headers, signal }) {
  const sent = { Accept: "application/json, application/problem+json", ...headers };
  const form = body instanceof FormData;
  if (body !== undefined && !form) sent["Content-Type"] = "application/json";
  if (method !== "GET") sent["X-CSRF-Token"] = session.get()?.csrf ?? "";
  const limit = AbortSignal.timeout(form ? 10 * PATIENCE_MS : PATIENCE_MS);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  try {
    const answer = await fetch(path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : form ? body : JSON.stringify(body),
      signal: either,
      credentials: "same-origin",
      redirect: "error",
    });
    online.set(true);
    return answer;
  } catch (error) {
    if (signal?.aborted) throw error;
    online.set(false);
    throw new Failed(0, { detail: "the server does not answer", todo: "check that it runs: ringfence status" });
  }
}

async function failure(answer) {
  let problem = {};
  try {
    problem = await answer.json();
  } catch {
    // no problem+json: something in between has answered
  }
  const failed = new Failed(answer.status, problem);
  failed.retryAfter = Number(answer.headers.get("retry-after")) || 0;
  if (answer.status === 401 && !answer.url.includes("/auth/") && session.get()) session.set(null);
  return failed;
}

// Upload with progress, which fetch does not tell: `progress(share)`, 0 to 1. Resolves to what the server answers.
export function upload(path, form, { progress = () => {}, signal, method = "POST" } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.setRequestHeader("X-CSRF-Token", session.get()?.csrf ?? "");
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      const problem = parsed(request.responseText);
      if (request.status < 300) resolve(problem);
      else reject(new Failed(request.status, problem ?? {}));
    };
    request.onerror = () => reject(new Failed(0, { detail: "the upload was cut off", todo: "try it again" }));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Follow a run. Calls `on(kind, data, id)` for each event until "end"; comes back by Last-Event-ID when the line breaks,
// ever more slowly, at once when the browser says that it is online again. `on("line", {up})` tells of the line itself.
export async function follow(path, on, { signal, after = "" } = {}) {
  let last = after;
  let wait = FIRST_WAIT_MS;
  while (!signal?.aborted) {
    let ended = false;
    try {
      const heard = (kind, data, id) => {
        if (id) last = id;
        if (kind === "reset") last = "";
        wait = FIRST_WAIT_MS;
        ended = kind === "end";
        on(kind, data, id);
      };
      await stream(path, last, heard, () => on("line", { up: true }), signal);
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof Failed && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    }
    if (ended || signal?.aborted) return;
    on("line", { up: false, again: wait });
    await pause(wait * (0.75 + Math.random() / 2), signal); // many tabs do not come back in one instant
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

async function stream(path, last, on, up, signal) {
  const dead = new AbortController();
  let alarm = setTimeout(() => dead.abort(), PATIENCE_MS);
  const either = signal ? AbortSignal.any([signal, dead.signal]) : dead.signal;
  const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
  try {
    const answer = await fetch(path, { headers, signal: either, credentials: "same-origin", cache: "no-store" });
    online.set(true);
    if (!answer.ok) throw await failure(answer);
    up();
    const read = reader(on);
    const lines = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      clearTimeout(alarm);
      alarm = setTimeout(() => dead.abort(), SILENCE_MS);
      const { value, done } = await lines.read();
      if (done) return;
      read(value);
    }
  } catch (error) {
    if (!(error instanceof Failed) && !signal?.aborted) online.set(navigator.onLine && (await alive()));
    throw error;
  } finally {
    clearTimeout(alarm);
    dead.abort();
  }
}

// The lines of a stream of events (WHATWG HTML, 9.2.6), as far as we send them.
export function reader(on) {
  let rest = "";
  let event = fresh();
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") {
        if (event.data.length) on(event.kind, JSON.parse(event.data.join("\n")), event.id);
        event = fresh();
        continue;
      }
      if (line.startsWith(":")) continue; // a comment keeps the line open
      const at = line.indexOf(":");
      const field = at < 0 ? line : line.slice(0, at);
      const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
      if (field === "data") event.data.push(value);
      else if (field === "event") event.kind = value;
      else if (field === "id") event.id = value;
    }
  };
}

const fresh = () => ({ kind: "message", id: "", data: [] });

// Whether the server answers at all.
export async function alive() {
  try {
    await fetch("/livez", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    return true;
  } catch {
    return false;
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    addEventListener("online", done, { once: true });
    signal?.addEventListener("abort", done, { once: true });
  });
}
