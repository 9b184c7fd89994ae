// One's own account: what one may, a new password, where one is signed in, and one's keys.
import { html, useState } from "../lib/index.js";
import { get, post, remove } from "../api.js";
import { session, toast, useStore } from "../state.js";
import { RoomHead } from "../components/head.js";
import { Keys, NewKey } from "./keys.js";
import { Button, Card, Chip, Failure, Field, Loading, Table, useLoad } from "../components/ui.js";
import { Time } from "../components/format.js";

const LEAST = 12; // characters; the server has the last word

export default function Account() {
  const who = useStore(session);
  return html`<div class="room narrow"><${RoomHead} title="Account" about=${`You are on record as ${who.subject}.`} />
    <${Card} title="What you may"><p class="chips">${(who.roles ?? []).length ? who.roles.map((role) => html`<${Chip} key=${role}>${role}<//>`) : "You have no roles."}</p>
      ${who.tenant && html`<p>Your house: <strong>${who.tenant}</strong></p>`}<//>
    ${who.password && html`<${Password} />`}<${Sessions} />${who.keys ? html`<${OwnKeys} roles=${who.roles ?? []} />` : html`<${Card} title="API keys">
      <p>Keys are of accounts of this server. You come by a provider or a proxy, or keys are switched off here.</p><//>`}</div>`;
}

function OwnKeys({ roles }) {
  const { data, error, again } = useLoad((signal) => get("/auth/keys", { signal }), []);
  const [making, make] = useState(false);
  const revoke = async (key) => {
    await remove(`/auth/keys/${encodeURIComponent(key.id)}`);
    toast("That key is revoked.", { tone: "good" });
    again();
  };
  return html`<${Card} title="API keys" aside=${html`<${Button} small icon="plus" onClick=${() => make(true)}>New key<//>`}>
    ${error ? html`<${Failure} error=${error} retry=${again} />` : !data ? html`<${Loading} rows=${2} />`
      : html`<${Keys} keys=${data.data} revoke=${revoke}>For programs and clients that act for you: never for more than you may yourself.<//>`}
    ${making && html`<${NewKey} roles=${roles} made=${again} onClose=${() => make(false)} />`}<//>`;
}

function Password() {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const [old, fresh, again] = ["old", "fresh", "again"].map((name) => form.elements[name].value);
    const found = {};
    if (!old) found.old = "Your present password is needed.";
    if (fresh.length < LEAST) found.fresh = `At least ${LEAST} characters; you have ${fresh.length}.`;
    else if (fresh !== again) found.again = "These two differ.";
    setWrong(found);
    if (Object.keys(found).length) {
      form.elements[Object.keys(found)[0]].focus();
      return;
    }
    setBusy(true);
    try {
      session.set(await post("/auth/password", { old, new: fresh })); // a new CSRF token comes with it
      form.reset();
      toast("Your password is changed. Other sessions of yours have ended.", { tone: "good" });
    } catch (error) {
      setWrong(error.status === 401 || error.status === 403 ? { old: error.what } : { fresh: [error.what, error.todo].filter(Boolean).join(". ") });
    } finally {
      setBusy(false);
    }
  };
  return html`<${Card} title="Password"><form onSubmit=${submit} novalidate>
    <${Field} label="Present password" name="old" type="password" autocomplete="current-password" error=${wrong.old} />
    <${Field} label="New password" name="fresh" type="password" autocomplete="new-password" hint=${`At least ${LEAST} characters. Several words are good.`} error=${wrong.fresh} />
    <${Field} label="New password again" name="again" type="password" autocomplete="new-password" error=${wrong.again} />
    <${Button} kind="primary" type="submit" busy=${busy}>Change the password<//></form><//>`;
}

// Where one is signed in. A browser that was left somewhere is signed out from here.
function Sessions() {
  const { data, error, again } = useLoad((signal) => get("/auth/sessions", { signal }), []);
  const end = async (path, words) => {
    try {
      await remove(path);
      toast(words, { tone: "good" });
      again();
    } catch (failed) {
      toast(failed.what, { tone: "bad" });
    }
  };
  const all = data?.data ?? [];
  const columns = [
    { key: "browser", label: "Browser", wide: true, render: (one) => html`${short(one.browser)} ${one.this && html`<${Chip} tone="accent">this one<//>`}` },
    { key: "used", label: "Last used", render: (one) => html`<${Time} ms=${one.used} />` },
    { key: "address", label: "From" },
    { key: "end", label: "", render: (one) => !one.this && html`<${Button} small kind="danger" onClick=${() => end(`/auth/sessions/${encodeURIComponent(one.id)}`, "That session has ended.")}>End<//>` },
  ];
  return html`<${Card} title="Where you are signed in" aside=${all.length > 1 && html`<${Button} small onClick=${() => end("/auth/sessions", "All other sessions have ended.")}>End all others<//>`}>
    ${error ? html`<${Failure} error=${error} retry=${again} />` : !data ? html`<${Loading} rows=${2} />`
      : html`<${Table} caption="Sessions" columns=${columns} rows=${all} />`}<//>`;
}

// "Mozilla/5.0 (X11; Linux x86_64) ... Chrome/139.0" is "Chrome, Linux".
function short(agent) {
  const browser = ["Edg", "Firefox", "Chrome", "Safari"].find((name) => (agent ?? "").includes(`${name}/`));
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"].find((name) => (agent ?? "").includes(name));
  return [browser === "Edg" ? "Edge" : browser, system].filter(Boolean).join(", ") || (agent ?? "").slice(0, 60) || "unknown";
}
