// The log: whether it is what was written, its signed heads, and the proof of one record. For auditors.
import { html, useEffect, useRef, useState } from "../lib/index.js";
import { get, post, url } from "../api.js";
import { announce, session, toast, useStore } from "../state.js";
import { count, duration, exact, Exact, plural, Time } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { Icon } from "../components/icon.js";
import { headerOf, included, parsedHead } from "./proof.js";
import { Button, Card, Chip, Empty, Failure, Field, Loading, Sheet, StatusChip, Table, useLoad } from "../components/ui.js";
import { download } from "./take.js";

const LOOK_MS = 600; // while the log is being verified

export default function Audit() {
  const who = useStore(session);
  const may = (who?.roles ?? []).includes("role:auditor");
  const [index, setIndex] = useState("");
  const prove = (n) => {
    setIndex(String(n));
    document.getElementById("proof")?.scrollIntoView({ block: "start" });
  };
  return html`<div class="room"><${RoomHead} title="Audit" about="Every effect stands in one log whose records lead to signed heads. Whoever changes a record, changes a head." />
    ${may ? html`<${Verify} /><${Heads} /><${Proof} index=${index} key=${index} /><${Runs} prove=${prove} />`
      : html`<${Card} title="For auditors"><p>This room is for who holds <code>role:auditor</code>. Your own runs, with all that they did, stand under
        <a href="#/runs"> Runs</a>.</p><//>`}</div>`;
}

// A look that this or another auditor has begun goes on without us: it is asked after until it has ended.
function useCheck() {
  const [check, set] = useState(undefined); // null: none since the server began
  const [error, setError] = useState(null);
  const [turn, again] = useState(0);
  const running = check?.state === "running";
  useEffect(() => {
    const stop = new AbortController();
    get("/v1/audit/verify", { signal: stop.signal }).then((found) => { set(found); setError(null); }, (failed) => {
      if (stop.signal.aborted) return;
      if (failed.status === 404) set(null);
      else setError(failed);
    });
    return () => stop.abort();
  }, [turn]);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => again((n) => n + 1), LOOK_MS);
    return () => clearInterval(timer);
  }, [running]);
  const begin = async () => {
    setError(null);
    try {
      set(await post("/v1/audit/verify"));
    } catch (failed) {
      setError(failed);
    }
  };
  return { check, error, running, begin };
}

function Verify() {
  const { check, error, running, begin } = useCheck();
  const was = useRef(false);
  useEffect(() => {
    if (was.current && !running && check) announce(check.ok ? "The log is what was written" : "The log is not in order");
    was.current = running;
  }, [running]);
  const aside = !running && check !== undefined && html`<${Button} kind=${check ? "plain" : "primary"} icon="audit" onClick=${begin}>${check ? "Verify again" : "Verify now"}<//>`;
  return html`<${Card} title="Is the log what was written?" aside=${aside} tone=${check?.ok === false ? "bad" : ""}>
    ${(check === null || running) && html`<p>Every record is hashed anew, in its order, and compared with what the heads have signed.</p>`}
    ${check === undefined && !error && html`<${Loading} rows=${2} />`}
    ${running && html`<${Working} since=${check.started} by=${check.by} />`}
    ${error && html`<${Failure} error=${error} retry=${begin} />`}
    ${check?.state === "failed" && html`<${Failure} title="The log could not be read to its end" error=${{ what: check.fault || "something is wrong on the server: its log says what" }} />`}
    ${check?.report && html`<${Report} check=${check} />`}<//>`;
}

// It takes as long as the log is; nobody knows a share of it, so the time is what is shown.
function Working({ since, by }) {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return html`<div role="status"><p>Hashing every record for ${by}… <span class="dim" aria-hidden="true">${duration(Math.max(0, now - since))}</span></p>
    <progress class="bar-run" aria-label="Verifying the log"></progress></div>`;
}

function Report({ check }) {
  const { report, ok } = check;
  const word = !ok ? "not what was written" : report.findings.length ? "look at this" : "in order";
  const tone = !ok ? "bad" : report.findings.length ? "warn" : "good";
  return html`<div class="stack"><p class="verdict"><${Chip} tone=${tone} icon=${tone === "good" ? "check" : "warn"}>${word}<//>
      <span>${plural(report.records, "record")} of ${plural(report.runs, "run")}, in ${duration(check.ended - check.started)}, for ${check.by}, <${Time} ms=${check.ended} /></span></p>
    <dl class="facts"><dt>Under a signed head</dt><dd>${count(report.signed)} of ${count(report.records)}</dd>
      <dt>Known elsewhere</dt><dd>${count(report.anchored)} <span class="dim">(anchors and witnesses)</span></dd>
      ${report.destroyed > 0 && html`<dt>Erased</dt><dd>${plural(report.destroyed, "body", "bodies")}; their headers still prove that they were there</dd>`}
      ${report.sealed > 0 && html`<dt>Sealed</dt><dd>${count(report.sealed)} <span class="dim">(no key here: their headers were checked)</span></dd>`}
      <dt>Root</dt><dd class="mono break">${report.root}</dd></dl>
    ${report.findings.length > 0 && html`<ul class="bare findings">${report.findings.map((one, n) => html`<li key=${n}>
      <${Chip} tone=${one.sure ? "bad" : "warn"}>${one.code}<//> <${Exact} text=${one.text} /></li>`)}</ul>`}</div>`;
}

function Heads() {
  const log = useLoad((signal) => get("/v1/audit/head", { signal }), []);
  const listed = useLoad((signal) => get(url("/v1/audit/heads", { limit: 20 }), { signal }), []);
  const { data, loading } = listed;
  const failed = [log, listed].filter((one) => one.error);
  const heads = (data?.data ?? []).map((one) => ({ ...one, signers: parsedHead(one.note).signers }));
  const { records, head, keys = [], troubles = [] } = log.data ?? {};
  const actions = html`<a class="button" href="/v1/audit/export" download><${Icon} name="export" size=${18} /><span>Save headers and heads</span></a>`;
  return html`<${Card} title="Signed heads" aside=${heads.length > 0 && actions}>
    <p class="dim">A head says how long the log was, and its root. Keep some where nobody of this machine can reach them: a log alone cannot prove its own end.</p>
    ${troubles.map((one) => html`<div class="note warn" role="alert"><p>${one}</p></div>`)}
    ${log.data && html`<dl class="facts"><dt>Log</dt><dd class="mono break">${log.data.log}</dd><dt>Records</dt><dd>${count(records)}${head && records > head.size && html` <span class="dim">(${count(records - head.size)} of them under no head yet)</span>`}</dd>
      ${keys.length > 0 && html`<dt>Checked with</dt><dd class="mono break">${keys.join(" ")}</dd>`}</dl>`}
    ${!data && loading && html`<${Loading} label="Loading the heads" />`}
    ${failed.length > 0 && html`<${Failure} error=${failed[0].error} retry=${() => failed.forEach((one) => one.again())} />`}
    ${data && !heads.length && html`<${Empty} icon="audit" title="No head was signed yet">The end of a run makes one.<//>`}
    ${heads.length > 0 && html`<${Table} caption="Signed heads, the newest first" columns=${HEADS} rows=${heads} rowKey=${(one) => one.note} />`}<//>`;
}

const HEADS = [
  { key: "size", label: "Records", num: true, render: (one) => count(one.size) },
  { key: "time", label: "Signed", render: (one) => html`<${Time} ms=${one.time} />` },
  { key: "root", label: "Root", wide: true, render: (one) => html`<span class="mono break">${one.root.slice(0, 32)}…</span>` },
  { key: "by", label: "By", least: true, hide: "phone", render: (one) => one.signers.join(", ") },
  { key: "save", label: "File", render: (one) => html`<${Button} small kind="quiet" icon="export" label=${`Save the head over ${one.size} records`} onClick=${() => download(`head-${one.size}.note`, one.note)} />` },
];

function Proof({ index }) {
  const [state, set] = useState({});
  useEffect(() => {
    if (index) show(index);
  }, []);
  const submit = (event) => {
    event.preventDefault();
    show(event.currentTarget.elements.index.value.trim());
  };
  const show = async (given) => {
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
  return html`<${Card} title="The proof of one record" id="proof">
    <p class="dim">It shows, with a few hashes and without the rest of the log, that a record stands under a signed head.</p>
    <form class="row" onSubmit=${submit} novalidate><${Field} label="Number of the record" name="index" inputmode="numeric" defaultValue=${index} error=${state.wrong} />
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

function Runs({ prove }) {
  const [open, setOpen] = useState(null);
  const [more, setMore] = useState([]);
  const [next, setNext] = useState(undefined);
  const { data, error, loading, again } = useLoad((signal) => get(url("/v1/audit/runs", { limit: 20 }), { signal }), []);
  const rows = [...(data?.data ?? []), ...more];
  const place = next === undefined ? data?.next : next;
  const older = async () => {
    try {
      const page = await get(url("/v1/audit/runs", { limit: 50, before: place }));
      setMore((all) => [...all, ...page.data]);
      setNext(page.next);
    } catch (failed) {
      toast(failed.what, { tone: "bad" });
    }
  };
  return html`<${Card} title="Every run, without its words"><p class="dim">Whose it is, which calls were made, which rule decided, when. Never what was said.</p>
    ${!data && loading && html`<${Loading} label="Loading the runs" />`}
    ${error && html`<${Failure} error=${error} retry=${again} />`}
    ${rows.length > 0 && html`<${Table} caption="Runs of everybody, the newest first" columns=${RUNS} rows=${rows} onOpen=${setOpen} />`}
    ${place != null && html`<p class="more"><${Button} onClick=${older}>Show older runs<//></p>`}
    ${open && html`<${Sheet} title=${`Run ${open.id.slice(0, 12)}`} onClose=${() => setOpen(null)}><${View} run=${open} prove=${(index) => { setOpen(null); prove(index); }} /><//>`}<//>`;
}

const RUNS = [
  { key: "id", label: "Run", render: (one) => html`<code>${one.id.slice(0, 16)}</code>` },
  { key: "principal", label: "Whose", wide: true },
  { key: "status", label: "Status", render: (one) => html`<${StatusChip} status=${one.status} />` },
  { key: "started", label: "Began", render: (one) => html`<${Time} ms=${one.started} />` },
  { key: "records", label: "Records", num: true, hide: "phone", render: (one) => count(one.records) },
];

function View({ run, prove }) {
  const { data, error, loading, again } = useLoad((signal) => get(`/v1/audit/runs/${encodeURIComponent(run.id)}`, { signal }), [run.id]);
  if (loading) return html`<${Loading} rows=${6} />`;
  if (error) return html`<${Failure} error=${error} retry=${again} />`;
  return html`<p class="chips"><${Chip}>${run.principal}<//><${StatusChip} status=${run.status} /><${Chip}>${plural(run.records, "record")}<//></p>
    <ol class="items">${data.data.map((one) => html`<li key=${one.seq} class="item"><p class="chips"><${Chip} tone="accent">${one.seq}<//><strong>${one.kind}</strong> <span class="dim">${exact(one.time)}</span></p>
      <p class="mono break small"><${Exact} text=${brief(one.view)} /></p>${one.shown != null && html`<details><summary>As it was redacted</summary><pre class="wrap"><${Exact} text=${typeof one.shown === "string" ? one.shown : JSON.stringify(one.shown, null, 1)} /></pre></details>`}
      ${one.index != null && html`<p><${Button} small kind="quiet" icon="audit" onClick=${() => prove(one.index)}>Its proof<//></p>`}</li>`)}</ol>
    ${data.next != null && html`<p class="dim">The first ${plural(data.data.length, "record")} are shown; the export has all.</p>`}`;
}

const brief = (view) => Object.entries(view ?? {}).map(([key, value]) => `${key}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join("; ").slice(0, 600);
