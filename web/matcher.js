// @ts-check
// The page's side of the Worker: starts it, asks it, ends it. The page fetches the module's bytes, so
// that the Worker needs no network, and computes their digest.
import { moduleBytes, startWorker } from './edition.js';
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

/** Workers of a run at most, and bytes of a file for each one that helps: less is over before it has begun. */
const [MOST_WORKERS, HELPED_BYTES] = [8, 128 << 20];

/**
 * How many Workers a run is worth. One processor is left to the browser, which reads the file for them: with two, a
 * second Worker was slower than one (docs/bench.json). @param {File[]} files
 */
function worthwhile(files) {
  const bytes = Math.max(...files.map((file) => file.size));
  const processors = (navigator.hardwareConcurrency || 1) - 1;
  return Math.max(1, Math.min(processors, MOST_WORKERS, Math.floor(bytes / HELPED_BYTES) + 1));
}

export class Matcher {
  /** @type {Worker | null} */ #worker = null;
  /** @type {Map<number, {resolve: Function, reject: Function, progress: Function}>} */ #waiting = new Map();
  /** @type {Worker[]} */ #helpers = [];
  /** Reads spreadsheets, from the first one on. @type {Worker | null} */ #reader = null;
  /** @type {ArrayBuffer | null} */ #readerWasm = null;
  #count = 0;
  #wasm = new ArrayBuffer(0);
  digest = '';
  bytes = 0;
  /** Of the reader module, once one is in use. */
  readerDigest = '';

  /** Fetches a module, once, and starts the first Worker. @param {string} [name] the audit page looks at the other one too */
  async load(name = 'matcher.wasm') {
    const wasm = await moduleBytes(name);
    if (!wasm) throw new Failure('module_missing');
    this.#wasm = wasm;
    this.digest = await sha256(this.#wasm);
    this.bytes = this.#wasm.byteLength;
    return this.restart();
  }

  /** Ends the Workers with all they hold, and starts an empty one. */
  restart() {
    this.stop();
    this.#worker = this.#start();
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    return this.ask('load', { wasm: this.#wasm });
  }

  #start() {
    const worker = startWorker('worker.js');
    worker.onerror = () => this.stop('module_stopped');
    return worker;
  }

  stop(code = 'cancelled') {
    this.#reader?.terminate();
    this.#reader = null;
    this.#worker?.terminate();
    this.#worker = null;
    this.#endHelpers();
    for (const { reject } of this.#waiting.values()) reject(new Failure(code));
    this.#waiting.clear();
  }

  /**
   * The first rows of a file, as they would be read. Of a spreadsheet also `format`, `sheets` (`{name, hidden}`) and `sheet`,
   * the index of the one that is shown: the one asked for, or the first with identity numbers.
   * @param {{file: File, table: object, sheet?: number | null}} asked
   */
  async preview(asked) {
    await this.#beginReader([asked.file]);
    return this.ask('preview', asked);
  }

  /**
   * Starts the reader of spreadsheets if one of the files is one. The Workers talk over a channel that the page has no
   * end of. @param {File[]} files
   */
  async #beginReader(files) {
    if (this.#reader || !(await this.ask('needsReader', { files }))) return;
    this.#readerWasm ??= await moduleBytes('reader.wasm');
    if (!this.#readerWasm) throw new Failure('module_missing');
    this.readerDigest = await sha256(this.#readerWasm);
    const { port1, port2 } = new MessageChannel();
    this.#reader = startWorker('reader-worker.js');
    this.#reader.onerror = () => this.stop('module_stopped');
    this.#reader.postMessage({ wasm: this.#readerWasm, port: port2 }, [port2]);
    await this.ask('reader', { port: port1 }, undefined, [port1]);
  }

  /**
   * The whole run over the files. Where they are large and the machine has several processors, other Workers help; what
   * they need they get from the first one, by channels that the page has no end of.
   * @param {{files: File[], tables?: object[], roster: Uint8Array, agreement: Uint8Array, options: object, measured?: boolean,
   *   sheets?: (number[] | null)[]}} asked for each file how it is read, where that differs; and the sheets that are read, null for all
   * @param {(news: any) => void} progress @param {number} [workers]
   */
  async run(asked, progress, workers = worthwhile(asked.files)) {
    await this.#beginReader(asked.files);
    const ports = Array.from({ length: workers - 1 }, () => {
      const { port1, port2 } = new MessageChannel();
      const helper = this.#start();
      helper.postMessage({ ask: 'help', port: port2 }, [port2]);
      this.#helpers.push(helper);
      return port1;
    });
    try {
      return await this.ask('run', { ...asked, helpers: ports }, progress, ports);
    } finally {
      this.#endHelpers();
    }
  }

  #endHelpers() {
    for (const helper of this.#helpers) helper.terminate();
    this.#helpers = [];
  }

  /**
   * @param {string} ask @param {object} [asked] @param {(news: any) => void} [progress] @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  ask(ask, asked = {}, progress = () => {}, transfer = []) {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      if (!this.#worker) return reject(new Failure('module_stopped'));
      this.#waiting.set(id, { resolve, reject, progress });
      this.#worker.postMessage({ ...asked, ask, id }, transfer);
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
