// The page: sign-in, the frame around the rooms, and what concerns all of them.
//
// For whoever builds a room (static/rooms/NAME.js): export default a component that is given {route}, see router.js.
//   components/ui.js       Button, Card, Empty, Failure, Loading, Table, Chip, StatusChip, LabelChips, Field,
//                          Select, Dialog, Sheet (a Dialog at the side), Confirm, useLoad(load, deps)
//   components/format.js   Time, ago, exact, duration, bytes, count, plural, Exact (unseen characters seen), written
//   components/icon.js     Icon
//   components/head.js     RoomHead({title, children: actions})
//   components/run.js      RunView({id}): a run with its live timeline, its approval and its controls (runs.js: #/runs/ID)
//   components/passage.js  openPassage(source): a citation in the side sheet
//   components/markdown.js Markdown({text, sources}): sanitised, never innerHTML
//   api.js                 get, post, patch, remove, url, upload, follow, Failed {status, code, what, todo}
//   state.js               session, online, approvals, useStore, tell, useNews, toast, announce
//   router.js              go, to, Link, rename, useRoute
// No inline style or script, no innerHTML (the CSP holds it: trusted types); a width that is computed is set by
// `style=${{width: ...}}`, which Preact sets through the CSSOM.
import { html, render, useEffect, useRef, useState } from "./lib/index.js";
import { get } from "./api.js";
import { Failure, Loading, Toasts } from "./components/ui.js";
import { Offline, Shell } from "./components/shell.js";
import { SignIn } from "./components/signin.js";
import { PassageSheet } from "./components/passage.js";
import { useRoute } from "./router.js";
import { online, said, session, useNews, useStore, wear } from "./state.js";
import Chat from "./rooms/chat.js";

// What is seldom needed comes when it is.
const ROOMS = {
  chat: { title: "Chat", room: Chat },
  approvals: { title: "Approvals", load: () => import("./rooms/approvals.js") },
  runs: { title: "Runs", load: () => import("./rooms/runs.js") },
  memory: { title: "Memory", load: () => import("./rooms/memory.js") },
  collections: { title: "Collections", load: () => import("./rooms/collections.js") },
  audit: { title: "Audit", load: () => import("./rooms/audit.js") },
  people: { title: "People", load: () => import("./rooms/people.js") },
  status: { title: "Status", load: () => import("./rooms/status.js") },
  account: { title: "Account", load: () => import("./rooms/account.js") },
};

async function known() {
  try {
    session.set(await get("/auth/session"));
  } catch (error) {
    if (error.status === 401 || error.status === 403) session.set(null);
    else throw error;
  }
}

function App() {
  const who = useStore(session);
  const [error, setError] = useState(null);
  const look = () => {
    setError(null);
    known().catch(setError);
  };
  useEffect(look, []);
  useNews(({ what, here }) => {
    if (here) return;
    if (what === "signed-out") session.set(null);
    if (what === "session") look();
  });
  const up = useStore(online);
  useEffect(() => {
    if (up && error) look();
  }, [up]);
  useEffect(() => {
    if (who !== undefined) performance.mark("ready"); // something can be done here from now on
  }, [who === undefined]);
  if (error && who === undefined) return html`<${Offline} /><main class="alone"><${Failure} error=${error} retry=${look} /></main>`;
  if (who === undefined) return html`<main class="alone"><${Loading} label="Opening the page" /></main>`;
  return html`<${Offline} />${who ? html`<${Inside} who=${who} />` : html`<${SignIn} done=${look} />`}
    <${Toasts} /><${Said} />`;
}

function Said() {
  return html`<div class="sr" role="status" aria-live="polite" aria-atomic="true">${useStore(said)}</div>`;
}

function Inside({ who }) {
  const route = useRoute();
  const room = ROOMS[route.room];
  const main = useRef(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${room?.title ?? "Not here"} · ${who.agent || "Ringfence"}`;
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [route.room]);
  return html`<${Shell} who=${who} route=${route} main=${main}>
    ${room ? html`<${Room} key=${route.room} room=${room} route=${route} />`
      : html`<div class="room"><h1 class="sr">Not here</h1><${Failure} title="There is no such page" error=${{ what: `#/${route.room} is not one of this page's rooms` }} /></div>`}
    <${PassageSheet} />
  <//>`;
}

function Room({ room, route }) {
  const [Found, setFound] = useState(() => room.room ?? null);
  const [error, setError] = useState(null);
  useEffect(() => {
    if (!Found) room.load().then((module) => setFound(() => module.default), setError);
  }, []);
  // a module that did not come is not asked for twice by the browser: the page has to begin anew
  if (error) return html`<${Failure} title="This part of the page did not come" error=${error} retry=${() => location.reload()} />`;
  return Found ? html`<${Found} route=${route} />` : html`<${Loading} />`;
}

wear();
render(html`<${App} />`, document.getElementById("app"));
