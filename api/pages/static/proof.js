// RFC 9162 inclusion, checked in the reader's own browser: leaf and path lead to the head's root.

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (one) => one.toString(16).padStart(2, "0")).join("");

async function node(left, right) {
  const both = new Uint8Array(1 + left.length + right.length);
  both[0] = 1;
  both.set(left, 1);
  both.set(right, 1 + left.length);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", both));
}

/** Whether browsers let us compute digests here (https or localhost). */
export const canVerify = () => Boolean(globalThis.crypto?.subtle);

/** The root that a leaf at a log position leads to in a tree of `size` leaves; null if it cannot be. */
export async function rootOf(leaf, path, position, size) {
  let at = position - 1;
  let last = size - 1;
  let root = bytes(leaf);
  for (const step of path.map(bytes)) {
    if (last === 0) return null;
    if (at % 2 === 1 || at === last) {
      root = await node(step, root);
      while (at % 2 === 0 && at !== 0) { at /= 2; last = Math.floor(last / 2); }
    } else root = await node(root, step);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hex(root) : null;
}

/** Whether an event's proof holds against a head. */
export async function proves(step, head) {
  return (await rootOf(step.proof.leaf, step.proof.inclusion, step.position, head.position)) === head.root;
}
