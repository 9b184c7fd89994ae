// A long list of which only what is seen is drawn. Rows may be of any height: they are measured as they are drawn.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/index.js";

const GUESS = 40; // px of a row that was not measured yet
const AROUND = 400; // px that are drawn above and below what is seen
const FEW = 60; // rows that are simply all drawn

// rows: [{key, ...}], changed in place; `version` says when. `row(one, n)` draws one. `follow`: stay at the end.
export function Windowed({ rows, version, row, follow, label }) {
  const heights = useRef(new Map());
  const box = useRef(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [measured, again] = useState(0);
  const stuck = useRef(true);
  const many = rows.length > FEW;
  const { tops, total } = useMemo(() => places(rows, heights.current), [rows, rows.length, version, measured]);
  useLayoutEffect(() => {
    const one = box.current;
    if (one && follow && stuck.current && many) one.scrollTop = one.scrollHeight;
  }, [rows.length, total, follow, many]);
  useEffect(() => {
    const one = box.current;
    if (!one || !many) return undefined;
    let frame = 0;
    const look = () => {
      frame = 0;
      stuck.current = one.scrollTop + one.clientHeight >= one.scrollHeight - 24;
      setView({ top: one.scrollTop, height: one.clientHeight });
    };
    const moved = () => (frame ||= requestAnimationFrame(look));
    one.addEventListener("scroll", moved, { passive: true });
    const seen = new ResizeObserver(moved);
    seen.observe(one);
    look();
    return () => {
      one.removeEventListener("scroll", moved);
      seen.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [many]);
  const sizes = useSizes(heights, again);
  if (!many) return html`<ol class="rows" aria-label=${label}>${rows.map((one, n) => html`<${Plain} key=${one.key} one=${one} stamp=${stamp(one, version)} draw=${row} />`)}</ol>`;
  const first = Math.max(0, find(tops, view.top - AROUND));
  const last = Math.min(rows.length, find(tops, view.top + view.height + AROUND) + 1);
  return html`<div class="rows-box" ref=${box} tabindex="0" role="region" aria-label=${label}>
    <ol class="rows windowed" style=${{ height: `${total}px` }}>${rows.slice(first, last).map((one, n) => html`<${Placed} key=${one.key} one=${one}
      stamp=${stamp(one, version)} draw=${row} top=${tops[first + n]} at=${first + n + 1} of=${rows.length} sizes=${sizes} />`)}</ol></div>`;
}

function places(rows, heights) {
  const tops = new Array(rows.length);
  let total = 0;
  for (let n = 0; n < rows.length; n += 1) {
    tops[n] = total;
    total += heights.get(rows[n].key) ?? GUESS;
  }
  return { tops, total };
}

// The last row that begins at or above `y`.
export function find(tops, y) {
  let low = 0;
  let high = tops.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle] <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

// A row is drawn anew when something of it has changed: not when others have, or when the reader moves.
const stamp = (one, version) => `${one.drawn ?? 0}:${one.open ? version : ""}`;

function Plain({ one, stamp: now, draw }) {
  return html`<li>${useMemo(() => draw(one), [one, now])}</li>`;
}

function Placed({ one, stamp: now, draw, top, at, of, sizes }) {
  const ref = useRef(null);
  const drawn = useMemo(() => draw(one), [one, now]);
  useEffect(() => sizes.watch(ref.current, one.key), [one.key]);
  return html`<li ref=${ref} class="placed" style=${{ transform: `translateY(${top}px)` }} aria-posinset=${at} aria-setsize=${of}>${drawn}</li>`;
}

// One observer for all rows: their heights come together, after the browser has laid them out anyway.
function useSizes(heights, again) {
  const sizes = useMemo(() => {
    const keys = new Map();
    const observer = new ResizeObserver((entries) => {
      let changed = false;
      for (const { target, borderBoxSize } of entries) {
        const height = borderBoxSize[0].blockSize;
        if (!height || Math.abs((heights.current.get(keys.get(target)) ?? 0) - height) < 0.5) continue;
        heights.current.set(keys.get(target), height);
        changed = true;
      }
      if (changed) again((n) => n + 1);
    });
    return {
      stop: () => observer.disconnect(),
      watch(element, key) {
        keys.set(element, key);
        observer.observe(element);
        return () => {
          observer.unobserve(element);
          keys.delete(element);
        };
      },
    };
  }, []);
  useEffect(() => sizes.stop, []);
  return sizes;
}
