// The frame around the rooms: the way between them, who is signed in, what waits for them, and whether the server answers.
import { html, useEffect, useRef, useState } from "../lib/index.js";
import { alive, get, post } from "../api.js";
import { announce, approvals, online, session, setTheme, tell, theme, toast, useNews, useStore } from "../state.js";
import { to } from "../router.js";
import { Icon, Mark } from "./icon.js";
import { Button, names } from "./ui.js";

const POLL_MS = 5000;
const WAYS = [
  ["chat", "Chat", "chat"],
  ["approvals", "Approvals", "approvals"],
  ["runs", "Runs", "runs"],
  ["memory", "Memory", "memory"],
  ["collections", "Collections", "collections"],
  ["audit", "Audit", "audit"],
  ["people", "People", "people", "role:admin"],
  ["status", "Status", "status"],
];

export function Shell({ who, route, main, children }) {
  const [open, setOpen] = useState(false);
  const toggle = useRef(null);
  useApprovals();
  useEffect(() => setOpen(false), [route.room, route.rest.join("/")]);
  useEffect(() => {
    if (!open) return undefined;
    const close = (event) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      toggle.current?.querySelector("button")?.focus();
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [open]);
  return html`<div class=${names("shell", open && "nav-open")}>
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the page</a>
    <header class="bar"><span ref=${toggle}><${Button} kind="quiet" icon="menu" label="Menu" aria-expanded=${open} aria-controls="nav"
      onClick=${() => setOpen(!open)} /></span><span class="brand"><${Mark} /><span>${who.agent || "Ringfence"}</span></span>
      <${WaitingLink} /></header>
    <nav id="nav" class="nav" aria-label="Rooms">
      <p class="brand"><${Mark} /><span>${who.agent || "Ringfence"}</span></p>
      <ul>${WAYS.filter(([, , , role]) => !role || (who.roles ?? []).includes(role)).map(([room, label, icon]) => html`<li key=${room}><a href=${to(room)} aria-current=${route.room === room ? "page" : undefined}>
        <${Icon} name=${icon} /><span>${label}</span>${room === "approvals" && html`<${Count} />`}</a></li>`)}</ul>
      <${Foot} who=${who} /></nav>
    ${open && html`<div class="veil" onClick=${() => setOpen(false)}></div>`}
    <main id="main" class="main" tabindex="0" ref=${main} inert=${open && matchMedia("(max-width: 899px)").matches}>${children}</main></div>`;
}

function Count() {
  const n = useStore(approvals).filter((one) => one.may_answer !== false).length;
  return n > 0 && html`<span class="count">${n}<span class="sr"> waiting</span></span>`;
}

function WaitingLink() {
  const n = useStore(approvals).filter((one) => one.may_answer !== false).length;
  return n > 0 && html`<a class="bar-waiting" href=${to("approvals")}><${Icon} name="approvals" /><span>${n}<span class="sr"> waiting for your answer</span></span></a>`;
}

const THEMES = [["system", "half", "As the system"], ["light", "sun", "Light"], ["dark", "moon", "Dark"]];

function Foot({ who }) {
  const now = useStore(theme);
  return html`<div class="nav-foot">
    <div class="themes" role="group" aria-label="Colours">${THEMES.map(([name, icon, label]) => html`<button key=${name} type="button"
      aria-pressed=${now === name} title=${label} onClick=${() => setTheme(name)}><${Icon} name=${icon} label=${label} size=${16} /></button>`)}</div>
    <div class="who"><a href=${to("account")} title="Your account"><span class="who-name">${who.name}</span>
      <span class="who-roles">${(who.roles ?? []).filter((role) => role.startsWith("role:")).map((role) => role.slice(5)).join(", ") || "no roles"}</span></a>
      <${Button} kind="quiet" icon="out" label="Sign out" onClick=${signOut} /></div></div>`;
}

async function signOut() {
  let left = null;
  try {
    left = await post("/auth/logout");
  } catch (error) {
    if (error.status !== 401) {
      toast(`You are still signed in: ${error.what}`, { tone: "bad" });
      return;
    }
  }
  tell("signed-out");
  if (left?.next) location.assign(left.next); // the provider signs them out as well, and sends them back
  else session.set(null);
}

// What waits for this person, every few seconds while the page is seen, and at once when something says so.
function useApprovals() {
  const known = useRef(null);
  const look = async () => {
    try {
      const found = (await get("/v1/approvals")).data ?? [];
      const fresh = found.filter((one) => !known.current?.has(one.digest));
      if (known.current && fresh.length) announce(`${fresh.length} new ${fresh.length === 1 ? "call waits" : "calls wait"} for your answer`);
      known.current = new Set(found.map((one) => one.digest));
      approvals.set(found);
    } catch {
      // the banner says that the server does not answer; the next look follows
    }
  };
  useEffect(() => {
    look();
    const timer = setInterval(() => document.visibilityState === "visible" && look(), POLL_MS);
    const seen = () => document.visibilityState === "visible" && look();
    document.addEventListener("visibilitychange", seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, []);
  useNews(({ what }) => what === "approvals" && look());
}

// The line is down: say so, look again by itself, and say when it is back.
export function Offline() {
  const up = useStore(online);
  const was = useRef(true);
  useEffect(() => {
    if (up && !was.current) toast("The server answers again.", { tone: "good", seconds: 4 });
    was.current = up;
    if (up) return undefined;
    const look = async () => (await alive()) && online.set(true);
    const timer = setInterval(look, 3000);
    addEventListener("online", look);
    return () => {
      clearInterval(timer);
      removeEventListener("online", look);
    };
  }, [up]);
  useEffect(() => {
    const down = () => online.set(false);
    addEventListener("offline", down);
    return () => removeEventListener("offline", down);
  }, []);
  return html`<div class="offline" role="alert">${!up && html`<p><${Icon} name="warn" size=${16} /><span>The server does not answer. What you see is kept; the page goes on by itself.</span></p>`}</div>`;
}
