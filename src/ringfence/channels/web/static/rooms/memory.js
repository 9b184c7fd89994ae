// What the agent remembers of one: see it, search it, correct it, forget it, or let it out of quarantine.
import { html, useEffect, useMemo, useRef, useState } from "../lib/index.js";
import { get, patch, post, remove, url } from "../api.js";
import { go, rename, to } from "../router.js";
import { announce, toast } from "../state.js";
import { count, exact, Exact, plural, Time } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { Button, Chip, Confirm, Dialog, Empty, Failure, Field, LabelChips, Loading, Select, useLoad } from "../components/ui.js";
import { useLater } from "./take.js";

const STATES = [["", "In use"], ["quarantined", "In quarantine"], ["superseded", "Superseded"], ["all", "All"]];
const KINDS = [["", "Any kind"], ["fact", "Facts"], ["preference", "Preferences"], ["episode", "What happened"], ["procedure", "How things are done"]];
const SAID = { kept: "", quarantined: "in quarantine", superseded: "superseded" };
const whose = (scope) => (scope.startsWith("agent") ? "everyone who uses this agent" : scope.startsWith("user:") ? `of ${scope.slice(5)} alone` : `of ${scope}`);

export default function Memory({ route }) {
  const wanted = useMemo(() => Object.fromEntries(["q", "state", "kind"].map((name) => [name, route.query.get(name) ?? ""])),
    [route.query.toString()]);
  const { data, error, loading, again } = useLoad((signal) => items(wanted.q, signal), [wanted.q]);
  const all = data?.data ?? [];
  const held = all.filter((item) => item.state === "quarantined").length;
  const rows = all.filter((item) => shows(item, wanted));
  useEffect(() => {
    if (data && !loading) announce(plural(rows.length, "memory", "memories"));
  }, [data, wanted]);
  const off = error?.status === 409 || error?.status === 422; // the manifest remembers nothing
  return html`<div class="room"><${RoomHead} title="Memory" about="What the agent keeps of what you said, and of what it worked out. You see what you may read." />
    ${!off && html`<${Filters} wanted=${wanted} />`}
    ${held > 0 && wanted.state !== "quarantined" && html`<${Held} n=${held} wanted=${wanted} />`}
    ${!data && loading && html`<${Loading} label="Loading what is remembered" rows=${6} />`}
    ${error && html`<${Failure} error=${error} title=${off ? "Nothing is remembered here" : undefined} retry=${off ? undefined : again} />`}
    ${data && !error && !rows.length && html`<${Nothing} wanted=${wanted} any=${all.length > 0} />`}
    ${rows.length > 0 && html`<ul class="items">${rows.map((item) => html`<${Item} key=${item.id} item=${item} changed=${again} />`)}</ul>`}</div>`;
}

// All pages of them: a memory is a thing of hundreds, not of millions.
async function items(q, signal) {
  const data = [];
  let next;
  do {
    const page = await get(url("/v1/memory", { q, limit: 200, after: next }), { signal });
    data.push(...page.data);
    next = page.next;
  } while (next && data.length < 2000);
  return { data, next };
}

function shows(item, { state, kind }) {
  if (kind && item.kind !== kind) return false;
  if (state === "all") return true;
  return state ? item.state === state : item.state !== "superseded";
}

function Filters({ wanted }) {
  const form = useRef(null);
  const apply = () => rename("memory", Object.fromEntries([...new FormData(form.current)].map(([name, value]) => [name, String(value).trim()])));
  const later = useLater(apply, 300);
  return html`<form class="filters" role="search" aria-label="Memory" ref=${form} onSubmit=${(event) => { event.preventDefault(); apply(); }}>
    <${Field} label="With these words" type="search" name="q" defaultValue=${wanted.q} onInput=${() => later()} maxlength="200" />
    <${Select} label="State" name="state" value=${wanted.state} options=${STATES} onChange=${apply} />
    <${Select} label="Kind" name="kind" value=${wanted.kind} options=${KINDS} onChange=${apply} /></form>`;
}

function Held({ n, wanted }) {
  return html`<div class="note warn"><p><strong>${plural(n, "memory", "memories")} in quarantine.</strong>${" "}
    Made in runs that had read what nobody vouches for, and never recalled until you say so.</p>
    <${Button} small onClick=${() => go("memory", { ...wanted, state: "quarantined" })}>Look at ${n === 1 ? "it" : "them"}<//></div>`;
}

function Nothing({ wanted, any }) {
  if (wanted.state === "quarantined" && !wanted.q) return html`<${Empty} icon="check" title="Nothing is in quarantine">What is made from text that nobody vouches for would wait here for your word.<//>`;
  if (any || wanted.q) return html`<${Empty} icon="search" title="Nothing that is remembered is like that" action=${html`<${Button} onClick=${() => go("memory")}>Show all<//>`}>Try other words, or another state.<//>`;
  return html`<${Empty} icon="memory" title="Nothing is remembered yet">Say “Remember that the backup runs at 02:00”, and it will stand here.<//>`;
}

function Item({ item, changed }) {
  const [asking, ask] = useState("");
  const last = item.sayings?.at(-1) ?? {};
  const at = last.at ?? 0;
  const close = () => ask("");
  const quarantined = item.state === "quarantined";
  return html`<li class=${`item${quarantined ? " warn" : ""}${item.state === "superseded" ? " old" : ""}`}>
    <p class="item-text"><${Exact} text=${item.text} /></p>
    <p class="chips"><${Chip}>${item.kind}<//>${SAID[item.state] && html`<${Chip} tone=${quarantined ? "warn" : "plain"}>${SAID[item.state]}<//>`}
      <${Chip} title="whose it is">${whose(item.scope)}<//><${LabelChips} label=${item} /></p>
    <div class="item-foot"><p class="dim">${at > 0 && html`said <${Time} ms=${at} />`}${item.count > 1 && `, ${count(item.count)} times`}</p>
      <div class="actions"><${Button} small kind="quiet" onClick=${() => ask("source")}>Where from<//>
        ${quarantined && html`<${Button} small icon="check" onClick=${() => ask("promote")}>Vouch for it<//>`}
        ${item.state !== "superseded" && html`<${Button} small icon="edit" onClick=${() => ask("edit")}>Edit<//>`}
        <${Button} small kind="danger" icon="trash" onClick=${() => ask("forget")}>Forget<//></div></div>
    ${asking === "edit" && html`<${Edit} item=${item} changed=${changed} onClose=${close} />`}
    ${asking === "forget" && html`<${Forget} item=${item} changed=${changed} onClose=${close} />`}
    ${asking === "promote" && html`<${Promote} item=${item} changed=${changed} onClose=${close} />`}
    ${asking === "source" && html`<${Source} item=${item} onClose=${close} />`}</li>`;
}

const path = (item) => `/v1/memory/${encodeURIComponent(item.id)}`;
const quoted = (item) => html`<blockquote class="quote"><${Exact} text=${item.text} /></blockquote>`;

function Edit({ item, changed, onClose }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const save = async (event) => {
    event.preventDefault();
    const text = event.currentTarget.elements.text.value.trim();
    if (!text) return setWrong("Write what is to be remembered; to have nothing remembered, forget it.");
    setBusy(true);
    try {
      await patch(path(item), { text });
      toast("Changed. It now stands in your words.", { tone: "good" });
      onClose();
      changed();
    } catch (error) {
      setWrong([error.what, error.todo].filter(Boolean).join(". "));
      setBusy(false);
    }
    return undefined;
  };
  return html`<${Dialog} title="Edit a memory" onClose=${onClose}><form onSubmit=${save} novalidate>
    <${Field} label="What is remembered" name="text" multiline rows="4" maxlength="2000" defaultValue=${item.text} error=${wrong}
      hint="You vouch for the new words. The change is on the record, its text is not." />
    <div class="actions end"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" busy=${busy}>Save<//></div></form><//>`;
}

function Forget({ item, changed, onClose }) {
  const go = async () => {
    await remove(path(item));
    toast("Forgotten.", { tone: "good" });
    changed();
  };
  return html`<${Confirm} title="Forget this for good?" yes="Forget it" onYes=${go} onClose=${onClose}>${quoted(item)}
    <p>It is destroyed, with its vector and its note. Nobody can bring it back. Records of the runs that made it stay.</p><//>`;
}

function Promote({ item, changed, onClose }) {
  const go = async () => {
    await post(`${path(item)}/promote`);
    toast("You vouch for it: it is recalled from now on.", { tone: "good" });
    changed();
  };
  return html`<${Confirm} title="Do you vouch for this?" yes="I vouch for it" onYes=${go} onClose=${onClose}>${quoted(item)}
    <div class="note warn"><p><strong>It was made in a run that had read text which nobody vouches for.</strong>${" "}A page or a mail can hold
    words that were put there to be remembered. From now on this is recalled as your word, and your name stands beside it on the record.
    Vouch only for what you know to be true.</p></div><//>`;
}

function Source({ item, onClose }) {
  const sayings = item.sayings ?? [];
  return html`<${Dialog} title="Where it comes from" onClose=${onClose}>${quoted(item)}
    <dl class="facts"><dt>Id</dt><dd class="mono">${item.id}</dd><dt>Kind</dt><dd>${item.kind}</dd><dt>Whose</dt><dd>${whose(item.scope)}</dd>
      ${item.expires > 0 && html`<dt>Recalled until</dt><dd>${exact(item.expires)}</dd>`}
      ${item.promoted && html`<dt>Vouched for by</dt><dd>${item.promoted.by}</dd>`}
      ${item.superseded_by && html`<dt>Superseded by</dt><dd class="mono">${item.superseded_by}</dd>`}
      ${item.subjects?.length > 0 && html`<dt>About</dt><dd>${item.subjects.join(", ")}</dd>`}</dl>
    ${sayings.length > 0 && html`<h3>Said</h3><ul class="bare">${sayings.map((one, n) => html`<li key=${n}>
      <a href=${to("runs", one.run)} onClick=${onClose}>${exact(one.at)}</a> <span class="dim">by ${one.by}, made from what is ${one.trust}</span></li>`)}</ul>`}<//>`;
}
