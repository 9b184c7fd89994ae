// What more than one part of the page needs to know. A store is a value, and those who want to hear of a new one.
import { useEffect, useState } from "./lib/index.js";

export function store(value) {
  const hearers = new Set();
  return {
    get: () => value,
    set(next) {
      value = typeof next === "function" ? next(value) : next;
      for (const hear of [...hearers]) hear(value);
    },
    hear(hearer) {
      hearers.add(hearer);
      return () => hearers.delete(hearer);
    },
  };
}

export function useStore(one) {
  const [value, set] = useState(one.get());
  useEffect(() => {
    set(one.get()); // it may have changed between the first drawing and now
    return one.hear((next) => set(() => next));
  }, [one]);
  return value;
}

export const session = store(undefined); // undefined: not known yet; null: signed out; else GET /auth/session
export const online = store(true); // whether the server answered last time
export const approvals = store([]); // what waits for this person
export const toasts = store([]);
export const said = store(""); // for screen readers: the one polite live region

// Tabs of one person tell each other what has changed: {what: "signed-out" | "session" | "runs" | "approvals" | ...}.
const channel = "BroadcastChannel" in self ? new BroadcastChannel("ringfence") : null;
const hearers = new Set();
channel?.addEventListener("message", (event) => {
  for (const hear of [...hearers]) hear(event.data ?? {});
});

// Tell the other tabs, and the other parts of this one.
export function tell(what, more = {}) {
  channel?.postMessage({ what, ...more });
  for (const hear of [...hearers]) hear({ what, ...more, here: true });
}

export function useNews(hear) {
  useEffect(() => {
    hearers.add(hear);
    return () => hearers.delete(hear);
  });
}

let count = 0;
export function toast(text, { tone = "plain", seconds = 6, action } = {}) {
  const id = ++count;
  toasts.set((all) => [...all.slice(-3), { id, text, tone, action }]);
  if (seconds) setTimeout(() => untoast(id), seconds * 1000);
  return id;
}

export function untoast(id) {
  toasts.set((all) => all.filter((one) => one.id !== id));
}

export function announce(text) {
  said.set("");
  setTimeout(() => said.set(text), 30); // the same words twice are still news
}

// Light or dark: what the system says, unless this browser was told otherwise.
const KEPT = "ringfence-theme";
export const theme = store(kept());

function kept() {
  try {
    return localStorage.getItem(KEPT) ?? "system";
  } catch {
    return "system"; // storage is switched off
  }
}

export function setTheme(next) {
  theme.set(next);
  wear();
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // it holds until the page is closed
  }
}

export function wear() {
  const next = theme.get();
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
}
