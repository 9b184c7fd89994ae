// The parts that every room is made of. Each is plain: props in, markup out, classes from style.css.
import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "../lib/index.js";
import { toasts, untoast, useStore } from "../state.js";
import { Icon } from "./icon.js";

export const names = (...given) => given.filter(Boolean).join(" ");

// kind: "primary" | "plain" | "quiet" | "danger"; `busy` keeps its place and its focus; `label` where only an icon shows.
export function Button({ kind = "plain", icon, label, busy = false, disabled = false, children, small, ...rest }) {
  const shown = children === undefined || children === null || children === false ? null : children;
  return html`<button type="button" class=${names("button", kind, small && "small", !shown && "only-icon")}
    aria-label=${shown ? undefined : label} title=${shown ? undefined : label} aria-busy=${busy ? "true" : undefined}
    aria-disabled=${disabled || busy ? "true" : undefined} ...${rest}
    onClick=${(event) => (disabled || busy ? event.preventDefault() : rest.onClick?.(event))}>
    ${icon && html`<${Icon} name=${icon} size=${small ? 16 : 18} />`}${shown && html`<span>${shown}</span>`}
  </button>`;
}

// A sheet of the page with a heading. tone: "" | "warn" | "bad"; `aside` stands at the heading's right.
export function Card({ title, aside, tone, level = 2, children, ...rest }) {
  const id = useId();
  return html`<section class=${names("card", tone)} aria-labelledby=${title ? id : undefined} ...${rest}>
    ${title && html`<header class="card-head"><${`h${level}`} id=${id}>${title}<//>${aside && html`<div class="aside">${aside}</div>`}</header>`}
    ${children}
  </section>`;
}

// Nothing is here: say what would be, and how it comes about.
export function Empty({ title, icon, children, action }) {
  return html`<div class="state empty">${icon && html`<${Icon} name=${icon} size=${28} />`}
    <p class="state-title">${title}</p>${children && html`<p>${children}</p>`}${action}</div>`;
}

// It went wrong: what was expected, what to do, and a way to try again.
export function Failure({ error, retry, title }) {
  const what = error?.what ?? error?.message ?? String(error);
  return html`<div class="state failure" role="alert"><${Icon} name="warn" size=${28} />
    <p class="state-title">${title ?? (error?.offline ? "The server does not answer" : "That did not work")}</p>
    <p>${what}</p>${error?.todo && html`<p class="todo">${error.todo}</p>`}
    ${retry && html`<${Button} icon="retry" onClick=${retry}>Try again<//>`}</div>`;
}

// Its shape before it is here; told to screen readers once. `rows` of text lines.
export function Loading({ label = "Loading", rows = 3 }) {
  return html`<div class="loading" role="status"><span class="sr">${label}</span>
    ${Array.from({ length: rows }, (_, n) => html`<span key=${n} class=${`bone b${n % 4}`} aria-hidden="true"></span>`)}</div>`;
}

// columns: [{key, label, render(row), num, wide, least, hide: "phone"}]; `onOpen(row)` makes the first cell a button of the row.
export function Table({ caption, columns, rows, rowKey = (row) => row.id, onOpen, empty }) {
  if (!rows.length && empty) return empty;
  return html`<div class="table-wrap" role="region" aria-label=${caption} tabindex="0"><table>
    <caption class="sr">${caption}</caption>
    <thead><tr>${columns.map((c) => c.label ? html`<th key=${c.key} scope="col" class=${cell(c)}>${c.label}</th>` : html`<td key=${c.key}></td>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${rowKey(row)}>${columns.map((c, n) => {
      const shown = c.render ? c.render(row) : row[c.key];
      return html`<td key=${c.key} class=${cell(c)} data-label=${c.label}>
        ${onOpen && n === 0 ? html`<button type="button" class="row-open" onClick=${() => onOpen(row)}>${shown}</button>` : shown}</td>`;
    })}</tr>`)}</tbody></table></div>`;
}

const cell = (c) => names(c.num && "num", c.wide && "wide", c.least && "least", c.hide && `hide-${c.hide}`);

// A word in a frame. tone: plain | accent | good | warn | bad | operator | user | typed | untrusted. Never colour alone.
export function Chip({ tone = "plain", icon, title, children }) {
  return html`<span class=${`chip ${tone}`} title=${title}>${icon && html`<${Icon} name=${icon} size=${13} />`}<span>${children}</span></span>`;
}

const TONES = { done: "good", waiting: "warn", running: "accent", queued: "plain", failed: "bad", partial: "warn", uncertain: "warn" };
export function StatusChip({ status }) {
  return html`<${Chip} tone=${TONES[status] ?? "plain"}>${status || "unknown"}<//>`;
}

const TRUST = {
  operator: "from the operator of this machine",
  user: "the person's own words",
  typed: "a value of a declared type, such as a date or an id",
  untrusted: "from a document, a tool or the web: it may be wrong, or made to mislead",
};

// What is known of a value: how far it is trusted, and who may read it.
export function LabelChips({ label }) {
  if (!label) return null;
  const readers = (label.readers ?? []).map((any) => any.join(" or "));
  return html`<span class="chips"><${Chip} tone=${label.trust} title=${TRUST[label.trust]}>${label.trust}<//>
    ${readers.map((who) => html`<${Chip} key=${who} tone="reader" icon="lock" title=${`only ${who} may read this`}>${who}<//>`)}</span>`;
}

// A labelled input. `children` replaces the input: a function of its {id, describedby}.
export function Field({ label, hint, error, multiline, children, inputRef, hideLabel, ...rest }) {
  const id = useId();
  const about = names(hint && `${id}-hint`, error && `${id}-error`) || undefined;
  const props = { id, "aria-describedby": about, "aria-invalid": error ? "true" : undefined, ref: inputRef, ...rest };
  const control = typeof children === "function" ? children(props)
    : multiline ? html`<textarea rows="3" ...${props}></textarea>` : html`<input type="text" autocomplete="off" ...${props} />`;
  return html`<div class="field"><label for=${id} class=${hideLabel ? "sr" : undefined}>${label}</label>${control}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${error && html`<p class="error" id=${`${id}-error`} role="alert">${error}</p>`}</div>`;
}

export function Select({ options, ...rest }) {
  return html`<${Field} ...${rest}>${(props) => html`<select ...${props}>${options.map(([value, label]) =>
    html`<option key=${value} value=${value} selected=${value === rest.value}>${label}</option>`)}</select>`}<//>`;
}

// A question over the page; the browser keeps the focus in and gives it back. `side` makes it a sheet at the edge.
export function Dialog({ title, onClose, children, actions, side = false, wide = false }) {
  const id = useId();
  const ref = useRef(null);
  const before = useRef(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    before.current = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      before.current?.focus?.();
    };
  }, []);
  const outside = (event) => event.target === ref.current && onClose();
  return html`<dialog ref=${ref} class=${names("dialog", side && "sheet", wide && "wide")} aria-labelledby=${id}
    onClick=${outside} onCancel=${(event) => { event.preventDefault(); onClose(); }}>
    <div class="dialog-in"><header><h2 id=${id}>${title}</h2><${Button} kind="quiet" icon="close" label="Close" onClick=${onClose} /></header>
    <div class="dialog-body">${children}</div>${actions && html`<footer class="actions">${actions}</footer>`}</div></dialog>`;
}
export const Sheet = (props) => html`<${Dialog} side ...${props} />`;

// Ask before what cannot be taken back. `onYes` may be async; its error is shown in place.
export function Confirm({ title, children, yes = "Yes", danger = true, onYes, onClose }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const go = async () => {
    setBusy(true);
    try {
      await onYes();
      onClose();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose} actions=${html`<${Button} onClick=${onClose}>Cancel<//>
    <${Button} kind=${danger ? "danger" : "primary"} busy=${busy} onClick=${go}>${yes}<//>`}>
    ${children}${error && html`<p class="error" role="alert">${error.what ?? error.message}</p>`}<//>`;
}

// Read something from the server, and say where that stands: {data, error, loading, again}. `load(signal)` is async.
export function useLoad(load, deps = []) {
  const [state, set] = useState({ loading: true });
  const [turn, again] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    set((now) => ({ ...now, loading: true, error: undefined }));
    load(stop.signal).then(
      (data) => !stop.signal.aborted && set({ data, loading: false }),
      (error) => !stop.signal.aborted && set((now) => ({ data: now.data, error, loading: false })),
    );
    return () => stop.abort();
  }, [...deps, turn]);
  return { ...state, again: () => again((n) => n + 1) };
}

export function Toasts() {
  const all = useStore(toasts);
  return html`<div class="toasts" role="status" aria-live="polite">${all.map((one) => html`<div key=${one.id} class=${`toast ${one.tone}`}>
    <span>${one.text}</span>${one.action && html`<${Button} small kind="quiet" onClick=${() => { one.action.go(); untoast(one.id); }}>${one.action.label}<//>`}
    <${Button} small kind="quiet" icon="close" label="Dismiss" onClick=${() => untoast(one.id)} /></div>`)}</div>`;
}
