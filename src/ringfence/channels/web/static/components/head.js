// The top of a room: its name, what it is for, and what can be done here.
import { html } from "../lib/index.js";

export function RoomHead({ title, about, children }) {
  return html`<header class="room-head"><div><h1>${title}</h1>${about && html`<p class="about">${about}</p>`}</div>
    ${children && html`<div class="actions">${children}</div>`}</header>`;
}
