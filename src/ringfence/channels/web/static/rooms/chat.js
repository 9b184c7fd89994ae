import { html } from "../lib/index.js";
import { RoomHead } from "../components/head.js";
export default function Chat() {
  return html`<div class="room"><${RoomHead} title="Chat" /></div>`;
}
