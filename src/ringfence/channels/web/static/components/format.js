// Numbers and times as people read them, and text whose unseen characters are seen.
import { html, useEffect, useState } from "../lib/index.js";

const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

export function ago(ms, now = Date.now()) {
  const gone = ms - now;
  for (const [unit, size] of UNITS) if (Math.abs(gone) >= size) return AGO.format(Math.round(gone / size), unit);
  return "just now";
}

// Milliseconds since 1970 as "5 minutes ago", with the exact time as its title.
export function Time({ ms }) {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), 30_000);
    return () => clearInterval(timer);
  }, []);
  if (!ms) return html`<span class="dim">-</span>`;
  return html`<time datetime=${new Date(ms).toISOString()} title=${FULL.format(ms)}>${ago(ms)}</time>`;
}

export const exact = (ms) => FULL.format(ms);

export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.round((ms % 60_000) / 1000);
  if (minutes < 60) return seconds ? `${minutes} min ${seconds} s` : `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log(n) / Math.log(1024)), units.length);
  return `${(n / 1024 ** power).toFixed(n / 1024 ** power < 10 ? 1 : 0)} ${units[power - 1]}`;
}

export const count = (n) => new Intl.NumberFormat("en").format(n);
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

// What a reader does not see, or sees in another order than it is: controls, bidi, zero-width, tags, odd spaces.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|[\ud800-\udfff]/gu;
const code = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

export const hasUnseen = (text) => text.search(UNSEEN) >= 0;

// Text as it is, with each unseen character as its code in a frame. Tabs and line ends stay.
export function Exact({ text }) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(UNSEEN)) {
    if (found.index > at) parts.push(text.slice(at, found.index));
    parts.push(html`<span class="unseen" title="a character that is not seen">${code(found[0])}</span>`);
    at = found.index + found[0].length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

// A value as it is on record: strings as they are, everything else as JSON. {"cut", "chars"} is the beginning of one.
export function written(value) {
  if (value && typeof value === "object" && "cut" in value && "chars" in value) return value.cut;
  return typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "";
}
