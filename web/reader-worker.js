// @ts-check
// The second room without doors: reads spreadsheets into delimited text, by the reader module (SPEC §10.2). It runs in a
// dedicated Worker of the same policy as `worker.js`, imports nothing, fetches nothing, and has no key. It is told a file by
// the Worker that matches, over a port that the page has no end of, and answers there, one piece for each question.

const OP = { begin: 1, push: 2, sheets: 3, sheet: 4, read: 5, ended: 6 };
const ABI_VERSION = 1;
const CHUNK_BYTES = 2 << 20;

const json = (/** @type {Uint8Array} */ bytes) => JSON.parse(new TextDecoder().decode(bytes));

/** A refusal of the module. */
class ReadError extends Error {
  /** @param {object} reply */
  constructor(reply) {
    super('refused');
    this.reply = reply;
  }
}

/** One instance of the module, with no imports: one file. */
class Session {
  /** @param {WebAssembly.Module} compiled */
  constructor(compiled) {
    this.exports = /** @type {any} */ (new WebAssembly.Instance(compiled, {}).exports);
    if (this.exports.abi_version() !== ABI_VERSION) throw new WebAssembly.CompileError();
  }

  /** One request: the operation, then its bytes, as they are. @param {number} op @param {Uint8Array} [bytes] */
  call(op, bytes = new Uint8Array()) {
    const { memory, run, __wbindgen_malloc: malloc, __wbindgen_free: free } = this.exports;
    const at = malloc(1 + bytes.length, 1) >>> 0;
    const request = new Uint8Array(memory.buffer, at, 1 + bytes.length);
    request[0] = op;
    request.set(bytes, 1);
    const [reply, size] = run(at, 1 + bytes.length);
    const result = new Uint8Array(memory.buffer, reply >>> 0, size).slice();
    free(reply, size, 1);
    if (result[0] !== 0) throw new ReadError(json(result.subarray(1)));
    return result.subarray(1);
  }
}

/** A part: its length, then a number of so many bytes. @param {number} length @param {number} number */
function part(length, number) {
  const bytes = new DataView(new ArrayBuffer(4 + length));
  bytes.setUint32(0, length);
  if (length === 8) bytes.setBigUint64(4, BigInt(number));
  else bytes.setUint32(4, number);
  return new Uint8Array(bytes.buffer);
}

/** @type {WebAssembly.Module} */ let compiled;
/** @type {Session} */ let session;

/** What the other Worker may ask for. @type {Record<string, (asked: any) => any>} */
const answers = {
  /** Reads a file whole; its format and sheets. @param {{file: File}} asked */
  async open({ file }) {
    session = new Session(compiled);
    session.call(OP.begin, part(8, file.size));
    for (let at = 0; at < file.size; at += CHUNK_BYTES) {
      session.call(OP.push, new Uint8Array(await file.slice(at, at + CHUNK_BYTES).arrayBuffer()));
    }
    return json(session.call(OP.sheets));
  },
  /** Begins a sheet; how many rows it has, where the file says. @param {{index: number}} asked */
  sheet: ({ index }) => json(session.call(OP.sheet, part(4, index))),
  /** The next piece of the sheet; empty at its end. */
  read: () => ({ piece: session.call(OP.read) }),
  /** What was in the sheet. */
  ended: () => json(session.call(OP.ended)),
};

/** Only the module's own errors are passed on in full: they never hold a value. @param {unknown} error */
function describe(error) {
  if (error instanceof ReadError) return error.reply;
  const name = error instanceof Error ? error.name : '';
  // The module stops when a file asks for more memory than it may have, or is not as its format says.
  const code = { NotReadableError: 'file_unreadable', NotFoundError: 'file_unreadable', CompileError: 'module_refused' }[name];
  return { code: code ?? 'spreadsheet_stopped', field: 'file', message: name, numbers: {} };
}

self.onmessage = ({ data: { wasm, port } }) => {
  /** Questions are answered one after the other. @type {Promise<void>} */
  let turn = WebAssembly.compile(wasm).then((module) => { compiled = module; }, () => {});
  port.onmessage = (/** @type {MessageEvent} */ { data }) => {
    turn = turn.then(async () => {
      try {
        const result = await answers[data.ask](data);
        port.postMessage({ result }, result.piece ? [result.piece.buffer] : []);
      } catch (error) {
        port.postMessage({ error: describe(error) });
      }
    });
  };
};
