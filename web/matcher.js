// @ts-check
// The page's side of the Worker: starts it, asks it, ends it. The page fetches the module's bytes, so
// that the Worker needs no network, and computes their digest.
import { sha256 } from './sha256.js';

/** What went wrong, by a code of the dictionary. */
export class Failure extends Error {
  /** @param {string} code @param {{field?: string, numbers?: Record<string, number>, status?: number}} [more] */
  constructor(code, more = {}) {
    super(code);
    this.code = code;
    this.field = more.field ?? '';
    this.numbers = more.numbers ?? {};
  }
}

const WORKER_URL = new URL('./worker.js', import.meta.url).href;
const MODULE_URL = new URL('/artifact/matcher.wasm', import.meta.url).href;

/** The one Trusted Types policy of the page: it knows one URL. */
const loader = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('loader', { createScriptURL: () => WORKER_URL });

export class Matcher {
  /** @type {Worker | null} */ #worker = null;
  /** @type {Map<number, {resolve: Function, reject: Function, progress: Function}>} */ #waiting = new Map();
  #count = 0;
  #wasm = new ArrayBuffer(0);
  digest = '';
  bytes = 0;

  /** Fetches the module, once, and starts the first Worker. */
  async load() {
    const response = await fetch(MODULE_URL, { cache: 'no-store' }).catch(() => null);
    if (!response?.ok) throw new Failure('module_missing');
    this.#wasm = await response.arrayBuffer();
    this.digest = await sha256(this.#wasm);
    this.bytes = this.#wasm.byteLength;
    return this.restart();
  }

  /** Ends the Worker with all it holds, and starts an empty one. */
  restart() {
    this.stop();
    this.#worker = new Worker(loader ? loader.createScriptURL('') : WORKER_URL, { type: 'module' });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = () => this.stop('module_stopped');
    return this.ask('load', { wasm: this.#wasm });
  }

  stop(code = 'cancelled') {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(new Failure(code));
    this.#waiting.clear();
  }

  /**
   * @param {string} ask @param {object} [asked] @param {(news: any) => void} [progress]
   * @returns {Promise<any>}
   */
  ask(ask, asked = {}, progress = () => {}) {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      if (!this.#worker) return reject(new Failure('module_stopped'));
      this.#waiting.set(id, { resolve, reject, progress });
      this.#worker.postMessage({ ...asked, ask, id });
    });
  }

  /** @param {{id: number, progress?: object, result?: any, error?: any}} data */
  #hear({ id, progress, result, error }) {
    const waiting = this.#waiting.get(id);
    if (progress) return waiting?.progress(progress);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Failure(error.code, error));
    else waiting?.resolve(result);
  }
}
