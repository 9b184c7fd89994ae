// Inclusion proofs (RFC 9162, 2.1.3.2) computed in the reader's own browser, and heads (C2SP checkpoints) read.

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hash = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));

// Whether the record's header leads to the root that its head names; null where the browser computes no hashes.
export async function included(proof) {
  if (!globalThis.crypto?.subtle) return null; // only on https and on this machine
  const head = parsedHead(proof.head);
  const leaf = await hash(Uint8Array.of(0), new TextEncoder().encode(proof.header));
  if (hex(leaf) !== proof.leaf || head.size !== proof.size || proof.index >= proof.size) return false;
  let node = leaf;
  let place = proof.index;
  let last = proof.size - 1;
  for (const step of proof.path.map(unhex)) {
    if (last === 0) return false;
    if (place % 2 || place === last) {
      node = await hash(Uint8Array.of(1), step, node);
      while (place % 2 === 0 && place !== 0) [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
    } else {
      node = await hash(Uint8Array.of(1), node, step);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && hex(node) === hex(Uint8Array.from(atob(head.root), (character) => character.charCodeAt(0)));
}

// {origin, size, root (base64), time (ms), signers} of a signed note; what is none has size 0 and no signers.
export function parsedHead(note) {
  const [body = "", below = ""] = String(note ?? "").split("\n\n");
  const [origin = "", size = "", root = "", ...more] = body.split("\n");
  const time = more.map((line) => /^time (\d+)$/.exec(line)?.[1]).find(Boolean);
  const signers = below.split("\n").map((line) => /^— (\S+) /.exec(line)?.[1]).filter(Boolean);
  return { origin, size: Number(size) || 0, root, time: Number(time) || 0, signers: [...new Set(signers)] };
}

// A record's header as an object; null for one that is no JSON.
export function headerOf(header) {
  try {
    return JSON.parse(header);
  } catch {
    return null;
  }
}
