// A run as its events tell it, folded into lines that people read. No drawing here: push(event) changes `rows` in place.
//
// A row: {key, kind, seq, time, label, ...}. kind: task | thought | call | decision | yes | remark | end
//   thought   text, tokens, ms, tier, open (not answered yet), error
//   call      tool, args, rule, of (its intent's seq); result {ok, value, error, ms, label, seq} once it is there
//   decision  tool, args, verdict, rule, code, why, digest, by
const MAX_SAID = 200_000; // characters of streamed text that are kept until the record is there

export class Trail {
  constructor(run) {
    this.run = run;
    this.clear();
  }

  clear() {
    Object.assign(this, {
      rows: [], open: new Map(), last: "", task: "", conversation: "", agent: "", meta: null, forked: null, started: 0,
      status: "queued", answer: "", summary: "", confidence: "", flags: [], sources: [], artifacts: [], reason: "",
      usage: { steps: 0, prompt: 0, completion: 0, cached: 0 }, saidThought: "", saidAnswer: "", ended: 0, records: 0,
      version: (this.version ?? 0) + 1, top: -1, asked: null, hidden: false, rungs: {}, tools: 0,
    });
  }

  // An event of the stream. Returns whether anything is to be drawn anew.
  push(kind, event, id = "") {
    if (kind === "line") return false;
    if (kind === "reset") {
      this.clear();
      return true;
    }
    if (kind === "delta") this.say(event);
    else if (kind === "end") this.end(event);
    else {
      if (id && this.seen(event)) return false; // it was sent twice
      if (id) this.last = id;
      this.records += 1;
      this.latest = event.time;
      this.quiet();
      if (this.status === "queued") this.status = "running";
      (this[HANDLERS[kind]] ?? this.other).call(this, event);
    }
    this.version += 1;
    return true;
  }

  seen(event) {
    if (event.seq <= this.top) return true;
    this.top = event.seq;
    return false;
  }

  say({ field, text }) {
    if (field === "answer") this.saidAnswer = (this.saidAnswer + text).slice(0, MAX_SAID);
    else this.saidThought = (this.saidThought + text).slice(0, MAX_SAID);
    this.status = "running";
  }

  quiet() {
    this.saidThought = this.saidAnswer = "";
  }

  end({ status }) {
    this.status = status;
    this.quiet();
  }

  add(row, event) {
    const full = { key: event.seq, seq: event.seq, time: event.time, label: event.label, hidden: event.hidden, ...row };
    this.rows.push(full);
    return full;
  }

  begun(event) {
    this.top = event.seq;
    Object.assign(this, { started: event.time, task: event.task ?? "", conversation: event.conversation ?? "", agent: event.agent ?? "",
      meta: event.meta ?? null, forked: event.forked ?? null, hidden: Boolean(event.hidden) });
    this.add({ kind: "task", text: event.task ?? "", effects: event.effects ?? [], policy: event.policy ?? "" }, event);
  }

  message(event) {
    if (event.text === this.task && this.rows.length === 1) return; // the task itself, as the model is told it
    this.add({ kind: "remark", word: "message", text: event.text ?? "" }, event);
  }

  intent(event) {
    if (this.asked) this.asked = null; // it goes on
    const model = "tier" in event || String(event.sink ?? "").startsWith("model:");
    if (model) {
      const tier = event.tier ?? String(event.sink).slice(6);
      this.open.set(event.seq, this.add({ kind: "thought", open: true, text: "", tier, left: event.left_out ?? 0, rule: event.rule }, event));
      return;
    }
    const tool = event.tool ?? String(event.sink ?? "").replace(/^tool:/, "");
    const row = this.add({ kind: "call", word: tool.startsWith("reply:") ? "reply" : "call", tool, args: event.args, rule: event.rule ?? "", result: null }, event);
    if (row.word === "call") this.tools += 1;
    this.open.set(event.seq, row);
  }

  decision(event) {
    const row = this.add({ kind: "decision", tool: event.tool ?? event.sink ?? "", args: event.args, verdict: event.verdict ?? "deny",
      rule: event.rule ?? "", code: event.code ?? "", why: event.why ?? "", digest: event.digest ?? "", by: event.by ?? "" }, event);
    this.asked = row.verdict === "ask" ? row : null;
  }

  approval(event) {
    this.asked = null;
    this.add({ kind: "yes", by: event.by ?? "", endorsed: event.endorsed ?? [] }, event);
  }

  outcome(event) {
    const row = this.open.get(event.of);
    this.open.delete(event.of);
    if (!row) {
      this.add({ kind: "remark", word: "result", text: event.error ?? "", value: event.value }, event);
      return;
    }
    if (row.kind === "thought") {
      const usage = event.usage ?? {};
      Object.assign(row, { open: false, text: event.thought ?? "", tokens: usage.completion ?? 0, prompt: usage.prompt ?? 0, ms: event.ms,
        model: event.model ?? "", error: event.ok === false ? event.error || "failed" : "", calls: event.calls ?? [], label: event.label,
        hidden: event.hidden });
      for (const name of ["prompt", "completion", "cached"]) this.usage[name] += usage[name] ?? 0;
      this.usage.steps += 1;
    } else {
      row.result = { ok: event.ok !== false, value: event.value, error: event.error ?? "", ms: event.ms, label: event.label, seq: event.seq,
        hidden: event.hidden, signals: event.signals };
    }
    row.drawn = (row.drawn ?? 0) + 1;
  }

  checkpoint(event) {
    if (event.uncertain) this.add({ kind: "remark", word: "uncertain", text: "It is not known whether a call was done. A person has to find out." }, event);
    else if (event.tier) this.add({ kind: "remark", word: "model", text: `goes on with the model tier ${event.tier}${event.why ? `: ${event.why}` : ""}` }, event);
  }

  finished(event) {
    for (const row of this.open.values()) row.open = false;
    Object.assign(this, { status: event.status || "done", answer: event.answer ?? "", summary: event.summary ?? "", reason: event.reason ?? "",
      confidence: event.confidence ?? "", flags: event.flags ?? [], sources: event.sources ?? [], artifacts: event.artifacts ?? [],
      rungs: event.rungs ?? {}, ended: event.time, asked: null, hidden: this.hidden || Boolean(event.hidden) });
    const usage = event.usage ?? {};
    for (const name of Object.keys(usage)) this.usage[name] = usage[name];
    this.add({ kind: "end", status: this.status, summary: this.summary || this.reason }, event);
  }

  other(event) {
    this.add({ kind: "remark", word: event.kind ?? "event", text: "" }, event);
  }

  get live() {
    return this.status === "queued" || this.status === "running";
  }
}

const HANDLERS = {
  "run.started": "begun", message: "message", intent: "intent", decision: "decision", approval: "approval", outcome: "outcome",
  checkpoint: "checkpoint", "run.finished": "finished",
};
