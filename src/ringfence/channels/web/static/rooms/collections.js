// Documents that the agent may search: who reads them, what is in them, and passages as a run would find them.
import { html, useEffect, useRef, useState } from "../lib/index.js";
import { get, post, remove, upload, url } from "../api.js";
import { rename, to } from "../router.js";
import { announce, toast } from "../state.js";
import { bytes, count, Exact, plural } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { openPassage } from "../components/passage.js";
import { Button, Card, Chip, Confirm, Empty, Failure, Field, LabelChips, Loading, Select, Table, useLoad } from "../components/ui.js";
import { useLater } from "./take.js";

const LOOK_MS = 500; // while a refresh is at work

export default function Collections({ route }) {
  return route.rest[0] ? html`<${One} key=${route.rest[0]} name=${route.rest[0]} route=${route} />` : html`<${All} route=${route} />`;
}

// Clauses of readers in words: [["role:hr", "role:ops"], ["user:alice"]] is "whoever is role:hr or role:ops, and is user:alice".
function rights(readers) {
  if (!readers?.length) return "Everyone who uses this agent may read it.";
  const clauses = readers.map((any) => (Array.isArray(any) ? any : [any]).map(person).join(" or "));
  return `Only ${clauses.join(", and of them only ")} may read it.`;
}

function person(reader) {
  const [kind, name] = String(reader).split(/:(.*)/s);
  const words = { role: `people with the role ${name}`, team: `the team ${name}`, user: name, tenant: `the house ${name}` };
  return name ? words[kind] ?? reader : reader;
}

function All({ route }) {
  const q = route.query.get("q") ?? "";
  const { data, error, loading, again } = useLoad((signal) => get("/v1/collections", { signal }), []);
  const rows = data?.data ?? [];
  return html`<div class="room"><${RoomHead} title="Collections" about="The documents that the agent may search for you. Rights are part of every search: what you may not read is not there." />
    ${rows.length > 0 && html`<${Search} q=${q} among=${rows.map((one) => one.name)} where=${route.query.get("in") ?? ""} />`}
    ${!data && loading && html`<${Loading} label="Loading the collections" rows=${5} />`}
    ${error && html`<${Failure} error=${error} retry=${again} />`}
    ${data && !rows.length && html`<${Empty} icon="collections" title="There are no documents for you here">
      The operator names folders under <code>knowledge.collections</code> of the manifest, and who may read them.<//>`}
    ${rows.length > 0 && !q && html`<ul class="grid cards">${rows.map((one) => html`<li key=${one.name} class="card">
      <h2><a href=${to("collections", one.name)}>${one.name}</a></h2>
      <p>${rights(one.readers)}</p>
      <p class="chips">${one.documents !== undefined && html`<${Chip}>${plural(one.documents, "document")}<//>`}
        <${Chip} tone=${one.trust === "operator" ? "operator" : "untrusted"}>${one.trust ?? "untrusted"}<//>${one.may_change && html`<${Chip} icon="upload">you may add<//>`}</p></li>`)}</ul>`}</div>`;
}

function Search({ q, among, where }) {
  const form = useRef(null);
  const apply = () => rename("collections", Object.fromEntries([...new FormData(form.current)].map(([name, value]) => [name, String(value).trim()])));
  const later = useLater(apply, 400);
  return html`<form class="filters" role="search" aria-label="Passages" ref=${form} onSubmit=${(event) => { event.preventDefault(); apply(); }}>
    <${Field} label="Search for passages" type="search" name="q" defaultValue=${q} onInput=${() => later()} maxlength="500" hint="By words and by meaning, as a run searches." />
    ${among.length > 1 && html`<${Select} label="In" name="in" value=${where} options=${[["", "All collections"], ...among.map((name) => [name, name])]} onChange=${apply} />`}
  </form>${q && html`<${Found} q=${q} where=${where} />`}`;
}

function Found({ q, where }) {
  const { data, error, loading, again } = useLoad((signal) => get(url("/v1/collections/search", { q, collection: where, limit: 12 }), { signal }), [q, where]);
  const rows = data?.data ?? [];
  useEffect(() => {
    if (data && !loading) announce(plural(rows.length, "passage"));
  }, [data]);
  if (error) return html`<${Failure} error=${error} retry=${again} />`;
  if (!data) return html`<${Loading} label="Searching" rows=${6} />`;
  if (!rows.length) return html`<${Empty} icon="search" title="No passage that you may read is like that">Try other words.<//>`;
  return html`<ol class="items found" aria-busy=${loading ? "true" : undefined}>${rows.map((one, n) => html`<li key=${`${one.document}:${one.start}`} class="item">
    <h3><button type="button" class="row-open" onClick=${() => openPassage({ n: n + 1, ...one, chars: [one.start, one.end], headings: headings(one) })}>${one.title || one.document}</button></h3>
    <p class="item-text excerpt"><${Exact} text=${one.text} /></p>
    <p class="chips"><${Chip}>${one.document}<//>${one.page > 0 && html`<${Chip}>page ${one.page}<//>`}${headings(one) && html`<${Chip}>${headings(one)}<//>`}<${LabelChips} label=${one} /></p></li>`)}</ol>`;
}

const headings = (one) => (Array.isArray(one.headings) ? one.headings.join(" › ") : one.headings ?? "");

function One({ name, route }) {
  const about = useLoad(async (signal) => (await get("/v1/collections", { signal })).data.find((one) => one.name === name) ?? null, [name]);
  const listed = useLoad((signal) => documents(name, signal), [name]);
  const [going, setGoing] = useState(null);
  const words = (route.query.get("q") ?? "").toLowerCase();
  const { job, begin } = useRefresh(name, about.data, () => { listed.again(); about.again(); });
  const all = listed.data ?? [];
  const rows = words ? all.filter((one) => `${one.path} ${one.title ?? ""}`.toLowerCase().includes(words)) : all;
  const found = about.data;
  const columns = COLUMNS.concat(found?.may_change ? [{ key: "del", label: "Delete", render: (one) => html`<${Button} small kind="quiet" icon="trash" label=${`Delete ${one.path}`} onClick=${() => setGoing(one)} />` }] : []);
  if (about.data === null && !about.loading) return html`<div class="room"><${Failure} title="There is no such collection" error=${{ what: `${name} is not among those that you may read.` }} /></div>`;
  return html`<div class="room"><p class="back"><a href=${to("collections")}>All collections</a></p>
    <${RoomHead} title=${name} about=${found ? rights(found.readers) : ""}>${found?.may_change && html`<${Button} icon="retry" busy=${job?.state === "running"} onClick=${begin}>Take in changes<//>`}<//>
    ${job && html`<${Job} job=${job} />`}
    ${found?.may_change && html`<${Uploads} name=${name} done=${begin} />`}
    ${all.length > 8 && html`<${Narrow} name=${name} words=${route.query.get("q") ?? ""} />`}
    ${!listed.data && listed.loading && html`<${Loading} label="Loading the documents" rows=${6} />`}
    ${listed.error && html`<${Failure} error=${listed.error} retry=${listed.again} />`}
    ${listed.data && !all.length && html`<${Empty} icon="collections" title="No document that you may read is in it">${found?.may_change ? "Add the first one above." : ""}<//>`}
    ${listed.data && all.length > 0 && !rows.length && html`<${Empty} icon="search" title="No document is named like that" />`}
    ${rows.length > 0 && html`<${Table} caption=${`Documents of ${name}`} columns=${columns} rows=${rows} rowKey=${(one) => one.path}
      onOpen=${(one) => openPassage({ n: one.path.split("/").at(-1), document: `${name}/${one.path}`, title: one.title || one.path, chars: [0, 8000] })} />`}
    ${going && html`<${Delete} name=${name} one=${going} done=${listed.again} onClose=${() => setGoing(null)} />`}</div>`;
}

async function documents(name, signal) {
  const found = [];
  let next;
  do {
    const page = await get(url(`/v1/collections/${encodeURIComponent(name)}/documents`, { limit: 200, after: next }), { signal });
    found.push(...page.data);
    next = page.next;
  } while (next && found.length < 5000);
  return found;
}

const COLUMNS = [
  { key: "path", label: "Document", wide: true, render: (one) => html`<span class="break"><${Exact} text=${one.path} /></span>` },
  { key: "title", label: "Title", hide: "phone", render: (one) => (one.title && one.title !== one.path ? html`<span class="clip break"><${Exact} text=${one.title} /></span>` : "") },
  { key: "label", label: "Rights", render: (one) => html`<${LabelChips} label=${one} />` },
];

function Narrow({ name, words }) {
  const later = useLater((value) => rename("collections", name, { q: value }), 250);
  return html`<${Field} label="Documents named" type="search" defaultValue=${words} onInput=${(event) => later(event.currentTarget.value)} />`;
}

function Delete({ name, one, done, onClose }) {
  const yes = async () => {
    await remove(`/v1/collections/${encodeURIComponent(name)}/documents/${one.path.split("/").map(encodeURIComponent).join("/")}`);
    toast(`${one.path} is gone.`, { tone: "good" });
    done();
  };
  return html`<${Confirm} title="Delete this document?" yes="Delete it" onYes=${yes} onClose=${onClose}>
    <p class="mono break"><${Exact} text=${one.path} /></p><p>Its file and its passages are destroyed. Runs that quoted it keep their record.</p><//>`;
}

// The collection's last refresh: begun here or elsewhere, and looked at until it has ended.
function useRefresh(name, found, done) {
  const [job, set] = useState(null);
  const path = `/v1/collections/${encodeURIComponent(name)}/refresh`;
  const running = job?.state === "running";
  useEffect(() => {
    if (found?.refresh?.state === "running") set(found.refresh);
  }, [found]);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => get(path).then((now) => {
      set(now);
      if (now.state !== "running") done();
    }, () => {}), LOOK_MS); // the banner says when the server does not answer; the next look follows
    return () => clearInterval(timer);
  }, [running]);
  const begin = async () => {
    try {
      set(await post(path));
    } catch (error) {
      toast([error.what, error.todo].filter(Boolean).join(". "), { tone: "bad" });
    }
  };
  return { job, begin };
}

function Job({ job }) {
  if (job.state === "running") {
    const share = job.total ? job.done / job.total : undefined;
    return html`<div role="status"><p>Taking in changes: ${count(job.done)} of ${plural(job.total, "file")}${job.name && html`, <span class="break"><${Exact} text=${job.name} /></span>`}</p>
      <progress max="1" value=${share} aria-label="Taking in changes"></progress></div>`;
  }
  if (job.state === "failed") return html`<${Failure} title="Not all was taken in" error=${{ what: job.fault }} />`;
  const { report } = job;
  const told = ["added", "changed", "removed", "unchanged"].filter((what) => report[what]).map((what) => `${count(report[what])} ${what}`).join(", ");
  return html`<${Card} title="What was taken in"><p role="status">${told || "Nothing has changed."}</p>
    <${Named} what="left out" files=${report.skipped} /><${Named} what="to be looked at" files=${report.notes} /><//>`;
}

function Named({ what, files }) {
  return files.length > 0 && html`<details open=${files.length < 6}><summary>${plural(files.length, "file")} ${what}</summary>
    <ul class="bare">${files.map((one, n) => html`<li key=${n}><span class="mono break"><${Exact} text=${one.name} /></span> <span class="dim">${one.why}</span></li>`)}</ul></details>`;
}

// Files chosen or dropped: each with its own line, one after the other, with what the server has of it.
function Uploads({ name, done }) {
  const [files, setFiles] = useState([]);
  const [over, setOver] = useState(false);
  const input = useRef(null);
  const readers = useRef(null);
  const change = (id, more) => setFiles((all) => all.map((one) => (one.id === id ? { ...one, ...more } : one)));
  const queue = useRef(Promise.resolve());
  const add = (chosen) => {
    const made = [...chosen].map((file) => ({ id: `${Date.now()}-${Math.random()}`, file, share: 0, stop: new AbortController() }));
    setFiles((all) => [...all, ...made]);
    queue.current = queue.current.then(async () => {
      let any = false;
      for (const one of made) any = (await send(one)) || any;
      if (any) done(); // one refresh for all of them
    });
  };
  const replace = (one) => {
    change(one.id, { error: null, share: 0 });
    queue.current = queue.current.then(() => send(one, true)).then((any) => any && done());
  };
  const send = async (one, instead = false) => {
    if (one.stop.signal.aborted) return false;
    const form = new FormData(); // fields first: the file is written as it comes
    if (readers.current?.value.trim()) form.append("readers", readers.current.value.trim());
    if (instead) form.append("replace", "true");
    form.append("file", one.file, one.file.name);
    try {
      await upload(`/v1/collections/${encodeURIComponent(name)}/documents`, form, { progress: (share) => change(one.id, { share }), signal: one.stop.signal });
      change(one.id, { share: 1, done: true });
      announce(`${one.file.name} was sent`);
      return true;
    } catch (error) {
      change(one.id, { error: error.name === "AbortError" ? { what: "stopped" } : error });
      return false;
    }
  };
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    add(event.dataTransfer.files);
  };
  return html`<${Card} title="Add documents"><div class=${`drop${over ? " over" : ""}`} onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
      <p>Drop files here, or</p><${Button} icon="upload" onClick=${() => input.current.click()}>Choose files<//>
      <input type="file" multiple hidden ref=${input} aria-label="Files to add" onChange=${(event) => { add([...event.currentTarget.files]); event.currentTarget.value = ""; }} /></div>
    <${Field} label="Who may read them" inputRef=${readers} hint="Such as role:hr, user:alice; empty: whoever may read the collection. Both have to allow." />
    ${files.length > 0 && html`<ul class="bare uploads">${files.map((one) => html`<li key=${one.id}><span class="break"><${Exact} text=${one.file.name} /></span> <span class="dim">${bytes(one.file.size)}</span>
      ${one.error ? html`<span class="error" role="alert">${[one.error.what, one.error.todo].filter(Boolean).join(". ")}</span>${one.error.status === 409 && html`<${Button} small onClick=${() => replace(one)}>Replace the one that is there<//>`}`
        : one.done ? html`<${Chip} tone="good" icon="check">sent<//>`
        : html`<progress max="1" value=${one.share} aria-label=${`Sending ${one.file.name}`}></progress><span class="dim">${one.share < 1 ? `${Math.round(one.share * 100)}%` : "being written"}</span>
          <${Button} small kind="quiet" icon="close" label=${`Stop sending ${one.file.name}`} onClick=${() => { one.stop.abort(); change(one.id, { error: { what: "stopped" } }); }} />`}</li>`)}</ul>`}<//>`;
}
