// @ts-check
// The host's API (`/api/v1`), and nothing else, on the origin that served the page. Only documents pass
// here, and they are signed; answers are sealed as well.
import { Failure } from './matcher.js';

const API = new URL('/api/v1/', document.baseURI).href;
const BYTES = 'application/octet-stream';

/** More bytes than a head has (SPEC §2); bytes of a piece of an answer. */
const [HEAD_BYTES, PIECE_BYTES] = [66_000, 1 << 20];
/** What a line that broke looks like, and how long is waited before the next try, in milliseconds. */
const BROKEN = ['host_unreachable', 'too_slow', 'cut', 'upload_offset', 'too_many_uploads', 'http_502', 'http_503', 'http_504'];
const WAITS = [500, 1_000, 2_000, 4_000, 8_000];

export const base64 = (/** @type {Uint8Array} */ bytes) => btoa(String.fromCharCode(...bytes));
export const hex = (/** @type {Uint8Array} */ bytes) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
const unbase64 = (/** @type {string} */ text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** A signed-in session with the host. */
export class Host {
  #token = '';

  /**
   * Sign-in by key (SPEC §9): the signature is made in the Worker.
   * @param {import('./matcher.js').Matcher} matcher @param {string} key hexadecimal
   */
  async signIn(matcher, key) {
    const { challenge, host } = await this.#json('POST', 'sign-in/challenge', { key });
    const signed = await matcher.ask('signIn', { host, challenge: unbase64(challenge) });
    const { token } = await this.#json('POST', 'sign-in', { key, challenge, signature: base64(signed.signature) });
    this.#token = token;
  }

  /** @returns {Promise<any[]>} */
  rosters = () => this.#json('GET', 'rosters');

  /** @param {'rosters' | 'agreements'} kind @param {string} digest */
  async document(kind, digest) {
    return new Uint8Array(await (await this.#call('GET', `${kind}/${digest}`)).arrayBuffer());
  }

  /**
   * Sends an answer in pieces. Where the line breaks it waits, asks how far the answer has come, and goes on from there.
   * @param {string} roster digest @param {Blob} answer @param {(sent: number) => void} progress bytes that are there
   * @returns {Promise<Uint8Array>} the receipt
   */
  async send(roster, answer, progress) {
    const head = answer.slice(0, await headLength(answer));
    let [tries, furthest] = [0, 0];
    for (;;) {
      try {
        let reply = await this.#call('POST', `rosters/${roster}/uploads`, head, BYTES);
        while (reply.headers.get('Content-Type') !== BYTES) {
          const { upload, received } = await reply.json();
          progress(received);
          if (received > furthest) [tries, furthest] = [0, received];
          reply = await this.#call('POST', `uploads/${upload}?offset=${received}`, answer.slice(received, received + PIECE_BYTES), BYTES);
        }
        return new Uint8Array(await reply.arrayBuffer());
      } catch (error) {
        if (!(error instanceof Failure) || !BROKEN.includes(error.code) || tries === WAITS.length) throw error;
        await new Promise((resolve) => setTimeout(resolve, WAITS[tries++]));
      }
    }
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #json(method, path, body) {
    return (await this.#call(method, path, body && JSON.stringify(body), body && 'application/json')).json();
  }

  /** @param {string} method @param {string} path @param {BodyInit} [body] @param {string} [type] */
  async #call(method, path, body, type) {
    /** @type {Record<string, string>} */
    const headers = { ...(type && { 'Content-Type': type }), ...(this.#token && { Authorization: `Bearer ${this.#token}` }) };
    const options = /** @type {const} */ ({ cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer' });
    const reply = await fetch(API + path, { ...options, method, headers, body }).catch(() => null);
    if (!reply) throw new Failure('host_unreachable');
    if (reply.ok) return reply;
    const problem = await reply.json().catch(() => ({}));
    throw new Failure(problem.code ?? (reply.status === 401 ? 'not_signed_in' : `http_${reply.status}`), problem);
  }
}

/** Length of the envelope up to its body (SPEC §2). @param {Blob} answer */
async function headLength(answer) {
  const begun = new Uint8Array(await answer.slice(0, HEAD_BYTES).arrayBuffer());
  const header = begun.indexOf(10) + 1;
  const count = header + 4 + new DataView(begun.buffer, header).getUint32(0);
  return count + 1 + 96 * begun[count] + 8;
}
