// @ts-check
// SHA-256 as hexadecimal: by the browser, or by hand (FIPS 180-4 §6.2) on a page loaded without https, where
// browsers offer no digests.

/** @param {ArrayBuffer} bytes */
export async function sha256(bytes) {
  const digest = globalThis.crypto?.subtle ? await crypto.subtle.digest('SHA-256', bytes) : byHand(new Uint8Array(bytes)).buffer;
  return [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, '0')).join('');
}

/** @param {Uint8Array} message */
export function byHand(message) {
  /** @type {number[]} */ const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (/** @type {number} */ x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  const K = primes.map((p) => fraction(Math.cbrt(p)));
  const H = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
  const padded = new Uint8Array((message.length + 72) & ~63);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  const rotate = (/** @type {number} */ x, /** @type {number} */ n) => (x >>> n) | (x << (32 - n));
  const W = new Int32Array(64);
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d, e, f, g, h] = H;
    for (let t = 0; t < 64; t++) {
      const [w15, w2] = [W[t - 15], W[t - 2]];
      W[t] = t < 16 ? view.getInt32(block + 4 * t)
        : (rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10)) + W[t - 7] + (rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3)) + W[t - 16];
      const t1 = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + W[t]) | 0;
      const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { H[i] += value; });
  }
  const out = new Uint8Array(32);
  H.forEach((value, i) => new DataView(out.buffer).setInt32(4 * i, value));
  return out;
}
