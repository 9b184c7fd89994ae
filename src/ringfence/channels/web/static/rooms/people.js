// Who may come in, and who is: for admins. The server has the last word on all of it.
import { html, useEffect, useState } from "../lib/index.js";
import { get, patch, post, remove, url } from "../api.js";
import { announce, session, toast, useStore } from "../state.js";
import { Keys, Once } from "./keys.js";
import { exact, plural, Time } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { Button, Card, Chip, Confirm, Dialog, Empty, Failure, Field, Loading, Sheet, Table, useLoad } from "../components/ui.js";

const KINDS = {
  operator: ["runs this machine", "Only `ringfence users` on the machine changes this account."],
  manifest: ["named in the manifest", "The manifest says the roles and teams."],
  elsewhere: ["by a provider", "A provider vouches for them; they have no account here. Who they are and what they may is changed there."],
  own: ["", ""],
};

export default function People() {
  const who = useStore(session);
  const may = (who?.roles ?? []).includes("role:admin");
  if (!may) return html`<div class="room narrow"><${RoomHead} title="People" /><${Card} title="For admins">
    <p>This room is for who holds <code>role:admin</code>. Your own password, sessions and keys stand under <a href="#/account">Account</a>.</p><//></div>`;
  return html`<${Everybody} />`;
}

async function everybody(signal) {
  const data = [];
  let page = { next: "" };
  do {
    page = await get(url("/v1/people", { limit: 200, after: page.next }), { signal });
    data.push(...page.data);
  } while (page.next);
  return { data, roles: page.roles };
}

const COLUMNS = [
  { key: "name", label: "Name", least: true, render: (one) => one.name },
  { key: "state", label: "State", render: (one) => {
    const said = [[one.you, "accent", "you"], [one.disabled, "bad", "disabled"], [KINDS[one.kind][0], "plain", KINDS[one.kind][0]],
      [!one.password && one.kind !== "elsewhere", "warn", "no password"]].filter(([holds]) => holds);
    return said.length ? html`<span class="chips">${said.map(([, tone, words]) => html`<${Chip} key=${words} tone=${tone}>${words}<//>`)}</span>` : null;
  } },
  { key: "roles", label: "Roles and teams", wide: true, render: (one) => one.roles.length + one.teams.length ? html`<span class="chips">${one.roles.map((role) => html`<${Chip} key=${role} tone=${role === "admin" ? "operator" : "plain"}>${role}<//>`)}
    ${one.teams.map((team) => html`<${Chip} key=${`t${team}`}>team ${team}<//>`)}</span>` : html`<span class="dim">none</span>` },
  { key: "sessions", label: "Sessions", num: true }, { key: "keys", label: "Keys", num: true },
];

function Everybody() {
  const { data, error, loading, again } = useLoad(everybody, []);
  const [words, setWords] = useState("");
  const [adding, add] = useState(false);
  const [name, open] = useState("");
  const all = data?.data ?? [];
  const wanted = words.trim().toLowerCase();
  const rows = all.filter((one) => [one.name, one.tenant, ...one.roles, ...one.teams].some((text) => text.toLowerCase().includes(wanted)));
  const one = all.find((each) => each.name === name);
  const columns = all.some((each) => each.tenant) ? [...COLUMNS.slice(0, 2), { key: "tenant", label: "Tenant", render: (each) => each.tenant || html`<span class="dim">-</span>` }, ...COLUMNS.slice(2)] : COLUMNS;
  useEffect(() => {
    if (data) announce(plural(rows.length, "person", "people"));
  }, [data, wanted]);
  return html`<div class="room"><${RoomHead} title="People" about="Who may come in, and who is signed in. What you change is on the record in your name.">
      <${Button} kind="primary" icon="plus" onClick=${() => add(true)}>Add somebody<//><//>
    ${all.length > 6 && html`<div class="filters" role="search" aria-label="People"><${Field} label="Name, role, team or tenant" type="search" value=${words} onInput=${(event) => setWords(event.currentTarget.value)} /></div>`}
    ${!data && loading && html`<${Loading} label="Loading people" rows=${5} />`}
    ${error && html`<${Failure} error=${error} retry=${again} />`}
    ${data && html`<${Table} caption="People" columns=${columns} rows=${rows} rowKey=${(each) => each.name} onOpen=${(each) => open(each.name)}
      empty=${html`<${Empty} icon="search" title="Nobody is like that">Try another name or role.<//>`} />`}
    ${adding && html`<${Add} known=${data?.roles ?? []} changed=${again} onClose=${() => add(false)} />`}
    ${one && html`<${Person} key=${one.name} one=${one} known=${data.roles} changed=${again} onClose=${() => open("")} />`}</div>`;
}

const listed = (text) => String(text ?? "").split(/[\s,]+/).filter(Boolean);

// Roles to tick, and others to write; read(form) gives what was chosen.
function Roles({ known, held = [], teams = [] }) {
  const all = [...new Set([...known, ...held])].sort();
  return html`<fieldset class="checks across"><legend>Roles</legend>${all.map((role) => html`<label key=${role} class="check">
      <input type="checkbox" name="role" value=${role} defaultChecked=${held.includes(role)} /><span>${role}</span></label>`)}</fieldset>
    <div class="row"><${Field} label="Other roles" name="more" hint="With commas between." /><${Field} label="Teams" name="teams" defaultValue=${teams.join(", ")} hint="Whose memory they share." /></div>`;
}

const read = (form) => ({ roles: [...new Set([...form.getAll("role"), ...listed(form.get("more"))])], teams: listed(form.get("teams")) });
const told = (error) => [error.what, error.todo].filter(Boolean).join(". ");

function Add({ known, changed, onClose }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const [made, setMade] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, tenant] = [form.get("name").trim(), form.get("tenant").trim()];
    if (!name) return setWrong("A name is needed: what they sign in as.");
    setBusy(true);
    try {
      setMade(await post("/v1/people", { name, ...read(form), ...(tenant && { tenant }) }));
      changed();
    } catch (error) {
      setWrong(told(error));
      setBusy(false);
    }
    return undefined;
  };
  if (made) return html`<${Once} title=${`${made.name} may come in`} label=${`Password of ${made.name}`} secret=${made.made} onClose=${onClose}>
    Tell it to them in a way that nobody listens to. They change it under Account.<//>`;
  return html`<${Dialog} title="Add somebody" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} label="Name" name="name" maxlength="63" autocapitalize="none" spellcheck="false" hint="What they sign in as: a letter, then letters, digits, - or _." error=${wrong} />
    <${Roles} known=${known} />
    <${Field} label="Tenant" name="tenant" maxlength="63" hint="The house that they belong to, where several share this server." />
    <div class="actions end"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" busy=${busy}>Add<//></div></form><//>`;
}

function Person({ one, known, changed, onClose }) {
  const path = `/v1/people/${encodeURIComponent(one.name)}`;
  const [asked, ask] = useState("");
  const [made, setMade] = useState(null);
  const mine = !one.you && (one.kind === "own" || one.kind === "manifest");
  const close = () => ask("");
  const reset = async () => {
    setMade(await post(`${path}/password`, {}));
    changed();
  };
  const able = (what, words) => async () => {
    await post(`${path}/${what}`);
    toast(words, { tone: "good" });
    changed();
  };
  if (made) return html`<${Once} title="Another password" label=${`Password of ${one.name}`} secret=${made.made} onClose=${() => setMade(null)}>All sessions of ${one.name} have ended.<//>`;
  return html`<${Sheet} title=${one.name} onClose=${onClose}>
    <dl class="facts"><dt>On record</dt><dd>user:${one.name}</dd>${one.tenant && html`<dt>Tenant</dt><dd>${one.tenant}</dd>`}
      <dt>Roles</dt><dd>${one.roles.join(", ") || "none"}</dd>${one.teams.length > 0 && html`<dt>Teams</dt><dd>${one.teams.join(", ")}</dd>`}
      ${one.created > 0 && html`<dt>Since</dt><dd>${exact(one.created)}</dd>`}<dt>State</dt><dd>${one.disabled ? "disabled: nobody comes in as them" : one.password ? "may come in" : one.kind === "elsewhere" ? "comes by a provider" : "has no password yet"}</dd></dl>
    ${KINDS[one.kind][1] && html`<p class="dim">${KINDS[one.kind][1].replaceAll("`", "")}</p>`}
    ${one.you && html`<p class="note">This is you. Another admin changes your roles; your password and keys stand under <a href="#/account" onClick=${onClose}>Account</a>.</p>`}
    ${mine && one.kind === "own" && html`<${Change} one=${one} path=${path} known=${known} changed=${changed} />`}
    ${mine && html`<div class="actions"><${Button} icon="key" onClick=${() => ask("password")}>Another password<//>
      ${one.disabled ? html`<${Button} icon="check" onClick=${() => ask("enable")}>Enable<//>` : html`<${Button} kind="danger" icon="lock" onClick=${() => ask("disable")}>Disable<//>`}</div>`}
    <${Sessions} one=${one} changed=${changed} /><${TheirKeys} one=${one} changed=${changed} />
    ${asked === "password" && html`<${Confirm} title="Another password?" yes="Make one" danger=${false} onYes=${reset} onClose=${close}>
      <p>A new password is made and shown once. The old one and every session of ${one.name} end now; keys go on.</p><//>`}
    ${asked === "disable" && html`<${Confirm} title=${`Disable ${one.name}?`} yes="Disable" onYes=${able("disable", `${one.name} is disabled.`)} onClose=${close}>
      <p>Sessions end and keys stop at once. What they did stays on the record, and you can let them in again.</p><//>`}
    ${asked === "enable" && html`<${Confirm} title=${`Let ${one.name} in again?`} yes="Enable" danger=${false} onYes=${able("enable", `${one.name} may come in again.`)} onClose=${close}>
      <p>With the password and the keys that they had.</p><//>`}<//>`;
}

function Change({ one, path, known, changed }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const save = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setWrong("");
    try {
      await patch(path, read(new FormData(form)));
      form.elements.more.value = "";
      toast(`Changed: ${one.name} may do so from the next request on.`, { tone: "good" });
      changed();
    } catch (error) {
      setWrong(told(error));
    }
    setBusy(false);
  };
  return html`<form onSubmit=${save} novalidate key=${`${one.roles} ${one.teams}`}><${Roles} known=${known} held=${one.roles} teams=${one.teams} />
    ${wrong && html`<p class="error" role="alert">${wrong}</p>`}<${Button} type="submit" busy=${busy}>Save roles and teams<//></form>`;
}

function Sessions({ one, changed }) {
  const { data, error, again } = useLoad((signal) => get(url("/v1/sessions", { name: one.name }), { signal }), [one.name, one.sessions]);
  const end = async (path, words) => {
    try {
      await remove(path);
      toast(words, { tone: "good" });
      again();
      changed();
    } catch (failed) {
      toast(failed.what, { tone: "bad" });
    }
  };
  const all = data?.data ?? [];
  const columns = [
    { key: "browser", label: "Signed in", wide: true, render: (each) => html`${each.provider ? `by ${each.provider}` : "with a password"} <span class="dim break">${each.address}</span>` },
    { key: "used", label: "Last used", render: (each) => html`<${Time} ms=${each.used} />` },
    { key: "end", label: "", render: (each) => html`<${Button} small kind="danger" aria-label=${`End the session from ${each.address}`} onClick=${() => end(`/v1/sessions/${encodeURIComponent(each.id)}`, "That session has ended.")}>End<//>` },
  ];
  return html`<section class="stack"><div class="card-head"><h3>Sessions</h3>${all.length > 1 && html`<${Button} small kind="danger" onClick=${() => end(url("/v1/sessions", { name: one.name }), `${one.name} is signed out everywhere.`)}>Sign out everywhere<//>`}</div>
    ${error ? html`<${Failure} error=${error} retry=${again} />` : !data ? html`<${Loading} rows=${2} />`
      : all.length ? html`<${Table} caption=${`Sessions of ${one.name}`} columns=${columns} rows=${all} />` : html`<p class="dim">Signed in nowhere.</p>`}</section>`;
}

function TheirKeys({ one, changed }) {
  const { data, error, again } = useLoad((signal) => get(url("/v1/keys", { name: one.name }), { signal }), [one.name]);
  const revoke = async (key) => {
    await remove(`/v1/keys/${encodeURIComponent(key.id)}`);
    toast("That key is revoked.", { tone: "good" });
    again();
    changed();
  };
  return html`<section class="stack"><h3>API keys</h3>${error ? html`<${Failure} error=${error} retry=${again} />` : !data ? html`<${Loading} rows=${2} />`
    : data.data.length ? html`<${Keys} keys=${data.data} revoke=${revoke} caption=${`API keys of ${one.name}`} empty="No key holds" />` : html`<p class="dim">None.</p>`}</section>`;
}
