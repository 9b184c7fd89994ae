// Everything that waits for this person.
import { html } from "../lib/index.js";
import { approvals, useStore } from "../state.js";
import { ApprovalCard } from "../components/approval.js";
import { RoomHead } from "../components/head.js";
import { Empty } from "../components/ui.js";

export default function Approvals() {
  const all = useStore(approvals);
  return html`<div class="room narrow"><${RoomHead} title="Approvals" about="Calls that a run may not make without a person. Each answer holds for exactly what is shown." />
    ${all.length ? all.map((one) => html`<${ApprovalCard} key=${one.digest} asked=${one} />`)
      : html`<${Empty} icon="approvals" title="Nothing waits for you">A run that needs a yes stops here, and you see what it would do, with which values, and where they come from.<//>`}</div>`;
}
