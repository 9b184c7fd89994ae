// What a model writes, drawn. marked reads it into tokens; every token becomes an element here, of this list alone.
// There is no HTML on the way: a tag in the text is text. No image is ever loaded. A link says where it leads.
import { html, useEffect, useMemo, useState } from "../lib/index.js";
import { Icon } from "./icon.js";
import { Button } from "./ui.js";
import { toast } from "../state.js";

const SCHEMES = new Set(["http:", "https:", "mailto:"]);
const DEEPEST = 24; // lists in lists in quotes: beyond, it is text
const LONGEST = 200_000; // characters of one answer; the record has all of it
let lexer = null;
let arriving = null;

// It comes with the first answer, not with the page; without it a text is shown as it is.
function arrive() {
  arriving ??= import("../lib/marked.js").then((module) => {
    lexer = (text) => new module.Lexer({ gfm: true }).lex(text);
  });
  return arriving;
}

// sources: [{n, ...}] makes [n] a button; `cite(source)` opens it.
export function Markdown({ text, sources = [], cite }) {
  const [ready, set] = useState(Boolean(lexer));
  useEffect(() => {
    if (!ready) arrive().then(() => set(true), () => {});
  }, []);
  const tokens = useMemo(() => {
    if (!lexer) return null;
    try {
      return lexer(text.slice(0, LONGEST));
    } catch {
      return null; // a text that marked cannot read is still a text
    }
  }, [text, ready]);
  const draw = { sources: new Map(sources.map((source) => [source.n, source])), cite };
  if (!tokens) return html`<div class="md"><p class="as-is">${text}</p></div>`;
  return html`<div class="md">${blocks(tokens, draw, 0)}</div>`;
}

function blocks(tokens, draw, depth) {
  return (tokens ?? []).map((token) => block(token, draw, depth + 1));
}

function block(token, draw, depth) {
  if (depth > DEEPEST) return html`<p>${token.raw}</p>`;
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "paragraph":
      return html`<p>${inlines(token.tokens, draw, depth)}</p>`;
    case "text":
      return token.tokens ? inlines(token.tokens, draw, depth) : entities(token.text);
    case "heading": {
      const level = Math.min(token.depth + 2, 6); // the page's own headings stand above
      return html`<${`h${level}`} class=${`md-h h-${token.depth}`}>${inlines(token.tokens, draw, depth)}<//>`;
    }
    case "code":
      return html`<${Code} text=${token.text} lang=${token.lang ?? ""} />`;
    case "blockquote":
      return html`<blockquote>${blocks(token.tokens, draw, depth)}</blockquote>`;
    case "hr":
      return html`<hr />`;
    case "list":
      return token.ordered ? html`<ol start=${Number(token.start) || 1}>${items(token, draw, depth)}</ol>` : html`<ul>${items(token, draw, depth)}</ul>`;
    case "table":
      return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Table"><table><thead><tr>${token.header.map((cell, n) =>
        html`<th scope="col" class=${side(token.align[n])}>${inlines(cell.tokens, draw, depth)}</th>`)}</tr></thead><tbody>${token.rows.map((row) =>
        html`<tr>${row.map((cell, n) => html`<td class=${side(token.align[n])}>${inlines(cell.tokens, draw, depth)}</td>`)}</tr>`)}</tbody></table></div>`;
    default: // html, and whatever comes to marked later: the text as it was written
      return html`<p>${token.raw}</p>`;
  }
}

function items(token, draw, depth) {
  return token.items.map((item) => html`<li class=${item.task ? "task" : undefined}>${item.task &&
    html`<span class="box" role="img" aria-label=${item.checked ? "done" : "open"}>${item.checked ? "☑" : "☐"}</span>`}${blocks(
    item.tokens.filter((one) => one.type !== "checkbox"), draw, depth)}</li>`);
}

const side = (align) => (align === "right" || align === "center" ? align : undefined);

function inlines(tokens, draw, depth) {
  if (depth > DEEPEST) return (tokens ?? []).map((token) => token.raw);
  return (tokens ?? []).map((token) => inline(token, draw, depth + 1));
}

function inline(token, draw, depth) {
  switch (token.type) {
    case "text":
      return token.tokens ? inlines(token.tokens, draw, depth) : cited(entities(token.text), draw);
    case "escape":
      return token.text;
    case "strong":
      return html`<strong>${inlines(token.tokens, draw, depth)}</strong>`;
    case "em":
      return html`<em>${inlines(token.tokens, draw, depth)}</em>`;
    case "del":
      return html`<del>${inlines(token.tokens, draw, depth)}</del>`;
    case "codespan":
      return html`<code>${token.text}</code>`;
    case "br":
      return html`<br />`;
    case "link":
      return html`<${Away} href=${token.href} written=${token.raw}>${inlines(token.tokens, { ...draw, sources: new Map() }, depth)}<//>`;
    case "image":
      return html`<span class="no-image" title=${token.href}><${Icon} name="image" size=${16} /><span>${token.text || "image"}</span>
        <span class="host">not loaded: ${host(token.href) || "no address"}</span></span>`;
    default:
      return token.raw;
  }
}

function target(href) {
  try {
    const found = new URL(entities(href)); // absolute alone: a relative one would lead into this page
    return SCHEMES.has(found.protocol) ? found : null;
  } catch {
    return null;
  }
}

function host(href) {
  const found = target(href);
  if (!found) return "";
  if (found.protocol !== "mailto:") return found.host;
  try {
    return decodeURIComponent(found.pathname);
  } catch {
    return found.pathname; // a lone percent sign
  }
}

function Away({ href, written, children }) {
  const found = target(href);
  if (!found) return html`<span class="no-link" title="this leads nowhere that a page may lead">${children}</span>`;
  const plain = written.trim().replace(/^<|>$/g, "") === href; // an address that says itself where it leads
  return html`<a class="away" href=${found.href} target="_blank" rel="noopener noreferrer nofollow" title=${found.href}>${children}${!plain &&
    html`<span class="host"> (${host(href)})</span>`}<span class="sr"> opens in a new tab</span></a>`;
}

// "[1]" and "[1, 3]" where the answer has such sources.
function cited(text, { sources, cite }) {
  if (!sources.size || !cite) return text;
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(/\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g)) {
    const given = found[1].split(",").map((n) => sources.get(Number(n)));
    if (given.some((source) => !source)) continue;
    parts.push(text.slice(at, found.index));
    parts.push(...given.map((source) => html`<button type="button" class="cite" onClick=${() => cite(source)}
      aria-label=${`Source ${source.n}: ${source.title || source.document}`} title=${source.title || source.document}>${source.n}</button>`));
    at = found.index + found[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}

const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", hellip: "…", mdash: "—", ndash: "–", rarr: "→", times: "×", euro: "€" };

function entities(text) {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name) return NAMED[name] ?? whole;
    const point = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

function Code({ text, lang = "" }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied.", { seconds: 2 });
    } catch {
      toast("The browser does not allow copying here: select the text.", { tone: "bad" });
    }
  };
  return html`<figure class="code"><figcaption><span>${lang.split(/\s/)[0]}</span><${Button} small kind="quiet" icon="copy" label="Copy" onClick=${copy} /></figcaption>
    <pre tabindex="0"><code>${text}</code></pre></figure>`;
}
