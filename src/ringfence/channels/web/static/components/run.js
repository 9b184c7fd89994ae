import { html } from "../lib/index.js";
export function RunView({ id }) {
  return html`<p>${id}</p>`;
}
