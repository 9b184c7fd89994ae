// Documents that the agent may search: who reads them, what is in them, and passages as a run would find them.
import { html, useEffect, useRef, useState } from "../lib/index.js";
import { get, post, remove, upload, url } from "../api.js";
import { rename, to } from "../router.js";
import { announce, toast } from "../state.js";
import { bytes, count, Exact, plural } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { openPassage } from "../components/passage.js";
import { Button, Card, Chip, Confirm, Empty, Failure, Field, LabelChips, Loading, Select, Table, useLoad } from "../components/ui.js";
import { useLater } from "../components/take.js";

export default function Collections({ route }) {
  return route.rest[0] ? html`<${One} key=${route.rest[0]} name=${route.rest[0]} route=${route} />` : html`<${All} route=${route} />`;
}

// Clauses of readers in words: [["role:hr", "role:ops"], ["user:alice"]] is "whoever is role:hr or role:ops, and is user:alice".
export function rights(readers) {
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
        <${Chip} tone=${one.trust === "operator" ? "operator" : "untrusted"}>${one.trust ?? "untrusted"}<//>${one.writable && html`<${Chip} icon="upload">you may add<//>`}</p></li>`)}</ul>`}</div>`;
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
    <p class="chips"><${Chip}>${one.document}<//>${one.page > 0 && html`<${Chip}>page ${one.page}<//>`}${headings(one) && html`<${Chip}>${headings(one)}<//>`}<${LabelChips} label=${one.label} /></p></li>`)}</ol>`;
}

const headings = (one) => (Array.isArray(one.headings) ? one.headings.join(" › ") : one.headings ?? "");

function One({ name, route }) {
  const about = useLoad(async (signal) => (await get("/v1/collections", { signal })).data.find((one) => one.name === name) ?? null, [name]);
  const listed = useLoad((signal) => documents(name, signal), [name]);
  const [going, setGoing] = useState(null);
  const [busy, setBusy] = useState(false);
  const [report, setReport] = useState(null);
  const words = (route.query.get("q") ?? "").toLowerCase();
  const all = listed.data ?? [];
  const rows = words ? all.filter((one) => `${one.path} ${one.title ?? ""}`.toLowerCase().includes(words)) : all;
  const found = about.data;
  const refresh = async () => {
    setBusy(true);
    try {
      setReport(await post(`/v1/collections/${encodeURIComponent(name)}/refresh`, undefined, { patience: 600_000 }));
      listed.again();
      about.again();
    } catch (error) {
      toast([error.what, error.todo].filter(Boolean).join(". "), { tone: "bad" });
    } finally {
      setBusy(false);
    }
  };
  const columns = COLUMNS.concat(found?.writable ? [{ key: "del", label: "", render: (one) => html`<${Button} small kind="quiet" icon="trash" label=${`Delete ${one.path}`} onClick=${() => setGoing(one)} />` }] : []);
  if (about.data === null && !about.loading) return html`<div class="room"><${Failure} title="There is no such collection" error=${{ what: `${name} is not among those that you may read.` }} /></div>`;
  return html`<div class="room"><p class="back"><a href=${to("collections")}>All collections</a></p>
    <${RoomHead} title=${name} about=${found ? rights(found.readers) : ""}>${found?.writable && html`<${Button} icon="retry" busy=${busy} onClick=${refresh}>Take in changes<//>`}<//>
    ${busy && html`<progress class="bar-run" aria-label="Taking in changes"></progress>`}
    ${report && html`<${Report} report=${report} />`}
    ${found?.writable && html`<${Uploads} name=${name} done=${() => { listed.again(); about.again(); }} />`}
    ${all.length > 8 && html`<${Narrow} name=${name} words=${route.query.get("q") ?? ""} />`}
    ${!listed.data && listed.loading && html`<${Loading} label="Loading the documents" rows=${6} />`}
    ${listed.error && html`<${Failure} error=${listed.error} retry=${listed.again} />`}
    ${listed.data && !all.length && html`<${Empty} icon="collections" title="No document that you may read is in it">${found?.writable ? "Add the first one above." : ""}<//>`}
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
  { key: "title", label: "Title", hide: "phone", render: (one) => (one.title && one.title !== one.path ? html`<${Exact} text=${one.title} />` : "") },
  { key: "label", label: "Rights", render: (one) => html`<${LabelChips} label=${one.label} />` },
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

function Report({ report }) {
  const list = report.data ?? (Array.isArray(report) ? report : [report]);
  return html`<${Card} title="What was taken in">${list.map((one) => html`<div key=${one.collection} class="stack" role="status">
    <p>${["added", "changed", "removed", "unchanged"].filter((what) => one[what]).map((what) => `${count(one[what])} ${what}`).join(", ") || "Nothing has changed."}</p>
    ${one.skipped?.length > 0 && html`<details open=${one.skipped.length < 6}><summary>${plural(one.skipped.length, "file")} left out</summary>
      <ul class="bare">${one.skipped.map((each, n) => { const [file, why] = Array.isArray(each) ? each : [each.name ?? each.file, each.why];
        return html`<li key=${n}><span class="mono break"><${Exact} text=${String(file)} /></span> <span class="dim">${why}</span></li>`; })}</ul></details>`}</div>`)}<//>`;
}

// Files chosen or dropped: each with its own line, one after the other, with what the server has of it.
function Uploads({ name, done }) {
  const [files, setFiles] = useState([]);
  const [over, setOver] = useState(false);
  const input = useRef(null);
  const change = (id, more) => setFiles((all) => all.map((one) => (one.id === id ? { ...one, ...more } : one)));
  const queue = useRef(Promise.resolve());
  const add = (chosen) => {
    for (const file of chosen) {
      const one = { id: `${Date.now()}-${Math.random()}`, file, share: 0, stop: new AbortController() };
      setFiles((all) => [...all, one]);
      queue.current = queue.current.then(() => send(one));
    }
  };
  const send = async (one) => {
    if (one.stop.signal.aborted) return;
    const form = new FormData();
    form.append("file", one.file, one.file.name);
    try {
      await upload(`/v1/collections/${encodeURIComponent(name)}/documents`, form, { progress: (share) => change(one.id, { share }), signal: one.stop.signal });
      change(one.id, { share: 1, done: true });
      announce(`${one.file.name} is in`);
      done();
    } catch (error) {
      change(one.id, { error: error.name === "AbortError" ? { what: "stopped" } : error });
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
    ${files.length > 0 && html`<ul class="bare uploads">${files.map((one) => html`<li key=${one.id}><span class="break"><${Exact} text=${one.file.name} /></span> <span class="dim">${bytes(one.file.size)}</span>
      ${one.error ? html`<span class="error" role="alert">${[one.error.what, one.error.todo].filter(Boolean).join(". ")}</span>`
        : one.done ? html`<${Chip} tone="good" icon="check">in<//>`
        : html`<progress max="1" value=${one.share} aria-label=${`Sending ${one.file.name}`}></progress><span class="dim">${one.share < 1 ? `${Math.round(one.share * 100)}%` : "being read"}</span>
          <${Button} small kind="quiet" icon="close" label=${`Stop sending ${one.file.name}`} onClick=${() => { one.stop.abort(); change(one.id, { error: { what: "stopped" } }); }} />`}</li>`)}</ul>`}<//>`;
}
