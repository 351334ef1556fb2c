// @ts-check
// The room without doors. This file runs in a dedicated Worker whose own policy is
// `default-src 'none'; script-src 'wasm-unsafe-eval'`: it imports nothing, fetches nothing and has no
// document. It holds the unlocked key, reads the customer file and drives the matcher module through
// the module's raw exports (SPEC §10). What leaves it: sealed answers, counts, masked samples, errors.

const OP = { open: 1, push: 2, nextFile: 3, finish: 4, read: 5, preview: 6, newKey: 0x10, signIn: 0x11, inspect: 0x13 };
const ABI_VERSION = 1;
const CHUNK_BYTES = 1 << 20;
const PREVIEW_BYTES = 256 << 10;
const PROGRESS_MS = 100;

/** @type {WebAssembly.Module} */
let compiled;
/** The key file and its passphrase, kept here and nowhere else until the Worker is terminated. */
let keyFile = new Uint8Array();
let passphrase = new Uint8Array();

const utf8 = (/** @type {string} */ text) => new TextEncoder().encode(text);
const json = (/** @type {Uint8Array} */ bytes) => JSON.parse(new TextDecoder().decode(bytes));
const random = (/** @type {number} */ length) => crypto.getRandomValues(new Uint8Array(length));

/** An error reply of the module. */
class ModuleError extends Error {
  /** @param {{code: string, field: string, message: string, numbers: Record<string, number>}} reply */
  constructor(reply) {
    super(reply.message);
    this.reply = reply;
  }
}

/** One instance of the module, with no imports: one session. Dropping it ends the session. */
class Session {
  constructor() {
    this.exports = /** @type {any} */ (new WebAssembly.Instance(compiled, {}).exports);
    if (this.exports.abi_version() !== ABI_VERSION) throw new WebAssembly.CompileError();
  }

  /**
   * One request: the operation, then its parts, each behind its length; a `push` carries its chunk bare.
   * @param {number} op @param {Uint8Array[]} parts @returns {Uint8Array} the result
   */
  call(op, ...parts) {
    const { memory, run, __wbindgen_malloc: malloc, __wbindgen_free: free } = this.exports;
    const prefix = op === OP.push ? 0 : 4;
    const length = parts.reduce((sum, part) => sum + prefix + part.length, 1);
    const at = malloc(length, 1) >>> 0;
    const request = new DataView(memory.buffer, at, length);
    request.setUint8(0, op);
    let offset = 1;
    for (const part of parts) {
      if (prefix) request.setUint32(offset, part.length);
      new Uint8Array(memory.buffer, at + offset + prefix).set(part);
      offset += prefix + part.length;
    }
    const [reply, size] = run(at, length);
    const bytes = new Uint8Array(memory.buffer, reply >>> 0, size).slice();
    free(reply, size, 1);
    if (bytes[0] !== 0) throw new ModuleError(json(bytes.subarray(1)));
    return bytes.subarray(1);
  }
}

/** Splits a result of several parts. @param {Uint8Array} bytes */
function parts(bytes) {
  const out = [];
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
    out.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return out;
}

/** @param {string} host code of the host @param {Uint8Array} challenge 32 bytes */
function sign(host, challenge) {
  const result = new Session().call(OP.signIn, keyFile, passphrase, utf8(host), challenge);
  return { key: result.slice(0, 32), signature: result.slice(32) };
}

/** @param {{agreement: Uint8Array, roster: Uint8Array, options: object}} task */
function open({ agreement, roster, options }) {
  const session = new Session();
  const task = session.call(OP.open, keyFile, passphrase, agreement, roster, random(32), utf8(JSON.stringify(options)));
  return { session, task: json(task) };
}

/** What the page may ask for. @type {Record<string, (asked: any, tell: (news: object) => void) => any>} */
const answers = {
  /** Compiles the module; the page fetched the bytes, since this Worker can't. */
  async load({ wasm }) {
    compiled = await WebAssembly.compile(wasm);
    const list = (/** @type {{module?: string, name: string, kind: string}[]} */ entries) =>
      entries.map((entry) => `${entry.module ? `${entry.module}.` : ''}${entry.name}: ${entry.kind}`);
    return { imports: list(WebAssembly.Module.imports(compiled)), exports: list(WebAssembly.Module.exports(compiled)) };
  },

  /** Keeps key file and passphrase after one signature, thrown away, has shown that they fit. */
  unlock(asked) {
    [keyFile, passphrase] = [asked.keyFile, asked.passphrase];
    return sign('unlock', random(32)).key;
  },

  signIn: ({ host, challenge }) => sign(host, challenge),

  newKey(asked) {
    const made = new Session().call(OP.newKey, asked.passphrase, random(32), utf8(JSON.stringify(asked.options)));
    asked.passphrase.fill(0);
    const [key, joining] = parts(made);
    return { key, joining };
  },

  inspect: ({ document }) => json(new Session().call(OP.inspect, document)),

  /** Opens a task and drops it: signatures, dates and keys are checked before the clerk goes on. */
  check: (asked) => open(asked).task,

  /** @param {{file: File, table: object}} asked */
  async preview({ file, table }) {
    const head = new Uint8Array(await file.slice(0, PREVIEW_BYTES).arrayBuffer());
    return json(new Session().call(OP.preview, head, utf8(JSON.stringify(table))));
  },

  /** The whole run: every file in chunks, then the report and the sealed answer. */
  async run(asked, tell) {
    const { session } = open(asked);
    /** @type {File[]} */
    const files = asked.files;
    let bytes = 0;
    let told = 0;
    let counts = {};
    for (const [index, file] of files.entries()) {
      if (index > 0) session.call(OP.nextFile);
      const read = (/** @type {number} */ at) => file.slice(at, at + CHUNK_BYTES).arrayBuffer();
      let next = read(0); // the next chunk is read while the module works on this one
      for (let at = 0; at < file.size; at += CHUNK_BYTES) {
        const chunk = new Uint8Array(await next);
        next = read(at + CHUNK_BYTES);
        counts = json(session.call(OP.push, chunk));
        bytes += chunk.length;
        if (performance.now() - told >= PROGRESS_MS) {
          told = performance.now();
          tell({ ...counts, bytes });
        }
      }
    }
    tell({ ...counts, bytes });
    const report = json(session.call(OP.finish));
    /** @type {any[]} */ const pieces = [];
    for (let piece = session.call(OP.read); piece.length > 0; piece = session.call(OP.read)) pieces.push(piece);
    return { report, answer: new Blob(pieces), memory: session.exports.memory.buffer.byteLength };
  },
};

self.onmessage = async ({ data }) => {
  try {
    const result = await answers[data.ask](data, (progress) => self.postMessage({ id: data.id, progress }));
    self.postMessage({ id: data.id, result });
  } catch (error) {
    self.postMessage({ id: data.id, error: describe(error) });
  }
};

/** Only the module's own errors are passed on in full: they never hold a value. @param {unknown} error */
function describe(error) {
  if (error instanceof ModuleError) return error.reply;
  const name = error instanceof Error ? error.name : '';
  const code = { NotReadableError: 'file_unreadable', NotFoundError: 'file_unreadable', CompileError: 'module_refused' }[name];
  return { code: code ?? 'module_stopped', field: '', message: name, numbers: {} };
}
