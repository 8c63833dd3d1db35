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

/** Whether a head is signed by the key that comes with it; null where the browser has no Ed25519. */
export async function signed(head) {
  const raw = bytes(head.public_key);
  let key;
  try {
    key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  } catch (error) {
    if (error.name === "DataError") return false;
    return null;
  }
  const id = hex(await crypto.subtle.digest("SHA-256", raw)).slice(0, 16);
  return id === head.key_id && crypto.subtle.verify("Ed25519", key, bytes(head.signature), signedBytes(head));
}

/** The bytes that a head's signature covers, as `SignedHead.signed_bytes` makes them. */
function signedBytes(head) {
  const text = new TextEncoder();
  const [mark, tenant, root, key] = [text.encode("tallypost signed head 1\0"), text.encode(head.tenant), bytes(head.root), bytes(head.key_id)];
  // Always UTC and to the microsecond, which a Date cannot hold.
  const at = BigInt(Date.parse(`${head.recorded_at.slice(0, 19)}Z`)) * 1000n + BigInt(head.recorded_at.slice(20, 26));
  const all = new Uint8Array(mark.length + 4 + tenant.length + 8 + root.length + 8 + key.length);
  const view = new DataView(all.buffer);
  let place = mark.length;
  all.set(mark);
  view.setUint32(place, tenant.length);
  all.set(tenant, place += 4);
  view.setBigUint64(place += tenant.length, BigInt(head.position));
  all.set(root, place += 8);
  view.setBigInt64(place += root.length, at);
  all.set(key, place + 8);
  return all;
}
