// The record of a run, line by line: what it thought, what it called, who decided by which rule, what came back.
import { html, useState } from "../lib/index.js";
import { get } from "../api.js";
import { Exact, duration, exact, hasUnseen, plural, count, written } from "./format.js";
import { Icon } from "./icon.js";
import { Button, Chip, LabelChips, StatusChip, names } from "./ui.js";
import { Windowed } from "./window.js";

const LINE_CHARS = 160; // of a value in one line; the rest when it is opened

// fork(seq): offered at each line where it is given.
export function Timeline({ trail, version, fork, label = "Steps" }) {
  const draw = (row) => html`<${Line} row=${row} run=${trail.run} trail=${trail} fork=${fork} drawn=${row.drawn} live=${row.open ? version : 0} />`;
  return html`<div class="timeline"><${Windowed} rows=${trail.rows} version=${version} row=${draw} follow=${trail.live} label=${label} /></div>`;
}

export function Tally({ trail }) {
  const took = (trail.ended || trail.latest || trail.started) - trail.started;
  const tokens = trail.usage.prompt + trail.usage.completion;
  return html`<span class="tally">${plural(trail.usage.steps, "step")}<span>${plural(trail.tools, "call")}</span>
    ${took > 0 && html`<span>${duration(took)}</span>`}${tokens > 0 && html`<span title=${`${count(trail.usage.prompt)} read, ${count(trail.usage.completion)} written, ${count(trail.usage.cached ?? 0)} of them kept from before`}>${count(tokens)} tokens</span>`}</span>`;
}

const WORDS = { task: "task", thought: "thought", call: "call", decision: "decision", yes: "answer", end: "end" };

function Line({ row, run, trail, fork }) {
  const [open, setOpen] = useState(Boolean(row.opened));
  const toggle = () => {
    row.opened = !open; // kept with the row: a windowed line is drawn anew when it comes back into view
    setOpen(!open);
  };
  const Body = BODIES[row.kind] ?? Note;
  return html`<div class=${names("line", row.kind, row.open && "is-working", row.verdict, row.result && (row.result.ok ? "ok" : "not-ok"))}>
    <span class="seq" title=${`record ${row.seq}, ${exact(row.time)}`}>${row.seq}</span><span class="knot" aria-hidden="true"></span>
    <div class="line-body"><button type="button" class="line-head" aria-expanded=${open} onClick=${toggle}>
      <span class="word">${row.word ?? WORDS[row.kind]}</span><span class="gist"><${Body} row=${row} trail=${trail} /></span>
      <span class="meta">${row.ms !== undefined || row.result ? duration(row.ms ?? row.result?.ms ?? 0) : row.open ? html`<span class="beat">…</span>` : ""}</span>
      <${Icon} name="chevron" size=${14} /></button>
      ${open && html`<${More} row=${row} run=${run} fork=${fork} />`}</div></div>`;
}

const BODIES = { task: Task, thought: Thought, call: Call, decision: Decision, yes: Approval, end: End };
const HIDDEN = "Not yours to read.";

function Task({ row }) {
  return row.hidden ? HIDDEN : html`<${Exact} text=${row.text} />`;
}

function Thought({ row, trail }) {
  if (row.hidden) return HIDDEN;
  if (row.error) return html`<span class="bad-text"><${Icon} name="warn" size=${15} /> the model did not answer: ${row.error}</span>`;
  if (row.open) return trail.live ? trail.saidThought || html`<span class="dim">the model is at work</span>` : html`<span class="dim">was not answered</span>`;
  return html`${row.text || html`<span class="dim">no words</span>`}`;
}

// Who may read it is said in a line where that differs from the run's own; opened, a line says it always.
function marked(label, trail) {
  const same = JSON.stringify(label?.readers) === JSON.stringify(trail.rows[0]?.label?.readers);
  return label && same ? { ...label, readers: [] } : label;
}

function Call({ row, trail }) {
  if (row.word === "reply") return html`<span>${row.result?.ok === false ? row.result.error : "the answer goes to whoever asked"}</span>`;
  const { result } = row;
  return html`<span class="call-line"><b class="tool">${row.tool}</b> ${!row.hidden && html`<span class="args">${oneLine(row.args)}</span>`}</span>
    ${result && html`<span class="result-line"><${Icon} name=${result.ok ? "check" : "warn"} size=${14} label=${result.ok ? "worked" : "failed"} />
      ${result.hidden ? html`<span class="dim">${HIDDEN}</span>` : html`<span class="snippet">${cut(result.error || (typeof result.value === "string" ? result.value : result.value?.cut ?? JSON.stringify(result.value) ?? ""))}</span>`}<${LabelChips} label=${marked(result.label, trail)} /></span>`}`;
}

const VERDICTS = { ask: ["warn", "asks"], deny: ["bad", "denied"], allow: ["good", "allowed"] };
function Decision({ row }) {
  const [tone, word] = VERDICTS[row.verdict] ?? ["plain", row.verdict];
  return html`<${Chip} tone=${tone} icon=${row.verdict === "deny" ? "close" : "approvals"}>${word}<//> <b class="tool">${row.tool}</b>
    <span class="why">${row.rule && html`<span class="rule">${row.rule}</span>`} <${Exact} text=${row.why || row.code} /></span>`;
}

function Approval({ row }) {
  return html`<${Chip} tone="good" icon="check">yes<//> by <b>${row.by}</b>${row.endorsed.length > 0 && html` and for the rest of the run: ${row.endorsed.map((one) => oneLine(one)).join(", ")}`}`;
}

function Note({ row }) {
  return row.text || cut(written(row.value)) || html`<span class="dim">${HIDDEN}</span>`;
}

function End({ row }) {
  return html`<${StatusChip} status=${row.status} /> ${row.summary && html`<${Exact} text=${row.summary} />`}`;
}

function oneLine(args) {
  if (args === undefined || args === null) return "";
  if (typeof args !== "object" || "cut" in args) return cut(written(args));
  return cut(Object.entries(args).map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join("  "));
}

function cut(text) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}…` : line;
}

// All that is known of one line: its values whole, its labels, its rule, its tokens.
function More({ row, run, fork }) {
  const { result } = row;
  return html`<div class="line-more"><dl class="facts">
    ${row.rule && html`<dt>rule</dt><dd>${row.verdict ? row.rule : `allowed by ${row.rule}`}${row.code && ` (${row.code})`}</dd>`}
    ${row.label && html`<dt>label</dt><dd><${LabelChips} label=${row.label} /></dd>`}
    ${row.effects?.length > 0 && html`<dt>may</dt><dd>${row.effects.join(", ")}</dd>`}
    ${row.tokens !== undefined && html`<dt>tokens</dt><dd>${count(row.prompt)} read, ${count(row.tokens)} written</dd>`}
    ${(row.model || row.tier) && html`<dt>model</dt><dd>${row.model || row.tier}${row.model && row.tier && ` (tier ${row.tier})`}</dd>`}
    ${row.left > 0 && html`<dt>left out</dt><dd>${plural(row.left, "earlier message")} that did not fit the window</dd>`}
    ${row.digest && html`<dt>digest</dt><dd><code>${row.digest.slice(0, 16)}</code></dd>`}
    <dt>time</dt><dd>${exact(row.time)}</dd></dl>
    ${row.args && typeof row.args === "object" && html`<${Args} args=${row.args} />`}
    ${result && !result.hidden && html`<${Value} word=${result.ok ? "result" : "error"} value=${result.error || result.value} run=${run} seq=${result.seq} />`}
    ${fork && row.kind !== "end" && html`<p><${Button} small icon="fork" onClick=${() => fork(row.result?.seq ?? row.seq)}>Fork from here<//></p>`}</div>`;
}

function Args({ args }) {
  const entries = "cut" in args && "chars" in args ? [["arguments", args.cut]] : Object.entries(args);
  return html`<dl class="args-list">${entries.map(([name, value]) => html`<div key=${name}><dt><${Exact} text=${name} /></dt>
    <dd><pre><${Exact} text=${written(value)} /></pre></dd></div>`)}</dl>`;
}

function Value({ word, value, run, seq }) {
  const [whole, setWhole] = useState(null);
  const [error, setError] = useState("");
  const short = value && typeof value === "object" && "cut" in value && "chars" in value;
  const text = whole ?? written(value);
  const load = () => get(`/v1/runs/${run}/records/${seq}`).then((found) => setWhole(written(found.body?.value ?? found.value ?? found)), (failed) => setError(failed.what));
  return html`<div class="value"><p class="value-head"><span class="word">${word}</span>${hasUnseen(text) && html`<${Chip} tone="warn">has characters that are not seen<//>`}</p>
    <pre tabindex="0"><${Exact} text=${text} /></pre>
    ${short && whole === null && html`<p><${Button} small onClick=${load}>Show all ${count(value.chars)} characters<//></p>`}${error && html`<p class="error">${error}</p>`}</div>`;
}
