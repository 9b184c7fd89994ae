// A citation opened: the passage as it stands in the document, with the words that the answer rests on marked.
import { html } from "../lib/index.js";
import { get, url } from "../api.js";
import { store, useStore } from "../state.js";
import { Chip, Failure, LabelChips, Loading, Sheet, useLoad } from "./ui.js";
import { Exact } from "./format.js";

const opened = store(null);

// source: {n, document, title, page, headings, chars, at, quote}; chars and at as [start, end] or "start-end".
export function openPassage(source) {
  opened.set(source);
}

export function PassageSheet() {
  const source = useStore(opened);
  return source && html`<${Passage} key=${JSON.stringify(source)} source=${source} />`;
}

export function span(given) {
  const [start, end] = Array.isArray(given) ? given : String(given ?? "").split("-").map(Number);
  return end > 0 ? [start, end] : null;
}

function Passage({ source }) {
  const around = span(source.chars) ?? span(source.at);
  const { data, error, loading, again } = useLoad((signal) => get(url("/v1/passages", {
    document: source.document, start: around?.[0], end: around?.[1],
  }), { signal }), []);
  return html`<${Sheet} title=${source.title || source.document} onClose=${() => opened.set(null)}>
    <p class="chips"><${Chip} tone="accent">[${source.n}]<//><${Chip}>${source.document}<//>
      ${source.page > 0 && html`<${Chip}>page ${source.page}<//>`}${source.headings && html`<${Chip}>${source.headings}<//>`}
      <${LabelChips} label=${data && { trust: data.trust, readers: data.readers }} /></p>
    ${data?.outdated && html`<p class="flags">Outdated: ${data.outdated}</p>`}
    ${loading && html`<${Loading} rows=${5} />`}
    ${error && html`<${Failure} error=${error} retry=${again} title=${error.status === 404 ? "The passage is not there any more" : undefined} />
      ${source.quote && html`<p>The answer rests on these words, as they were on record:</p><blockquote class="quote"><${Exact} text=${source.quote} /></blockquote>`}`}
    ${data && html`<div class="passage"><${Marked} text=${data.text ?? ""} quote=${source.quote} at=${span(source.at)} from=${data.start ?? around?.[0] ?? 0} /></div>`}
  <//>`;
}

// The quote marked where the record says that it stands; searched for where the document does not say.
function Marked({ text, quote, at, from }) {
  let begin = at ? at[0] - from : -1;
  let end = at ? at[1] - from : -1;
  if (quote && text.slice(begin, end) !== quote) {
    begin = text.indexOf(quote);
    end = begin + quote.length;
  }
  if (begin < 0 || end > text.length || end <= begin) return html`<${Exact} text=${text} />`;
  return html`<${Exact} text=${text.slice(0, begin)} /><mark><${Exact} text=${text.slice(begin, end)} /></mark><${Exact} text=${text.slice(end)} />`;
}
