// How it stands: the model, what is at work, and what was decided. More for who runs the server.
import { html, useEffect, useState } from "../lib/index.js";
import { get, post, remove } from "../api.js";
import { session, toast, useStore } from "../state.js";
import { bytes, count, duration, Exact, plural, Time } from "../components/format.js";
import { RoomHead } from "../components/head.js";
import { Button, Card, Chip, Confirm, Empty, Failure, Field, Loading, Table, useLoad } from "../components/ui.js";

const AGAIN_MS = 5000;

export default function Status() {
  const who = useStore(session);
  const { data, error, loading, again } = useLoad((signal) => get("/v1/status", { signal }), []);
  const [at, setAt] = useState(0);
  useEffect(() => {
    if (data) setAt(Date.now());
  }, [data]);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && again(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const admin = (who?.roles ?? []).includes("role:admin");
  return html`<div class="room"><${RoomHead} title="Status" about="How the agent stands: its model, its queue, and what was decided." >
      ${at > 0 && html`<span class="dim">as of <${Time} ms=${at} /></span>`}<//>
    ${!data && loading && html`<${Loading} label="Asking the server" rows=${8} />`}
    ${error && !data && html`<${Failure} error=${error} retry=${again} />`}
    ${data && html`<${Shown} data=${data} />`}
    ${admin && html`<${People} /><${Keys} />`}</div>`;
}
function Shown({ data }) { return html`<pre class="wrap">${JSON.stringify(data, null, 2)}</pre>`; }
function People() { return null; }
function Keys() { return null; }
