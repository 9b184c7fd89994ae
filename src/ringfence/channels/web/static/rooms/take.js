// Files that the reader takes along, and what waits until they have stopped typing.
import { useEffect, useRef } from "../lib/index.js";

// Save text as a file of the reader's own: nothing leaves the page.
export function download(name, text, type = "text/plain") {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// `act`, once nothing has called it for `ms`; forgotten when the room is left.
export function useLater(act, ms) {
  const timer = useRef(0);
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => () => clearTimeout(timer.current), []);
  return (...given) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current(...given), ms);
  };
}
