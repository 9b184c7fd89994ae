// What a run asks a person: the call as it would be made, and nothing that can pass for it. Everything is escaped.
import { html, useId, useState } from "../lib/index.js";
import { post } from "../api.js";
import { announce, tell } from "../state.js";
import { to } from "../router.js";
import { Exact, Time, duration, written } from "./format.js";
import { Icon } from "./icon.js";
import { Button, Chip, Field, LabelChips, names } from "./ui.js";
import { useCountdown } from "./signin.js";

const DIGEST = 16; // characters shown; the answer is bound to all of them

// A question as the API gives it, under one set of names.
export function question(given) {
  return {
    run: given.run ?? given.run_id, task: given.task ?? "", asked: given.asked ?? given.asked_ms ?? 0, tool: given.tool ?? "", args: given.args ?? {},
    rule: given.rule ?? "", why: given.why ?? "", digest: given.digest, stale: Boolean(given.stale), expires: given.expires ?? given.expires_ms ?? 0,
    valid: given.valid_s ?? 0, preview: given.preview ?? given.diff ?? "", label: given.label, owner: given.owner ?? "",
    may: given.may_answer !== false, approvers: given.approvers ?? [],
    origins: (given.origins ?? []).map((one) => ({ argument: one.argument, value: one.value, kind: one.kind ?? one.type ?? "", source: one.source ?? one.origin ?? "" })),
    texts: (given.texts ?? []).map((name) => [name, written((given.args ?? {})[name])]),
  };
}

export function ApprovalCard({ asked, link = true }) {
  const q = question(asked);
  const id = useId();
  const [endorse, setEndorse] = useState([]);
  const [denying, setDenying] = useState(false);
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState("");
  const [error, setError] = useState(null);
  const [gone, setGone] = useState(null);
  const left = useCountdown(q.expires);
  const late = q.expires > 0 && left === 0;
  const answer = async (yes) => {
    setBusy(yes ? "yes" : "no");
    setError(null);
    try {
      await post(`/v1/approvals/${encodeURIComponent(q.run)}`, { yes, digest: q.digest, endorse: yes ? endorse : [], why: yes ? "" : why.trim() });
      setGone({ yes, until: yes && q.valid ? Date.now() + q.valid * 1000 : 0 });
      announce(yes ? "Approved" : "Denied");
      tell("approvals", { run: q.run });
    } catch (failed) {
      setError(failed);
      if (failed.status === 404 || failed.status === 409) tell("approvals", { run: q.run });
    } finally {
      setBusy("");
    }
  };
  const anew = async () => {
    setBusy("anew");
    try {
      await post(`/v1/runs/${encodeURIComponent(q.run)}/resume`);
      tell("approvals", { run: q.run });
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy("");
    }
  };
  if (gone) return html`<${Settled} ...${gone} />`;
  const unvouched = q.origins.filter((one) => !one.source);
  const shown = new Set([...q.origins.map((one) => one.argument.split("/")[0]), ...q.texts.map(([name]) => name)]);
  const rest = Object.entries(q.args).filter(([name]) => !shown.has(name));
  return html`<section class=${names("approval", (q.stale || late) && "stale")} aria-labelledby=${id}>
    <header><p class="approval-over"><${Icon} name="approvals" size=${16} /> ${q.may ? "Your answer is needed" : "It waits for somebody else's answer"}</p>
      <h3 id=${id}>May it call <span class="tool"><${Exact} text=${q.tool} /></span>?</h3>
      <p class="approval-meta"><span>asked <${Time} ms=${q.asked} /></span>${q.expires > 0 && html`<span class=${left < 60_000 ? "bad-text" : ""}><${Icon} name="clock" size=${14} /> ${late ? "expired" : `expires in ${duration(Math.ceil(left / 1000) * 1000)}`}</span>`}
        ${q.valid > 0 && html`<span>a yes holds for ${duration(q.valid * 1000)}, once</span>`}<span>digest <code>${q.digest.slice(0, DIGEST)}</code></span>${q.owner && html`<span>for ${q.owner}</span>`}</p></header>
    <dl class="approval-why"><dt>Task</dt><dd><${Exact} text=${q.task} /> ${link && html`<a href=${to("runs", q.run)}>open the run</a>`}</dd>
      <dt>Why it asks</dt><dd><span class="rule">${q.rule}</span> <${Exact} text=${q.why} /></dd>
      ${q.label && html`<dt>Made from</dt><dd><${LabelChips} label=${q.label} /></dd>`}</dl>
    ${(q.stale || late) && html`<p class="stale-note" role="alert"><${Icon} name="warn" size=${18} /><span>${late ? "This question has expired: no answer counts any more, and the run goes on as after a no." : "The policy has changed since this was asked: no yes counts. The run has to ask anew."}</span>
      <${Button} small icon="retry" busy=${busy === "anew"} onClick=${anew}>${late ? "Go on now" : "Ask anew"}<//></p>`}
    ${q.origins.length > 0 && html`<${Origins} origins=${q.origins} endorse=${endorse} setEndorse=${setEndorse} />`}
    ${q.texts.map(([name, text]) => html`<div key=${name} class="free-text"><h4><${Exact} text=${name} /> <span class="dim">free text, ${text.length} characters</span></h4><pre tabindex="0"><${Exact} text=${text} /></pre></div>`)}
    ${rest.length > 0 && html`<dl class="args-list">${rest.map(([name, value]) => html`<div key=${name}><dt><${Exact} text=${name} /></dt><dd><pre><${Exact} text=${written(value)} /></pre></dd></div>`)}</dl>`}
    ${q.preview && html`<div class="free-text"><h4>It would change</h4><${Diff} text=${q.preview} /></div>`}
    ${error && html`<p class="error" role="alert">${error.what}${error.todo && html` <span class="todo">${error.todo}</span>`}</p>`}
    ${!q.may ? html`<p class="hint">${q.approvers.length ? `${q.approvers.join(" or ")} may answer this.` : "Somebody else has to answer this."}</p>` : denying ? html`<form class="deny" onSubmit=${(event) => { event.preventDefault(); answer(false); }}>
        <${Field} label="Why not" hint="The model is told, so that it can do otherwise." multiline value=${why} maxlength="2000" onInput=${(event) => setWhy(event.target.value)} inputRef=${focused} />
        <div class="actions"><${Button} kind="danger" type="submit" busy=${busy === "no"}>Deny this call<//><${Button} kind="quiet" onClick=${() => setDenying(false)}>Back<//></div></form>`
      : html`<div class="actions approval-do">
        <${Button} kind="primary" icon="check" busy=${busy === "yes"} disabled=${q.stale || late} onClick=${() => answer(true)}>${endorse.length ? `Approve, and trust ${endorse.length === 1 ? "the value" : `${endorse.length} values`}` : "Approve this call"}<//>
        <${Button} kind="danger" disabled=${late} onClick=${() => setDenying(true)}>Deny…<//>
        ${unvouched.length > 0 && html`<p class="hint">${unvouched.length === 1 ? "One value that nobody vouches for." : `${unvouched.length} values that nobody vouches for.`}</p>`}</div>`}
  </section>`;
}

function Settled({ yes, until }) {
  const left = useCountdown(until);
  return html`<div class="approval settled" role="status"><${Icon} name="check" size=${18} /><span>${yes ? "Approved. The run goes on." : "Denied. The run is told, and may go on otherwise."}
    ${yes && until > 0 && (left > 0 ? html` <span class="dim" aria-hidden="true">The yes holds once, for another ${duration(Math.ceil(left / 1000) * 1000)}.</span>` : html` <span class="dim">The yes has expired, if it was not used.</span>`)}</span></div>`;
}

const focused = (element) => element?.focus();

function Origins({ origins, endorse, setEndorse }) {
  const flip = (name, on) => setEndorse((all) => (on ? [...all, name] : all.filter((one) => one !== name)));
  return html`<ul class="origins">${origins.map((one) => html`<li key=${one.argument} class=${one.source ? "" : "unvouched"}>
    <p class="origin-name"><${Exact} text=${one.argument} />${one.kind && html` <span class="dim">as ${one.kind}</span>`}</p>
    <pre class="origin-value"><${Exact} text=${written(one.value)} /></pre>${lookalike(one.value)}
    <p class="origin-from"><${Source} source=${one.source} />
      ${one.kind && html`<label class="endorse"><input type="checkbox" checked=${endorse.includes(one.argument)} onChange=${(event) => flip(one.argument, event.target.checked)} />
        <span>trust this value for the rest of the run</span></label>`}</p></li>`)}</ul>`;
}

function Source({ source }) {
  if (!source) return html`<${Chip} tone="bad" icon="warn">nobody vouches for it<//>`;
  if (source === "you") return html`<${Chip} tone="user" icon="check">you wrote it<//>`;
  return html`<${Chip} tone=${/^r\d/.test(source) ? "typed" : "good"}>${/^r\d/.test(source) ? "from result " : "trusted by "}${source}<//>`;
}

// Letters of other scripts look like ours: say what they are.
function lookalike(value) {
  const text = written(value);
  if (/^[\u0000-\u007f]*$/.test(text)) return null;
  const ascii = text.replace(/[^\u0020-\u007e]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);
  return html`<p class="ascii">in ASCII: <code>${ascii.slice(0, 400)}</code></p>`;
}

// A unified diff: the sign says it, the colour beside it.
function Diff({ text }) {
  const lines = text.replace(/\n$/, "").split("\n");
  const kind = (line) => (/^(\+\+\+|---|@@)/.test(line) ? "at" : line[0] === "+" ? "add" : line[0] === "-" ? "del" : "same");
  return html`<pre class="diff" tabindex="0" aria-label="Difference">${lines.map((line, n) => {
    const what = kind(line);
    return html`<span key=${n} class=${`diff-line ${what}`}>${what === "add" ? html`<span class="sr">added: </span>` : what === "del" ? html`<span class="sr">removed: </span>` : null}<${Exact} text=${line || " "} />${"\n"}</span>`;
  })}</pre>`;
}
