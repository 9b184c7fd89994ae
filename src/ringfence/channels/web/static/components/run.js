// A run, followed live: its record, its answer, what it asks, and what can be done with it.
import { html, useEffect, useRef, useState } from "../lib/index.js";
import { follow, get, post } from "../api.js";
import { announce, approvals, tell, toast, useNews, useStore } from "../state.js";
import { go, to } from "../router.js";
import { ApprovalCard } from "./approval.js";
import { Answer } from "./answer.js";
import { Time } from "./format.js";
import { RoomHead } from "./head.js";
import { Tally, Timeline } from "./timeline.js";
import { Trail } from "./trail.js";
import { Button, Card, Dialog, Failure, Field, Loading, StatusChip } from "./ui.js";

const AWAY_MS = 30_000;
const LOOK_MS = 4000; // how often a run that waits is looked at: somebody else may have answered

// {trail, version, error, up}: drawn at most once a frame, however fast events come.
export function useRun(id, on = true) {
  const trail = useRef(null);
  if (!trail.current || trail.current.run !== id) trail.current = new Trail(id);
  const [version, draw] = useState(0);
  const [error, setError] = useState(null);
  const [up, setUp] = useState(true);
  const [turn, again] = useState(0);
  const away = useAway();
  useEffect(() => {
    if (!on || !id || away || trail.current.ended) return undefined;
    const stop = new AbortController();
    const run = trail.current;
    let frame = 0;
    const later = () => (frame ||= requestAnimationFrame(() => { frame = 0; draw((n) => n + 1); }));
    const heard = (kind, data, place) => {
      if (kind === "line") {
        setUp(data.up);
        if (data.up) run.quiet(); // what the model is saying comes again from its beginning
      }
      else if (run.push(kind, data, place)) later();
      // looked for again when the run has come to rest: what it asks may not have been on record before
      if (run.asked && (kind === "decision" || kind === "end")) tell("approvals", { run: id });
      if (kind === "end") spoken(run);
    };
    setError(null);
    follow(`/v1/runs/${encodeURIComponent(id)}/events`, heard, { signal: stop.signal, after: run.last }).catch((failed) => !stop.signal.aborted && setError(failed));
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
  }, [id, on, turn, away]);
  useGoesOn(trail.current, on, () => again((n) => n + 1));
  return { trail: trail.current, version, error, up, again: () => again((n) => n + 1) };
}

// A tab that nobody has looked at for a while lets go of its line: a browser has six for one server, for all of its tabs.
function useAway() {
  const [away, setAway] = useState(false);
  useEffect(() => {
    let timer = 0;
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "hidden") timer = setTimeout(() => setAway(true), AWAY_MS);
      else setAway(false);
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return away;
}

function spoken(run) {
  if (run.status === "waiting") announce("The run waits for an answer");
  else if (run.answer) announce(`Answer: ${run.answer.slice(0, 600)}`);
  else announce(`The run is ${run.status}`);
}

// A run that waits goes on when somebody answers, here or elsewhere.
function useGoesOn(run, on, again) {
  const waits = on && ["waiting", "uncertain", "interrupted"].includes(run.status);
  const look = async () => {
    try {
      const now = await get(`/v1/runs/${encodeURIComponent(run.run)}`);
      if (now.status !== run.status) again();
    } catch {
      // the banner says it
    }
  };
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && look(), LOOK_MS);
    return () => clearInterval(timer);
  }, [waits, run]);
  useNews(({ what, run: which }) => {
    if ((what === "approvals" || what === "runs") && which === run.run && waits) setTimeout(look, 60);
  });
}

export async function act(id, what, body) {
  try {
    const done = await post(`/v1/runs/${encodeURIComponent(id)}/${what}`, body);
    tell("runs", { run: id });
    return done ?? {};
  } catch (error) {
    toast([error.what, error.todo].filter(Boolean).join(". "), { tone: "bad", seconds: 10 });
    return null;
  }
}

export async function retry(trail) {
  try {
    const begun = await post("/v1/runs", { task: trail.task, conversation: trail.conversation });
    tell("runs", { run: begun.id, conversation: trail.conversation });
    return begun.id;
  } catch (error) {
    toast([error.what, error.todo].filter(Boolean).join(". "), { tone: "bad", seconds: 10 });
    return null;
  }
}

export function ForkDialog({ trail, at, onClose, onDone }) {
  const [task, setTask] = useState(trail.task);
  const [busy, setBusy] = useState(false);
  const make = async (event) => {
    event.preventDefault();
    setBusy(true);
    const made = await act(trail.run, "fork", { at, task: task.trim() === trail.task ? "" : task.trim() });
    setBusy(false);
    if (made) {
      onClose();
      onDone(made.id);
    }
  };
  return html`<${Dialog} title="Fork this run" onClose=${onClose}><form onSubmit=${make}>
    <p>${at > 0 ? `A new run that takes over what this one did up to record ${at}, and goes on from there.` : "A new run from the same beginning."} This one stays as it is.</p>
    <${Field} label="Task" multiline value=${task} onInput=${(event) => setTask(event.target.value)} required />
    <div class="actions"><${Button} kind="primary" icon="fork" type="submit" busy=${busy}>Fork<//><${Button} onClick=${onClose}>Cancel<//></div></form><//>`;
}

export function Asked({ run }) {
  return useStore(approvals).filter((one) => (one.run ?? one.run_id) === run).map((one) => html`<${ApprovalCard} key=${one.digest} asked=${one} link=${false} />`);
}

// The room of one run: #/runs/ID; `more` stands with what can be done with one that has ended or waits.
export function RunView({ id, more }) {
  const { trail, version, error, up, again } = useRun(id);
  const [fork, setFork] = useState(null);
  if (error) return html`<div class="room"><${Failure} error=${error} retry=${error.status === 404 ? undefined : again} title=${error.status === 404 ? "There is no such run" : undefined} /></div>`;
  if (!trail.records) return html`<div class="room"><${Loading} label="Reading the run" rows=${6} /></div>`;
  const open = async (made) => made && go("runs", made);
  return html`<div class="room">
    <p class="crumb"><a href=${to("runs")}>Runs</a> <span aria-hidden="true">/</span> <code>${id.slice(0, 12)}</code></p>
    <${RoomHead} title=${trail.task || "A run that is not yours to read"}>
      ${trail.live && html`<${Button} icon="stop" onClick=${() => act(id, "cancel")}>Stop<//>`}
      ${trail.status === "waiting" && html`<${Button} icon="stop" onClick=${() => act(id, "cancel")}>Stop<//>`}
      ${["interrupted", "uncertain"].includes(trail.status) && html`<${Button} icon="resume" onClick=${async () => (await act(id, "resume")) && again()}>Resume<//>`}
      ${!trail.live && trail.task && html`<${Button} icon="retry" onClick=${async () => open(await retry(trail))}>Retry<//><${Button} icon="fork" onClick=${() => setFork(0)}>Fork<//>`}${!trail.live && more}<//>
    <p class="run-facts"><${StatusChip} status=${trail.status} /><${Tally} trail=${trail} /><${Time} ms=${trail.started} />
      ${trail.conversation && html`<a href=${to("chat", trail.conversation)}>in its conversation</a>`}
      ${trail.forked && html`<span>forked from <a href=${to("runs", trail.forked.run ?? trail.forked)}>another run</a></span>`}
      ${!up && html`<span class="bad-text">the line is down: it comes back by itself</span>`}</p>
    <${Asked} run=${id} />
    ${(trail.answer || trail.saidAnswer || trail.ended > 0) && html`<${Card} title="Answer"><${Answer} trail=${trail} /><//>`}
    <section class="record" aria-label="Record"><h2>Record</h2><${Timeline} trail=${trail} version=${version} fork=${setFork} label="Record of the run" /></section>
    ${fork !== null && html`<${ForkDialog} trail=${trail} at=${fork} onClose=${() => setFork(null)} onDone=${open} />`}</div>`;
}
