// Where the reader is: `#/ROOM/REST...?query`. Rooms get `{room, rest: [..], query: URLSearchParams}`.
import { html, useEffect, useRef, useState } from "./lib/index.js";

export function read(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [room = "", ...rest] = path.split("/").filter(Boolean).map(decode);
  return { room: room || "chat", rest, query: new URLSearchParams(query) };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a `%` that a person has typed
  }
}

// `to("runs", id)` is "#/runs/ID"; the last argument may be an object of query parameters.
export function to(...parts) {
  const query = typeof parts.at(-1) === "object" ? parts.pop() : {};
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const tail = given.length ? `?${new URLSearchParams(given)}` : "";
  return `#/${parts.filter((part) => part !== "").map(encodeURIComponent).join("/")}${tail}`;
}

export function go(...parts) {
  location.hash = to(...parts);
}

// Another address for what is already shown: no entry of the history, no new focus.
export function rename(...parts) {
  history.replaceState(null, "", to(...parts));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute() {
  const drawn = useRef(location.hash);
  const [route, set] = useState(read);
  useEffect(() => {
    const changed = () => set(read());
    addEventListener("hashchange", changed);
    if (location.hash !== drawn.current) changed(); // it changed between the first drawing and now
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

export function Link({ parts, children, ...rest }) {
  return html`<a href=${to(...parts)} ...${rest}>${children}</a>`;
}
