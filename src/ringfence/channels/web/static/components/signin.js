// Who are you: a name and a password, or the provider of the house. Nothing here says whether a name exists.
import { html, useEffect, useRef, useState } from "../lib/index.js";
import { get, post } from "../api.js";
import { tell, useStore, online } from "../state.js";
import { Button, Field } from "./ui.js";
import { Mark } from "./icon.js";
import { duration } from "./format.js";

export function SignIn({ done }) {
  const [ways, setWays] = useState(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [until, setUntil] = useState(0);
  const first = useRef(null);
  const up = useStore(online);
  useEffect(() => {
    document.title = "Sign in · Ringfence";
    get("/auth/ways").then(setWays, () => setWays({ password: true, oidc: false }));
    first.current?.focus();
  }, []);
  const left = useCountdown(until);
  const submit = async (event) => {
    event.preventDefault();
    if (busy || left > 0) return;
    const form = event.currentTarget;
    const name = form.elements.name.value.trim();
    const password = form.elements.password.value;
    setBusy(true);
    setError("");
    try {
      await post("/auth/login", { name, password });
      tell("session");
      done();
    } catch (failed) {
      form.elements.password.value = "";
      form.elements.password.focus();
      if (failed.status === 429) setUntil(Date.now() + 1000 * (failed.retryAfter || 30));
      setError(words(failed));
    } finally {
      setBusy(false);
    }
  };
  return html`<main class="signin"><div class="signin-in">
    <p class="brand big"><${Mark} /><span>Ringfence</span></p>
    <h1>Sign in</h1>
    ${ways?.password !== false && html`<form onSubmit=${submit} novalidate>
      <${Field} label="Name" name="name" autocomplete="username" autocapitalize="none" spellcheck=${false} inputRef=${first} required />
      <${Field} label="Password" name="password" type="password" autocomplete="current-password" required />
      <div class="signin-error" role="alert">${left > 0 ? html`<p class="error">Too many wrong attempts. Wait ${duration(left)}, then try again.</p>`
        : error && html`<p class="error">${error}</p>`}</div>
      <${Button} kind="primary" type="submit" busy=${busy} disabled=${left > 0 || !up}>Sign in<//>
    </form>`}
    ${ways?.oidc && html`<div class="or">${ways.password !== false && html`<p><span>or</span></p>`}<a class="button plain" href="/auth/oidc">
      <span>Sign in with your organisation</span></a></div>`}
    <p class="hint">The password was printed when the server first started. An operator makes a new one with <code>ringfence users</code>.</p>
  </div></main>`;
}

function words(error) {
  if (error.offline) return "The server does not answer. Check that it runs, then try again.";
  if (error.status === 401) return "That name and password do not belong together.";
  if (error.status === 429) return "Too many wrong attempts. Try again now.";
  return [error.what, error.todo].filter(Boolean).join(". ");
}

// Milliseconds until then, told every half second.
export function useCountdown(until) {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    if (until <= Date.now()) return undefined;
    const timer = setInterval(() => {
      set(Date.now());
      if (Date.now() >= until) clearInterval(timer);
    }, 500);
    set(Date.now());
    return () => clearInterval(timer);
  }, [until]);
  return Math.max(0, until - now);
}
