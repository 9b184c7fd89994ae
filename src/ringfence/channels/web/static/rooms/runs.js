// One's runs: find one, look at it, take it along. `#/runs` lists, `#/runs/ID` shows one.
import { html, useEffect, useMemo, useRef, useState } from "../lib/index.js";
import { follow, get, url } from "../api.js";
import { go, rename } from "../router.js";
import { announce, toast, useNews } from "../state.js";
import { count, duration, plural, Time } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { RunView } from "../components/run.js";
import { Button, Empty, Failure, Field, Loading, Select, StatusChip, Table, useLoad } from "../components/ui.js";
import { download, useLater } from "./take.js";

const PAGE = 30;
const MOST_PAGES = 20; // that are looked through for one screen; then the reader is asked whether to go on
const AGAIN_MS = 5000; // while one of the runs shown is at work
const DAY_MS = 86_400_000;
const STATES = [
  ["", "Any status"],
  ["running", "Running"],
  ["queued", "Queued"],
  ["waiting", "Waiting for a person"],
  ["done", "Done"],
  ["partial", "Partly done"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
  ["interrupted", "Interrupted"],
  ["uncertain", "Uncertain"],
];
const AT_WORK = new Set(["running", "queued", "open"]);

export default function Runs({ route }) {
  return route.rest[0] ? html`<${One} key=${route.rest[0]} id=${route.rest[0]} />` : html`<${List} route=${route} />`;
}

const wantedOf = (query) => Object.fromEntries(["q", "status", "from", "to"].map((name) => [name, query.get(name) ?? ""]));

// A day as the reader's own clock has it; NaN for what is no day.
const dayOf = (text) => (text ? new Date(`${text}T00:00:00`).getTime() : NaN);

// Runs that are wanted, from behind `before` on: {data, next}. The API knows words and states; days are looked at here.
async function find(wanted, before, signal) {
  const since = dayOf(wanted.from);
  const until = dayOf(wanted.to) + DAY_MS;
  const found = [];
  let next = before;
  for (let n = 0; n < MOST_PAGES && found.length < PAGE; n++) {
    const page = await get(url("/v1/runs", { limit: PAGE, before: next, q: wanted.q, status: wanted.status }), { signal });
    next = page.next ?? null;
    for (const run of page.data) {
      if (run.started < since) return { data: found, next: null }; // the newest come first
      if (!(run.started >= until)) found.push(run);
    }
    if (next === null) break;
  }
  return { data: found, next };
}

function List({ route }) {
  const wanted = useMemo(() => wantedOf(route.query), [route.query.toString()]);
  const [more, setMore] = useState({ data: [], next: undefined, busy: false });
  const { data, error, loading, again } = useLoad((signal) => find(wanted, undefined, signal), [wanted]);
  useEffect(() => setMore({ data: [], next: undefined, busy: false }), [wanted]);
  useEffect(() => {
    if (data && !loading) announce(plural(data.data.length, "run"));
  }, [data]);
  const seen = new Set((data?.data ?? []).map((run) => run.id));
  const rows = [...(data?.data ?? []), ...more.data.filter((run) => !seen.has(run.id))];
  const busy = rows.some((run) => AT_WORK.has(run.status));
  useEffect(() => {
    if (!busy) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && again(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [busy]);
  useNews(({ what }) => (what === "runs" || what === "approvals") && again());
  const next = more.next === undefined ? data?.next : more.next;
  const on = async () => {
    setMore((now) => ({ ...now, busy: true }));
    try {
      const page = await find(wanted, next);
      setMore((now) => ({ data: [...now.data, ...page.data], next: page.next, busy: false }));
      announce(`${plural(page.data.length, "more run")}`);
    } catch (failed) {
      toast(failed.what, { tone: "bad" });
      setMore((now) => ({ ...now, busy: false }));
    }
  };
  const filtered = Object.values(wanted).some(Boolean);
  return html`<div class="room"><${RoomHead} title="Runs" about="Everything that you have asked for, the newest first.">
      <${Button} kind="primary" icon="plus" onClick=${() => go("chat")}>New task<//><//>
    <${Filters} wanted=${wanted} />
    ${!data && loading && html`<${Loading} label="Loading your runs" rows=${6} />`}
    ${error && !rows.length && html`<${Failure} error=${error} retry=${again} />`}
    ${data && !rows.length && !error && html`<${Nothing} filtered=${filtered} next=${next} />`}
    ${rows.length > 0 && html`<${Table} caption="Your runs" columns=${COLUMNS} rows=${rows} onOpen=${(run) => go("runs", run.id)} />`}
    ${next != null && data && html`<p class="more"><${Button} busy=${more.busy} onClick=${on}>Show older runs<//></p>`}</div>`;
}

const COLUMNS = [
  { key: "task", label: "Task", wide: true, render: (run) => html`<span class="clip">${run.task || "(not yours to read)"}</span>` },
  { key: "status", label: "Status", render: (run) => html`<${StatusChip} status=${run.status} />` },
  { key: "started", label: "Started", render: (run) => html`<${Time} ms=${run.started} />` },
  { key: "took", label: "Took", num: true, hide: "phone", render: (run) => (run.ended && !AT_WORK.has(run.status) ? duration(run.ended - run.started) : "") },
  { key: "records", label: "Records", num: true, hide: "phone", render: (run) => count(run.records ?? 0) },
];

function Nothing({ filtered, next }) {
  if (filtered) {
    const title = next == null ? "No run of yours is like that" : "None of the newest runs is like that";
    return html`<${Empty} icon="search" title=${title} action=${html`<${Button} onClick=${() => go("runs")}>Show all runs<//>`}>
      The words are looked for in the task. Try fewer of them, or other days.<//>`;
  }
  return html`<${Empty} icon="runs" title="You have asked for nothing yet" action=${html`<${Button} kind="primary" onClick=${() => go("chat")}>Ask something<//>`}>
    Each task becomes a run: its steps, decisions and results stay on record here.<//>`;
}

function Filters({ wanted }) {
  const form = useRef(null);
  const apply = () => {
    const given = new FormData(form.current);
    rename("runs", Object.fromEntries([...given].map(([name, value]) => [name, String(value).trim()])));
  };
  const later = useLater(apply, 300);
  const days = wanted.from && wanted.to && wanted.from > wanted.to ? "The first day comes after the last one." : "";
  return html`<form class="filters" role="search" aria-label="Runs" ref=${form} onSubmit=${(event) => { event.preventDefault(); apply(); }}>
    <${Field} label="Words of the task" type="search" name="q" defaultValue=${wanted.q} onInput=${() => later()} maxlength="200" />
    <${Select} label="Status" name="status" value=${wanted.status} options=${STATES} onChange=${apply} />
    <${Field} label="From" type="date" name="from" defaultValue=${wanted.from} onChange=${apply} error=${days} />
    <${Field} label="To" type="date" name="to" defaultValue=${wanted.to} onChange=${apply} /></form>`;
}

function One({ id }) {
  const [busy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    try {
      download(`run-${id}.json`, JSON.stringify(await whole(id), null, 2), "application/json");
    } catch (error) {
      toast(`The run was not saved: ${error.what}`, { tone: "bad" });
    } finally {
      setBusy(false);
    }
  };
  return html`<${RunView} id=${id} more=${html`<${Button} icon="export" busy=${busy} onClick=${take}>Save as JSON<//>`} />`;
}

// A run with its result and every record of it that one may read; what events cut short is asked for whole.
async function whole(id) {
  const path = `/v1/runs/${encodeURIComponent(id)}`;
  const run = await get(path);
  const records = [];
  const stop = new AbortController();
  await follow(`${path}/events`, (kind, event) => {
    if (kind === "reset") records.length = 0;
    if (event.seq === undefined) return;
    records.push(event);
    if (records.length >= run.records) stop.abort(); // one that is at work goes on without us
  }, { signal: stop.signal });
  for (const [n, event] of records.entries()) {
    if (JSON.stringify(event).includes('{"cut":')) records[n] = await get(`${path}/records/${event.seq}`);
  }
  return { run, records };
}
