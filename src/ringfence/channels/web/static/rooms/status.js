// How it stands: the models, what is at work, and what is used up. What was decided, for who runs the server.
import { html, useEffect } from "../lib/index.js";
import { get } from "../api.js";
import { online, session, useStore } from "../state.js";
import { count, duration, exact, Exact } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { Card, Chip, Empty, Failure, Loading, Table, useLoad } from "../components/ui.js";

const AGAIN_MS = 5000;

export default function Status() {
  const who = useStore(session);
  const { data, error, loading, again } = useLoad(async (signal) => ({ ...(await get("/v1/status", { signal })), at: Date.now() }), []);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && online.get() && again(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const admin = (who?.roles ?? []).includes("role:admin");
  return html`<div class="room"><${RoomHead} title="Status" about="The agent’s models, its queue, and what is used up of your budgets.">
      ${data && html`<p class="dim">${error ? "stood so" : "stands so"} at ${new Date(data.at).toLocaleTimeString("en-GB")}</p>`}<//>
    ${!data && loading && html`<${Loading} label="Asking the server" rows=${8} />`}
    ${error && !data && html`<${Failure} error=${error} retry=${again} />`}
    ${data && html`${data.queue.closing && html`<div class="note warn" role="alert"><p>The server is going down: it takes no new runs, and those at work go on with the next start.</p></div>`}
      <div class="grid two">${data.models.map((one) => html`<${Model} key=${one.tier} one=${one} />`)}</div>
      <${Queue} queue=${data.queue} />${data.admin && html`<${Details} admin=${data.admin} />`}`}
    ${admin && html`<${Decisions} />`}
    ${data && html`<p class="dim">${data.agent}, Ringfence ${data.version}</p>`}</div>`;
}

const figure = (label, value, small) => html`<div><dt>${label}</dt><dd>${value}${small && html`<small>${small}</small>`}</dd></div>`;

function Model({ one }) {
  return html`<${Card} title=${one.model} aside=${html`<${Chip}>${one.tier}<//><${Chip} title="who runs it">${one.provider}<//>`}>
    <dl class="figures">${figure("Window", one.window ? count(one.window) : "not known", "tokens")}
      ${figure("Speed", one.tokens_per_s ? one.tokens_per_s.toFixed(1) : "–", one.tokens_per_s ? "tokens a second" : "before its first answer")}
      ${figure("Longest answer", count(one.max_tokens), "tokens")}</dl>
    ${one.used && html`<${Used} used=${one.used} />`}<//>`;
}

// What is used of today's budgets, as a bar and in words; without a bound, in words alone.
function Used({ used }) {
  const rows = [["requests", used.requests, used.requests_per_day], ["tokens", used.tokens, used.tokens_per_day], [used.currency || "money", used.money, used.money_per_day]]
    .filter(([, spent, most]) => most !== null || spent > 0);
  if (!rows.length) return html`<p class="dim">Nothing was used today.</p>`;
  return html`<div class="stack">${rows.map(([what, spent, most]) => html`<div key=${what}><p>${count(spent)}${most !== null && ` of ${count(most)}`} ${what} <span class="dim">today, yours</span></p>
    ${most !== null && html`<progress max=${most} value=${Math.min(spent, most)} aria-label=${`${what} used today`}></progress>`}</div>`)}</div>`;
}

function Queue({ queue }) {
  const { limits, yours } = queue;
  return html`<${Card} title="Runs at work and waiting"><dl class="figures">${figure("At work", count(queue.running), `of ${count(limits.running)}`)}
    ${figure("Waiting", count(queue.queued), `of ${count(limits.queued)}`)}${figure("Yours at work", count(yours.running), `of ${count(limits.running_each)}`)}
    ${figure("Yours waiting", count(yours.queued), `of ${count(limits.queued_each)}`)}
    ${figure("A run takes", queue.run_s ? duration(queue.run_s * 1000) : "–", queue.run_s ? "at present" : "before the first one")}</dl><//>`;
}

function Details({ admin }) {
  const each = Object.entries(admin.each).map(([who, one]) => ({ who, ...one }));
  const said = [...admin.troubles, ...admin.warnings];
  return html`<${Card} title="For admins" tone=${admin.troubles.length ? "warn" : ""}>
    ${said.length > 0 ? html`<ul class="bare">${said.map((one, n) => html`<li key=${n}><${Chip} tone="warn" icon="warn">${n < admin.troubles.length ? "trouble" : "warning"}<//> <${Exact} text=${one} /></li>`)}</ul>`
      : html`<p><${Chip} tone="good" icon="check">nothing to report<//></p>`}
    ${admin.refused > 0 && html`<p>${count(admin.refused)} runs found no room and were told to come later.</p>`}
    ${each.length > 0 && html`<${Table} caption="Runs by principal" rows=${each} rowKey=${(one) => one.who} columns=${[{ key: "who", label: "Who", wide: true },
      { key: "running", label: "At work", num: true }, { key: "queued", label: "Waiting", num: true }]} />`}<//>`;
}

// Counters of Prometheus' text format by name: [{labels: {..}, value}].
function counted(text, name) {
  const found = [];
  for (const line of text.split("\n")) {
    const [, labels, value] = line.match(new RegExp(`^${name}\\{(.*)\\} ([0-9.e+]+)`)) ?? [];
    if (value === undefined) continue;
    found.push({ labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text.replace(/\\(.)/g, "$1")])), value: Number(value) });
  }
  return found;
}

function Decisions() {
  const { data, error, loading, again } = useLoad((signal) => get("/metrics", { signal, headers: { Accept: "text/plain" } }), []);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && online.get() && again(), 4 * AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  if (!data && loading) return html`<${Card} title="Decisions"><${Loading} /><//>`;
  if (error && !data) return html`<${Card} title="Decisions"><${Failure} error=${error} retry=${again} /><//>`;
  const rows = counted(data, "ringfence_decisions_total").map(({ labels, value }) => ({ ...labels, value })).sort((a, b) => b.value - a.value);
  const began = counted(`${data.replace(/^(process_start_time_seconds) /m, "$1{} ")}`, "process_start_time_seconds")[0]?.value;
  return html`<${Card} title="Decisions" aside=${html`<span class="dim">since ${began ? exact(began * 1000) : "this server began"}</span>`}>
    ${rows.length ? html`<${Table} caption="What the gate decided" columns=${DECISIONS} rows=${rows} rowKey=${(one) => `${one.verdict} ${one.rule} ${one.code}`} />`
      : html`<${Empty} icon="approvals" title="Nothing was decided yet">Each call that a run makes is allowed, asked about or denied by a rule.<//>`}<//>`;
}

const TONES = { allow: "good", ask: "warn", deny: "bad" };
const DECISIONS = [
  { key: "verdict", label: "Verdict", render: (one) => html`<${Chip} tone=${TONES[one.verdict]}>${one.verdict}<//>` },
  { key: "rule", label: "Rule" },
  { key: "code", label: "Why", wide: true, render: (one) => one.code || html`<span class="dim">–</span>` },
  { key: "value", label: "Times", num: true, render: (one) => count(one.value) },
];
