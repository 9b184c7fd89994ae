// What a run has answered: its words, what they rest on, and what the record does not prove of them.
import { html } from "../lib/index.js";
import { Markdown } from "./markdown.js";
import { openPassage } from "./passage.js";
import { Icon } from "./icon.js";

const ENDS = {
  failed: "The run failed.", cancelled: "The run was stopped.", partial: "The run ended before it was done.",
};

const sentence = (text) => text && text[0].toUpperCase() + text.slice(1);

// trail: or a run as `GET /v1/runs/{id}` gives it, which has the same names.
export function Answer({ trail }) {
  if (trail.saidAnswer && !trail.answer) return html`<div class="streaming"><${Markdown} text=${trail.saidAnswer} /></div>`;
  const flags = (trail.flags ?? []).map((flag) => (typeof flag === "string" ? flag : `${flag.kind}: ${flag.text} (${flag.why})`));
  const sources = trail.sources ?? [];
  return html`<div class="answer">
    ${ENDS[trail.status] && html`<p class=${`ended ${trail.status}`}><${Icon} name="warn" size=${17} /><span>${ENDS[trail.status]} ${trail.answer ? "" : sentence(trail.summary || trail.reason || "")}</span></p>`}
    ${trail.answer ? html`<${Markdown} text=${trail.answer} sources=${sources} cite=${openPassage} />` : !ENDS[trail.status] && trail.status === "done" && html`<p class="dim">${trail.hidden ? "The answer is not yours to read." : "It ended without words."}</p>`}
    ${flags.length > 0 && html`<aside class="flags" aria-label="Not proven"><p><${Icon} name="warn" size=${16} /> <b>The record does not prove this</b></p><ul>${flags.map((flag, n) => html`<li key=${n}>${flag}</li>`)}</ul></aside>`}
    ${sources.length > 0 && html`<div class="sources"><h4>Sources</h4><ol>${sources.map((source) => html`<li key=${source.n}><button type="button" onClick=${() => openPassage(source)}>
      <span class="cite">${source.n}</span><span class="source-title">${source.title || source.document}</span>
      <span class="source-where">${[source.headings, source.page ? `page ${source.page}` : "", source.title ? source.document : ""].filter(Boolean).join(" · ")}</span></button></li>`)}</ol></div>`}
    ${(trail.artifacts ?? []).length > 0 && html`<p class="artifacts">Files: ${trail.artifacts.map((one, n) => html`${n > 0 && ", "}<code key=${one}>${one}</code>`)}</p>`}
  </div>`;
}
