// API keys as they are listed, made and shown once; and a secret that is told this once.
import { html, useRef, useState } from "../lib/index.js";
import { post } from "../api.js";
import { announce, toast } from "../state.js";
import { exact, plural, Time } from "../components/format.js";
import { Button, Chip, Confirm, Dialog, Empty, Field, Select, Table } from "../components/ui.js";

const SCOPES = [
  ["runs", "Begin runs and follow them"],
  ["approvals", "Answer what runs ask"],
  ["memory", "See, change and forget what is remembered"],
  ["knowledge", "Search collections and open documents"],
  ["audit", "Look at the record of everybody", "role:auditor"],
  ["metrics", "Read the metrics", "role:admin"],
  ["admin", "Look after accounts and collections", "role:admin"],
];
const ENDS = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["180", "180 days"], ["365", "a year"]];
const STATES = { holds: ["good", "holds"], expired: ["plain", "has ended"], revoked: ["plain", "revoked"] };

// keys: as the API lists them; `revoke(key)` is async. Those that have ended are shown when they are asked for.
export function Keys({ keys, revoke, caption = "API keys", empty = "No keys yet", children }) {
  const [all, setAll] = useState(false);
  const [asked, ask] = useState(null);
  const held = keys.filter((key) => key.state === "holds");
  const ended = keys.length - held.length;
  const columns = [
    { key: "purpose", label: "For", wide: true, render: (key) => html`<span class="break">${key.purpose || html`<span class="dim">not said</span>`}</span> <code class="dim">${key.id}</code>` },
    { key: "scopes", label: "May be used for", render: (key) => html`<span class="chips">${key.scopes.map((one) => html`<${Chip} key=${one}>${one}<//>`)}</span>` },
    { key: "used", label: "Last used", render: (key) => key.used ? html`<${Time} ms=${key.used} />` : html`<span class="dim">never</span>` },
    { key: "ends", label: "Until", render: (key) => key.state !== "holds" ? html`<${Chip} tone=${STATES[key.state][0]}>${STATES[key.state][1]}<//>`
      : key.ends ? html`<${Time} ms=${key.ends} />` : html`<${Chip} tone="warn">without an end<//>` },
    { key: "revoke", label: "", render: (key) => key.state === "holds" && html`<${Button} small kind="danger" aria-label=${`Revoke ${key.purpose || key.id}`} onClick=${() => ask(key)}>Revoke<//>` },
  ];
  const rows = all ? keys : held;
  return html`${rows.length ? html`<${Table} caption=${caption} columns=${columns} rows=${rows} />` : html`<${Empty} icon="key" title=${empty}>${children}<//>`}
    ${ended > 0 && html`<p><${Button} small kind="quiet" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? "Hide" : "Show"} ${plural(ended, "key")} that ${ended === 1 ? "has" : "have"} ended<//></p>`}
    ${asked && html`<${Confirm} title="Revoke this key?" yes="Revoke it" onYes=${() => revoke(asked)} onClose=${() => ask(null)}>
      <p><strong>${asked.purpose || asked.id}</strong> of ${asked.name}, last used ${asked.used ? exact(asked.used) : "never"}.</p>
      <p>Whatever uses it is refused from now on. A key that was revoked never holds again.</p><//>`}`;
}

// A key of one's own. When it is made it is shown in the same place, this once.
export function NewKey({ roles, made, onClose }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState({});
  const [key, setKey] = useState(null);
  const may = SCOPES.filter(([, , role]) => !role || roles.includes(role));
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const scopes = form.getAll("scope");
    if (!scopes.length) return setWrong({ scope: "Tick one at least." });
    setWrong({});
    setBusy(true);
    try {
      setKey(await post("/auth/keys", { scopes, days: Number(form.get("days")), purpose: String(form.get("purpose")).trim() }));
      announce("The key is made. It is shown once.");
      made();
    } catch (error) {
      setWrong({ whole: [error.what, error.todo].filter(Boolean).join(". ") });
      setBusy(false);
    }
    return undefined;
  };
  if (key) return html`<${Once} title="Your new key" secret=${key.key} label="API key" onClose=${onClose}>
    It acts for you, for ${key.scopes.join(", ")}, until ${exact(key.ends)}. Send it as <code>Authorization: Bearer …</code>.<//>`;
  return html`<${Dialog} title="New API key" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} label="What it is for" name="purpose" maxlength="200" hint="So that you know it again: the night job, my editor." />
    <fieldset class="checks" aria-describedby=${wrong.scope ? "scope-error" : undefined}><legend>What it may be used for</legend>
      ${may.map(([name, words]) => html`<label key=${name} class="check"><input type="checkbox" name="scope" value=${name} defaultChecked=${name === "runs"} />
        <span><strong>${name}</strong> <span class="dim">${words}</span></span></label>`)}
      ${wrong.scope && html`<p class="error" id="scope-error" role="alert">${wrong.scope}</p>`}</fieldset>
    <${Select} label="Ends after" name="days" value="90" options=${ENDS} />
    ${wrong.whole && html`<p class="error" role="alert">${wrong.whole}</p>`}
    <div class="actions end"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" busy=${busy}>Make the key<//></div></form><//>`;
}

// Something that is told this once: to be copied now.
export function Once({ title, label, secret, children, onClose }) {
  const field = useRef(null);
  const copy = async () => {
    field.current.select();
    try {
      await navigator.clipboard.writeText(secret);
      toast("Copied.", { tone: "good", seconds: 3 });
    } catch {
      toast("It is selected: copy it with the keyboard.");
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose} actions=${html`<${Button} kind="primary" onClick=${onClose}>I have kept it<//>`}>
    <div class="note warn"><p><strong>It is shown this once.</strong> Nobody can show it again; only another can be made.</p></div>
    <div class="secret"><${Field} label=${label} inputRef=${field} class="mono" readonly value=${secret} onFocus=${(event) => event.currentTarget.select()} />
      <${Button} icon="copy" onClick=${copy}>Copy<//></div>
    ${children && html`<p>${children}</p>`}<//>`;
}
