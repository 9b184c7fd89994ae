// The log: whether it is what was written, its signed heads, and the proof of one record. For auditors.
import { html, useEffect, useRef, useState } from "../lib/index.js";
import { get, post, url } from "../api.js";
import { announce, session, useStore } from "../state.js";
import { count, duration, exact, Exact, plural, Time } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { headerOf, included, parsedHead } from "../components/proof.js";
import { Button, Card, Chip, Empty, Failure, Field, Loading, StatusChip, Table, useLoad } from "../components/ui.js";
import { download } from "../components/take.js";

export default function Audit() {
  const who = useStore(session);
  const may = (who?.roles ?? []).includes("role:auditor");
  return html`<div class="room"><${RoomHead} title="Audit" about="Every effect stands in one log whose records lead to signed heads. Whoever changes a record, changes a head." />
    ${may ? html`<${Verify} /><${Heads} /><${Proof} /><${Runs} />`
      : html`<${Card} title="For auditors"><p>This room is for who holds <code>role:auditor</code>. Your own runs, with all that they did, stand under
        <a href="#/runs"> Runs</a>.</p><//>`}</div>`;
}

function Verify() {
  const [state, set] = useState({});
  const stop = useRef(null);
  useEffect(() => () => stop.current?.abort(), []);
  const go = async () => {
    stop.current = new AbortController();
    const began = Date.now();
    set({ began });
    try {
      const report = await post("/v1/audit/verify", {}, { signal: stop.current.signal, patience: 600_000 });
      set({ report, took: Date.now() - began, at: Date.now() });
      announce(report.ok ? "The log is what was written" : "The log is not in order");
    } catch (error) {
      if (!stop.current.signal.aborted) set({ error });
    }
  };
  const cancel = () => {
    stop.current?.abort();
    set({});
  };
  const { began, report, error } = state;
  const aside = began && !report && !error ? html`<${Button} small onClick=${cancel}>Stop waiting<//>`
    : html`<${Button} kind=${report ? "plain" : "primary"} icon="audit" onClick=${go}>${report ? "Verify again" : "Verify now"}<//>`;
  return html`<${Card} title="Is the log what was written?" aside=${aside} tone=${report && !report.ok ? "bad" : ""}>
    ${!began && !report && !error && html`<p>Every record is hashed anew, in its order, and compared with what the heads have signed.</p>`}
    ${began && !report && !error && html`<${Working} since=${began} />`}
    ${error && html`<${Failure} error=${error} retry=${go} />`}
    ${report && html`<${Report} report=${report} took=${state.took} at=${state.at} />`}<//>`;
}

// It takes as long as the log is; the server says no share of it, so the time is what is shown.
function Working({ since }) {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return html`<div role="status"><p>Hashing every record… <span class="dim" aria-hidden="true">${duration(Math.max(0, now - since))}</span></p>
    <progress class="bar-run" aria-label="Verifying the log"></progress></div>`;
}

function Report({ report, took, at }) {
  const findings = report.findings ?? [];
  return html`<div class="stack"><p class=${`verdict ${report.ok ? "good" : "bad"}`}><${Chip} tone=${report.ok ? (findings.length ? "warn" : "good") : "bad"} icon=${report.ok && !findings.length ? "check" : "warn"}>
      ${report.ok ? (findings.length ? "look at this" : "in order") : "not what was written"}<//>
      <span>${plural(report.records, "record")} of ${plural(report.runs, "run")}, in ${duration(took)}, <${Time} ms=${at} /></span></p>
    <dl class="facts"><dt>Under a signed head</dt><dd>${count(report.signed ?? 0)} of ${count(report.records)}</dd>
      <dt>Known elsewhere</dt><dd>${count(report.anchored ?? 0)} <span class="dim">(anchors and witnesses)</span></dd>
      ${report.destroyed > 0 && html`<dt>Erased</dt><dd>${plural(report.destroyed, "body", "bodies")}; their headers still prove that they were there</dd>`}
      ${report.sealed > 0 && html`<dt>Sealed</dt><dd>${count(report.sealed)} <span class="dim">(no key here: their headers were checked)</span></dd>`}
      <dt>Root</dt><dd class="mono break">${report.root}</dd></dl>
    ${findings.length > 0 && html`<ul class="bare findings">${findings.map((one, n) => html`<li key=${n}>
      <${Chip} tone=${one.sure === false ? "warn" : "bad"}>${one.code}<//> <${Exact} text=${one.text} />${one.todo && html`<span class="todo"> ${one.todo}</span>`}</li>`)}</ul>`}</div>`;
}

function Heads() {
  const { data, error, loading, again } = useLoad((signal) => get(url("/v1/audit/heads", { limit: 200 }), { signal }), []);
  const heads = (data?.data ?? []).map((one) => ({ ...one, ...parsedHead(one.note) })).sort((a, b) => b.size - a.size);
  const take = () => download("heads.txt", heads.map((one) => one.note).join("\n"));
  return html`<${Card} title="Signed heads" aside=${heads.length > 0 && html`<${Button} icon="export" onClick=${take}>Save all<//>`}>
    <p class="dim">A head says how long the log was, and its root. Keep some where nobody of this machine can reach them: a log alone cannot prove its own end.</p>
    ${!data && loading && html`<${Loading} label="Loading the heads" />`}
    ${error && html`<${Failure} error=${error} retry=${again} />`}
    ${data && !heads.length && html`<${Empty} icon="audit" title="No head was signed yet">The end of a run makes one.<//>`}
    ${heads.length > 0 && html`<${Table} caption="Signed heads, the newest first" columns=${HEADS} rows=${heads.slice(0, 50)} rowKey=${(one) => one.size} />`}<//>`;
}

const HEADS = [
  { key: "size", label: "Records", num: true, render: (one) => count(one.size) },
  { key: "time", label: "Signed", render: (one) => html`<${Time} ms=${one.time} />` },
  { key: "root", label: "Root", wide: true, render: (one) => html`<span class="mono break">${one.root}</span>` },
  { key: "by", label: "By", render: (one) => one.signers.join(", ") },
  { key: "save", label: "", render: (one) => html`<${Button} small kind="quiet" icon="export" label=${`Save the head over ${one.size} records`} onClick=${() => download(`head-${one.size}.note`, one.note)} />` },
];

function Proof() {
  const [state, set] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const given = event.currentTarget.elements.index.value.trim();
    if (!/^\d{1,15}$/.test(given)) return set({ wrong: "Write the number of a record: the first one is 0." });
    set({ busy: true });
    try {
      const proof = await get(`/v1/audit/records/${given}/proof`);
      set({ proof, checked: await included(proof) });
    } catch (error) {
      set({ error });
    }
    return undefined;
  };
  return html`<${Card} title="The proof of one record">
    <p class="dim">It shows, with a few hashes and without the rest of the log, that a record stands under a signed head.</p>
    <form class="row" onSubmit=${submit} novalidate><${Field} label="Number of the record" name="index" inputmode="numeric" error=${state.wrong} />
      <${Button} type="submit" busy=${state.busy}>Show the proof<//></form>
    ${state.error && html`<${Failure} error=${state.error} />`}
    ${state.proof && html`<${Shown} proof=${state.proof} checked=${state.checked} />`}<//>`;
}

function Shown({ proof, checked }) {
  const head = parsedHead(proof.head);
  const header = headerOf(proof.header);
  const take = () => download(`proof-${proof.index}.json`, JSON.stringify(proof, null, 1), "application/json");
  return html`<div class="stack" role="status"><p class="verdict"><${Chip} tone=${checked === null ? "plain" : checked ? "good" : "bad"} icon=${checked ? "check" : "warn"}>
      ${checked === null ? "not checked here" : checked ? "it holds" : "it does not hold"}<//>
      <span>${checked === null ? "This browser computes no hashes on this address." : `Computed in this browser: ${proof.path.length} hashes lead from record ${count(proof.index)} to ${checked ? "" : "another root than "}the root of the head over ${count(proof.size)}.`}</span></p>
    <dl class="facts"><dt>Record</dt><dd>${header ? `${header.kind}, ${header.run}:${header.seq}, ${exact(header.time)}` : count(proof.index)}</dd>
      <dt>Hash of it</dt><dd class="mono break">${proof.leaf}</dd><dt>Head</dt><dd>${plural(head.size, "record")}, signed by ${head.signers.join(", ")}</dd></dl>
    <details><summary>The way to the root</summary><ol class="bare mono break">${proof.path.map((hash, n) => html`<li key=${n}>${hash}</li>`)}</ol></details>
    <details><summary>The record’s header, as it was hashed</summary><pre class="wrap"><${Exact} text=${proof.header} /></pre></details>
    <details><summary>The head</summary><pre class="wrap"><${Exact} text=${proof.head} /></pre></details>
    <p class="actions"><${Button} icon="export" onClick=${take}>Save the proof<//></p>
    <p class="dim">Whether the head’s signature is the right one, a browser that got it from the same server cannot say:
      check the file with the public key that you were given, <code>python verify_proof.py proof-${proof.index}.json --key KEY</code>.</p></div>`;
}

function Runs() {
  const [id, set] = useState("");
  const submit = (event) => {
    event.preventDefault();
    set(event.currentTarget.elements.run.value.trim());
  };
  return html`<${Card} title="A run, as the log shows it to auditors"><p class="dim">Which call, which rule, when, by whom: never what was said.</p>
    <form class="row" onSubmit=${submit}><${Field} label="Id of the run" name="run" /><${Button} type="submit">Show the run<//></form>
    ${id && html`<${View} key=${id} id=${id} />`}<//>`;
}

function View({ id }) {
  const { data, error, loading, again } = useLoad((signal) => get(`/v1/audit/runs/${encodeURIComponent(id)}`, { signal }), [id]);
  if (loading) return html`<${Loading} />`;
  if (error) return html`<${Failure} error=${error} retry=${again} />`;
  const rows = data.records ?? data.data ?? [];
  return html`<p class="chips">${data.principal && html`<${Chip}>${data.principal}<//>`}${data.status && html`<${StatusChip} status=${data.status} />`}<${Chip}>${plural(rows.length, "record")}<//></p>
    <${Table} caption=${`Records of run ${id}`} columns=${RECORDS} rows=${rows} rowKey=${(one) => one.seq} />`;
}

const RECORDS = [
  { key: "seq", label: "No.", num: true },
  { key: "time", label: "When", render: (one) => exact(one.time) },
  { key: "kind", label: "Kind" },
  { key: "view", label: "On record", wide: true, render: (one) => html`<span class="mono break"><${Exact} text=${brief(one.view ?? {})} /></span>` },
];

const brief = (view) => Object.entries(view).map(([key, value]) => `${key}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join("; ").slice(0, 600);
