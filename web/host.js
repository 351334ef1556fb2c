// @ts-check
// The host's API (`/api/v1`), and nothing else, on the origin that served the page. Only documents pass
// here, and they are signed; answers are sealed as well.
import { Failure } from './matcher.js';

const API = new URL('/api/v1/', document.baseURI).href;

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

  /** @param {string} roster digest @param {Blob} answer @returns {Promise<Uint8Array>} the receipt */
  async send(roster, answer) {
    const reply = await this.#call('POST', `rosters/${roster}/answers`, answer, 'application/octet-stream');
    return new Uint8Array(await reply.arrayBuffer());
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
