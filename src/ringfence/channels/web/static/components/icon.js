// Line icons of one weight, 20 by 20. They never stand alone for a meaning: a word is beside them or in `label`.
import { html } from "../lib/index.js";

const PATHS = {
  chat: "M3 4h14v9H9l-4 3.5V13H3z",
  runs: "M3 5h2M8 5h9M3 10h2M8 10h9M3 15h2M8 15h9",
  approvals: "M10 2.5l6.5 2.6v4.4c0 4-2.8 6.6-6.5 8-3.7-1.4-6.5-4-6.5-8V5.1zM7 9.8l2.2 2.2L13.2 8",
  memory: "M5 3h10v14l-5-3.6L5 17z",
  collections: "M3 6.5h5l1.5-2H17v11H3z",
  audit: "M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10h5.5M7.5 13.5h5.5",
  people: "M7.5 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM2 16.5c0-3 2.3-4.8 5.5-4.8s5.5 1.8 5.5 4.8M13 4.4a3 3 0 0 1 0 5.2M15 12.3c1.9.7 3 2.2 3 4.2",
  status: "M2.5 11h3.2l2-6 3.6 10.5L13.6 9l1 2h2.9",
  plus: "M10 4v12M4 10h12",
  close: "M5 5l10 10M15 5L5 15",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  send: "M10 16V4.5M5 9l5-5 5 5",
  stop: "M6 6h8v8H6z",
  retry: "M15.5 8A6 6 0 1 0 16 11M16 4v4h-4",
  resume: "M6.5 4.5v11l9-5.5z",
  fork: "M6 3v14M6 11c0-3 8-2 8-6M14 3v2M12 5l2-2 2 2",
  chevron: "M7.5 5l5 5-5 5",
  check: "M4 10.5l4 4 8-9",
  warn: "M10 3l7.5 13.5h-15zM10 8v4M10 14.2v.1",
  clock: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4.2l2.6 1.6",
  out: "M8 4H4v12h4M8.5 10H17M13.5 6.5L17 10l-3.5 3.5",
  key: "M13 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10.2 9.8L3 17M5.5 14.5L8 17",
  sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18M4.4 4.4l1.1 1.1M14.5 14.5l1.1 1.1M4.4 15.6l1.1-1.1M14.5 5.5l1.1-1.1",
  moon: "M16 12.2A6.8 6.8 0 0 1 7.8 4 6.8 6.8 0 1 0 16 12.2z",
  half: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  search: "M8.7 3.5a5.2 5.2 0 1 0 0 10.4 5.2 5.2 0 0 0 0-10.4zM12.5 12.5L17 17",
  copy: "M7 7h10v10H7zM13 7V3H3v10h4",
  link: "M8 12l4-4M9 6.2l1.6-1.6a3.4 3.4 0 0 1 4.8 4.8L13.8 11M11 13.8l-1.6 1.6a3.4 3.4 0 0 1-4.8-4.8L6.2 9",
  image: "M3 4h14v12H3zM3 13.5l4-4 3.5 3.5 2.5-2.5 4 4M13.5 7.5v.1",
  upload: "M10 13V4M6 8l4-4 4 4M3.5 13v3.5h13V13",
  edit: "M4 16l.8-3.4L13.6 3.8l2.6 2.6-8.8 8.8z",
  trash: "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.8 11.5h7.4l.8-11.5",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  export: "M10 4v9M6 9l4 4 4-4M3.5 13v3.5h13V13",
};

export function Icon({ name, label, size = 20 }) {
  const more = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return html`<svg class=${`icon i-${name}`} viewBox="0 0 20 20" width=${size} height=${size} ...${more}>
    <path d=${PATHS[name] ?? ""} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"
      stroke-linejoin="round" />
  </svg>`;
}

export function Mark() {
  return html`<svg class="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
    <path d="M20.6 4.4a12.5 12.5 0 1 1-9.2 0" fill="none" stroke="currentColor" stroke-width="3.2" stroke-linecap="round" />
    <circle cx="16" cy="16" r="4.2" fill="currentColor" />
  </svg>`;
}
