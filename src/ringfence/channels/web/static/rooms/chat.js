// Talk to the agent. A conversation is an ordered list of runs; each run is a question, its steps and its answer.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/index.js";
import { get, post, url } from "../api.js";
import { online, session, tell, useNews, useStore } from "../state.js";
import { go, rename, to } from "../router.js";
import { Answer } from "../components/answer.js";
import { ago, duration, plural } from "../components/format.js";
import { Icon } from "../components/icon.js";
import { Asked, ForkDialog, act, retry, useRun } from "../components/run.js";
import { Tally, Timeline } from "../components/timeline.js";
import { Button, Failure, Loading, Sheet, StatusChip, names, useLoad } from "../components/ui.js";

const MOST = 200; // runs that the list of conversations is made from
const LIVE = new Set(["queued", "running"]);
const OPEN = new Set(["queued", "running", "waiting", "uncertain", "interrupted"]);
const POLL_MS = 10_000;

export default function Chat({ route }) {
  const conversation = route.rest[0] ?? "";
  const [listed, setListed] = useState(false);
  const { data, error, loading, again } = useLoad((signal) => get(url("/v1/runs", { limit: MOST }), { signal }), []);
  const runs = data?.data ?? [];
  useNews(({ what }) => what === "runs" && again());
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && online.get() && again(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const conversations = useMemo(() => grouped(runs), [data]);
  // a conversation that has just got its name is the same one: what was written in it stays on the screen
  const thread = useRef({ id: conversation, key: 0, born: "" });
  if (thread.current.id !== conversation) {
    const same = conversation !== "" && thread.current.born === conversation;
    thread.current = { id: conversation, key: thread.current.key + (same ? 0 : 1), born: "" };
  }
  const list = html`<${Conversations} all=${conversations} current=${conversation} error=${error} loading=${loading && !data} again=${again} />`;
  return html`<div class="chat"><aside class="chat-list" aria-label="Conversations">${list}</aside>
    <div class="chat-top"><${Button} small icon="chat" onClick=${() => setListed(true)}>Conversations<//><${Button} small icon="plus" onClick=${() => go("chat")}>New<//></div>
    <${Talk} key=${thread.current.key} conversation=${conversation} runs=${conversations.find((one) => one.id === conversation)?.runs ?? NONE} known=${Boolean(data)} error=${error} again=${again} bear=${(id) => { thread.current.born = id; }} />
    ${listed && html`<${Sheet} title="Conversations" onClose=${() => setListed(false)}><div onClick=${(event) => event.target.closest("a") && setListed(false)}>${list}</div><//>`}</div>`;
}

const NONE = [];

// Runs, newest first, as conversations, newest first; a run of none is one of its own.
function grouped(runs) {
  const found = new Map();
  for (const run of runs) {
    const id = run.conversation || `run:${run.id}`;
    if (!found.has(id)) found.set(id, { id, runs: [], last: run.started });
    found.get(id).runs.unshift(run);
  }
  return [...found.values()];
}

function Conversations({ all, current, error, loading, again }) {
  return html`<div class="conversations"><div class="conversations-head"><h2>Conversations</h2><a class="button small" href=${to("chat")}><${Icon} name="plus" size=${16} /><span>New</span></a></div>
    ${error && !all.length ? html`<${Failure} error=${error} retry=${again} />` : loading ? html`<${Loading} rows=${5} />`
      : !all.length ? html`<p class="dim pad">What you ask is kept here.</p>`
      : html`<ul>${all.map((one) => {
        const last = one.runs.at(-1);
        return html`<li key=${one.id}><a href=${to("chat", one.id)} aria-current=${one.id === current ? "page" : undefined}><span class="conv-title">${one.runs[0].task || "Not yours to read"}</span>
          <span class="conv-meta">${OPEN.has(last.status) ? html`<${StatusChip} status=${last.status} />` : ago(last.ended || last.started)}${one.runs.length > 1 && html`<span>${plural(one.runs.length, "question")}</span>`}</span></a></li>`;
      })}</ul>`}</div>`;
}

function Talk({ conversation, runs, known, error, again, bear }) {
  const [sent, setSent] = useState([]); // begun here, and not in the list yet
  const end = useRef(null);
  const shown = [...runs, ...sent.filter((one) => !runs.some((run) => run.id === one.id))];
  const last = shown.at(-1);
  const [standing, setStanding] = useState({});
  const live = shown.find((run) => LIVE.has(standing[run.id] ?? run.status));
  const begun = (run, id) => {
    setSent((all) => [...all, run]);
    if (id !== conversation) {
      bear(id);
      rename("chat", id);
    }
    tell("runs", { run: run.id, conversation: id });
  };
  const scroll = useStick(end, last?.id);
  const mine = conversation.startsWith("run:") ? "" : conversation;
  return html`<section class="talk" aria-label="Conversation"><div class="talk-in" ref=${scroll}>
    <h1 class="sr">${shown[0]?.task ?? "New conversation"}</h1>
    ${!shown.length && (conversation && !known ? html`<${Loading} rows=${6} />` : conversation && error ? html`<${Failure} error=${error} retry=${again} />`
      : html`<${Welcome} />`)}
    ${shown.map((run) => html`<${Turn} key=${run.id} run=${run} newest=${run === last} stands=${(status) => setStanding((all) => (all[run.id] === status ? all : { ...all, [run.id]: status }))}
      begun=${(id) => id && begun({ id, task: run.task, status: "queued", started: Date.now(), conversation: mine }, conversation)} />`)}
    <div ref=${end}></div></div>
    <${Composer} conversation=${mine} live=${live} begun=${begun} /></section>`;
}

// Stay at the end while something is being said, unless the reader has gone up.
function useStick(end, newest) {
  const box = useRef(null);
  useLayoutEffect(() => {
    const main = document.getElementById("main");
    const scroller = main && getComputedStyle(main).overflowY === "auto" ? main : document.scrollingElement;
    let stuck = true;
    const near = () => { stuck = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 80; };
    const grown = new ResizeObserver(() => stuck && (scroller.scrollTop = scroller.scrollHeight));
    scroller.scrollTop = scroller.scrollHeight;
    (scroller === main ? main : window).addEventListener("scroll", near, { passive: true });
    if (box.current) grown.observe(box.current);
    return () => {
      (scroller === main ? main : window).removeEventListener("scroll", near);
      grown.disconnect();
    };
  }, [newest]);
  return box;
}

function Welcome() {
  const who = useStore(session);
  return html`<div class="welcome"><h2>Ask ${who.agent || "the agent"}</h2>
    <p>It works with what its manifest names, and with nothing else. Each step is on record; what needs a person waits for you.</p></div>`;
}

// One question and what came of it. An old run is one request; its steps come when they are opened.
function Turn({ run, newest, stands, begun }) {
  const first = useRef(OPEN.has(run.status)).current;
  const moving = first || LIVE.has(run.status);
  const [steps, setSteps] = useState(null); // null: open while it is at work
  const [fork, setFork] = useState(null);
  const { trail, version, error, up } = useRun(run.id, moving || steps === true);
  const old = useLoad(async (signal) => (moving ? null : get(`/v1/runs/${encodeURIComponent(run.id)}`, { signal })), [moving]);
  const told = trail.records ? trail : old.data;
  const status = trail.records ? trail.status : run.status;
  useEffect(() => stands(status), [status]);
  const lived = useRef(false);
  useEffect(() => {
    if (LIVE.has(status)) lived.current = true;
    else if (lived.current) tell("runs", { run: run.id }); // the list, and the other tabs
  }, [status]);
  const open = steps ?? (trail.live && moving);
  return html`<article class="turn" aria-label=${run.task}>
    <div class="question"><p>${run.task || "Not yours to read."}</p></div>
    <div class="steps"><button type="button" class="steps-head" aria-expanded=${open} onClick=${() => setSteps(!open)}>
      <${Icon} name="chevron" size=${16} />${LIVE.has(status) ? html`<span class="working">${status === "queued" ? "Waits its turn" : "At work"}</span>` : html`<span>Steps</span>`}
      ${trail.records ? html`<${Tally} trail=${trail} />` : old.data && html`<span class="tally">${plural(old.data.usage?.steps ?? 0, "step")}<span>${plural((old.data.steps ?? []).length, "call")}</span><span>${duration(Math.max(0, run.ended - run.started))}</span></span>`}
      ${!up && moving && html`<span class="bad-text">the line is down</span>`}</button>
      ${open && (error ? html`<${Failure} error=${error} />` : trail.records ? html`<${Timeline} trail=${trail} version=${version} fork=${setFork} />` : html`<${Loading} rows=${2} />`)}</div>
    <${Asked} run=${run.id} />
    ${old.error && html`<${Failure} error=${old.error} retry=${old.again} />`}
    ${told && html`<div class="said" aria-busy=${LIVE.has(status)}><${Answer} trail=${told} /></div>`}
    ${!LIVE.has(status) && told && html`<footer class="turn-foot">${status !== "done" && html`<${StatusChip} status=${status} />`}
      ${["interrupted", "uncertain"].includes(status) && html`<${Button} small kind="quiet" icon="resume" onClick=${() => act(run.id, "resume")}>Resume<//>`}
      ${status === "waiting" && html`<${Button} small kind="quiet" icon="stop" onClick=${() => act(run.id, "cancel")}>Stop<//>`}
      <${Button} small kind="quiet" icon="retry" onClick=${async () => begun(await retry({ task: run.task, conversation: run.conversation }))}>Retry<//>
      <${Button} small kind="quiet" icon="fork" onClick=${() => setFork(0)}>Fork<//>
      <a class="button small quiet" href=${to("runs", run.id)}><${Icon} name="audit" size=${16} /><span>Record</span></a></footer>`}
    ${fork !== null && html`<${ForkDialog} trail=${{ run: run.id, task: run.task }} at=${fork} onClose=${() => setFork(null)} onDone=${(id) => go("runs", id)} />`}
  </article>`;
}

const fresh = () => [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => (byte % 36).toString(36)).join("");

function Composer({ conversation, live, begun }) {
  const up = useStore(online);
  const kept = `draft:${conversation}`;
  const [text, setText] = useState(() => sessionStorage.getItem(kept) ?? "");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const box = useRef(null);
  const key = useRef("");
  useEffect(() => { if (matchMedia("(min-width: 900px)").matches) box.current?.focus(); }, []);
  useLayoutEffect(() => {
    const one = box.current;
    one.style.height = "auto";
    one.style.height = `${Math.min(one.scrollHeight + 2, 260)}px`;
  }, [text]);
  const write = (value) => {
    key.current = ""; // other words are another task
    setText(value);
    sessionStorage.setItem(kept, value);
  };
  const send = async () => {
    const task = text.trim();
    if (!task || busy) return;
    const id = conversation || fresh();
    key.current ||= fresh() + fresh(); // sent again after a broken line, it is still one run
    setBusy(true);
    setError(null);
    try {
      const run = await post("/v1/runs", { task, conversation: id }, { headers: { "Idempotency-Key": key.current } });
      write("");
      sessionStorage.removeItem(kept);
      begun({ id: run.id, task, status: "queued", started: Date.now(), ended: 0, conversation: id }, id);
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(false);
      box.current?.focus();
    }
  };
  const pressed = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!live) send();
  };
  return html`<div class="composer"><form onSubmit=${(event) => { event.preventDefault(); send(); }}>
    ${error && html`<p class="error" role="alert">Not sent: ${error.what}${error.retryAfter ? ` Try again in ${error.retryAfter} s.` : ""} ${error.todo && html`<span class="todo">${error.todo}</span>`}</p>`}
    <div class=${names("composer-in", live && "busy")}><label class="sr" for="ask">Your question</label>
      <textarea id="ask" ref=${box} rows="1" maxlength="100000" placeholder=${live ? "It is at work. You can write the next question." : "Ask something"} value=${text}
        onInput=${(event) => write(event.target.value)} onKeyDown=${pressed} aria-describedby="ask-hint"></textarea>
      ${live ? html`<${Button} icon="stop" label="Stop the run" onClick=${() => act(live.id, "cancel")} />`
        : html`<${Button} kind="primary" icon="send" label="Send" type="submit" busy=${busy} disabled=${!text.trim() || !up} />`}</div>
    <p class="hint" id="ask-hint"><kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> begins a new line</p></form></div>`;
}
