// @ts-check
// The room without doors. This file runs in a dedicated Worker whose own policy is
// `default-src 'none'; script-src 'wasm-unsafe-eval'`: it imports nothing, fetches nothing and has no
// document. It holds the unlocked key, reads the customer file and drives the matcher module through
// the module's raw exports (SPEC §10). What leaves it: sealed answers and tables, counts, masked samples, errors.

const OP = {
  open: 1, push: 2, nextFile: 3, finish: 4, read: 5, preview: 6, part: 7, handOver: 8, takeOver: 9, setAside: 0x0a,
  baseData: 0x0c, baseDataFirst: 0x0d, baseDataSecond: 0x0e, baseDataHead: 0x0f,
  newKey: 0x10, signIn: 0x11, inspect: 0x13, approve: 0x14,
};
/** Operations that carry bytes as they are. */
const BARE = [OP.push, OP.takeOver, OP.baseDataFirst, OP.baseDataSecond];
const ABI_VERSION = 1;
const CHUNK_BYTES = 2 << 20;
const PREVIEW_BYTES = 256 << 10;
/** Bytes of a file that tell how it lies, and from which it is worth a helper; how far a line break is looked for. */
const [SAMPLE_BYTES, STRETCH_BYTES, LINE_BYTES] = [64 << 10, 4 << 20, 128 << 10];
const PROGRESS_MS = 100;
/** How long a helper at work may say nothing: hundreds of times as long as it does. */
const SILENCE_MS = 30_000;
/** More bytes than a head has (SPEC §2). */
const HEAD_BYTES = 66_000;

/** Bytes of a slot in a part. @type {Record<string, number>} */
const PART_SLOT_BYTES = { L0: 32, L1: 896, L2: 2944 };

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
   * One request: the operation, then its parts, each behind its length; those of `BARE` carry theirs as they are.
   * @param {number} op @param {Uint8Array[]} parts @returns {Uint8Array} the result
   */
  call(op, ...parts) {
    const { memory, run, __wbindgen_malloc: malloc, __wbindgen_free: free } = this.exports;
    const prefix = BARE.includes(op) ? 0 : 4;
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

/** Refuses as the module does. @param {string} code @param {Record<string, number>} [numbers] */
const refuse = (code, numbers = {}) => new ModuleError({ code, field: 'file', message: code, numbers });

/** Bytes of a file that tell whether it is a spreadsheet. */
const SNIFFED_BYTES = 64;

/** Whether a file is for the reader (SPEC §10.2): an archive, an old spreadsheet, a web page. @param {File} file */
async function isSpreadsheet(file) {
  const bytes = new Uint8Array(await file.slice(0, SNIFFED_BYTES).arrayBuffer());
  const begins = (/** @type {number[]} */ ...magic) => magic.every((byte, i) => bytes[i] === byte);
  const text = new TextDecoder('latin1').decode(bytes.filter((byte) => byte > 0 && byte < 0x80)).trimStart();
  return begins(0x50, 0x4b, 3, 4) || begins(0x50, 0x4b, 5, 6) || begins(0xd0, 0xcf, 0x11, 0xe0)
    || text.startsWith('<') || text.startsWith('MIME-Version:');
}

/** The other Worker, which reads spreadsheets: it answers in the order it is asked. */
class Reader {
  /** @type {{resolve: Function, reject: Function}[]} */ #waiting = [];

  /** @param {MessagePort} port */
  constructor(port) {
    this.port = port;
    port.onmessage = ({ data }) => {
      const waiting = this.#waiting.shift();
      if (data.error) waiting?.reject(new ModuleError(data.error));
      else waiting?.resolve(data.result);
    };
  }

  /** @param {string} ask @param {object} [asked] @returns {Promise<any>} */
  ask(ask, asked = {}) {
    const reply = new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    reply.catch(() => {}); // a piece that was asked for ahead may come to nothing
    this.port.postMessage({ ...asked, ask });
    return reply;
  }
}

/** @type {Reader | null} */ let reader = null;

/** What the matcher says of a sheet's first piece. @param {Uint8Array} piece @param {object} table */
const previewOf = (piece, table) => json(new Session().call(OP.preview, piece, utf8(JSON.stringify(table))));

/** Whether nothing in a sheet can be matched: no identity numbers, or nothing below the heading. @param {any} preview */
const isBeside = (preview) => preview.problem?.code === 'no_id_column' || preview.rows.length === 0;

/**
 * Pushes the sheets of a spreadsheet, each as a file of its own: the reader makes the next piece while the module works on
 * this one. A sheet without a column of identity numbers is passed over, unless something in it looks like one.
 * @param {Session} session @param {File} file @param {number[] | null} chosen sheets, all where there is no choice
 * @param {any} table @param {{begun: number, passed: number, hidden: number}} tally over all files
 * @param {(counts: any, share: number) => void} heard the share of the file that is done
 */
async function pushSheets(session, file, chosen, table, tally, heard) {
  const read = /** @type {Reader} */ (reader);
  const { sheets } = await read.ask('open', { file });
  const indexes = chosen ?? sheets.map((/** @type {unknown} */ _, /** @type {number} */ i) => i);
  const before = tally.begun;
  for (const [n, index] of indexes.entries()) {
    const { rows } = await read.ask('sheet', { index });
    let next = read.ask('read');
    let [first, beside, from] = [true, false, 0];
    for (;;) {
      const { piece } = await next;
      if (piece.length === 0) break;
      next = read.ask('read');
      if (first) {
        beside = isBeside(previewOf(piece, table));
        if (!beside && tally.begun++ > 0) from = json(session.call(OP.nextFile, utf8(JSON.stringify(table)))).rows;
        first = false;
      }
      if (beside) continue;
      const counts = json(session.call(OP.push, piece));
      heard(counts, (n + Math.min(1, (counts.rows - from) / (rows ?? Infinity))) / indexes.length);
    }
    if (beside) {
      if ((await read.ask('ended')).numbers > 0) throw refuse('no_id_column', { sheet: index + 1 });
      tally.passed++;
    } else if (!first && sheets[index].hidden) tally.hidden++;
  }
  if (tally.begun === before) throw refuse(tally.passed > 0 ? 'no_id_column' : 'empty_file');
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

/** Length of a document's head, SPEC §2. @param {Uint8Array} begun */
function headLength(begun) {
  const header = begun.indexOf(10) + 1;
  const count = header + 4 + new DataView(begun.buffer, begun.byteOffset + header).getUint32(0);
  return count + 1 + 96 * begun[count] + 8;
}

/** @param {string} host code of the host @param {Uint8Array} challenge 32 bytes */
function sign(host, challenge) {
  const result = new Session().call(OP.signIn, keyFile, passphrase, utf8(host), challenge);
  return { key: result.slice(0, 32), signature: result.slice(32) };
}

/** What a session is opened with. @typedef {{agreement: Uint8Array, roster: Uint8Array, options: object}} Task */

/** @param {Task} task @param {Uint8Array} entropy */
function open({ agreement, roster, options }, entropy) {
  const session = new Session();
  const task = session.call(OP.open, keyFile, passphrase, agreement, roster, entropy, utf8(JSON.stringify(options)));
  return { session, task: json(task) };
}

/**
 * Reads a stretch of a file in chunks. The next one is read, into the other of two buffers, while something is done with
 * this one; a stream that fills buffers of ours is read several times as fast as slices of the file are.
 * @param {File} file @param {number} from @param {number} to
 * @param {(chunk: Uint8Array, at: number) => boolean | void} take stops where it says so
 * @returns {Promise<number>} where it stopped
 */
async function readThrough(file, from, to, take) {
  const reader = file.slice(from, to).stream().getReader({ mode: 'byob' });
  const read = (/** @type {ArrayBufferLike} */ buffer) => reader.read(new Uint8Array(buffer), { min: CHUNK_BYTES });
  let next = read(new ArrayBuffer(CHUNK_BYTES));
  let spare = new ArrayBuffer(CHUNK_BYTES);
  for (let at = from; ;) {
    const { value, done } = await next;
    if (!done) next = read(spare);
    if (value?.length) {
      at += value.length;
      if (take(value, at) && at < to) {
        await reader.cancel();
        return at;
      }
      spare = value.buffer;
    }
    if (done || at === to) return to;
  }
}

/**
 * Pushes a stretch of a file. @param {Session} session @param {File} file @param {number} from @param {number} to
 * @param {(counts: any, bytes: number, at: number) => boolean | void} heard stops where it says so
 * @returns {Promise<number>} where it stopped
 */
const push = (session, file, from, to, heard) => readThrough(file, from, to, (chunk, at) =>
  heard(json(session.call(OP.push, chunk)), chunk.length, at));

/**
 * Begins to seal a table (SPEC §10.4): key, agreement and day are checked.
 * @param {Uint8Array} agreement @param {{day: string, length: number, now: number}} options
 */
function beginTable(agreement, options) {
  const session = new Session();
  session.call(OP.baseData, keyFile, passphrase, agreement, random(32), utf8(JSON.stringify(options)));
  return session;
}

/**
 * Cuts a file from `from` on into at most `count` stretches, each but the first behind a line break (SPEC §10.1).
 * @param {File} file @param {number} from @param {number} count @returns {Promise<[number, number][]>}
 */
async function stretches(file, from, count) {
  const borders = [from];
  for (let i = 1; i < count; i++) {
    const at = from + Math.floor(((file.size - from) * i) / count);
    const bytes = new Uint8Array(await file.slice(at, at + LINE_BYTES).arrayBuffer());
    const border = at + bytes.indexOf(10) + 1;
    if (border > at && border < file.size) borders.push(border);
  }
  return borders.map((border, i) => [border, borders[i + 1] ?? file.size]);
}

/** The leader's side of a helper: another Worker with an instance of its own, which reads a stretch. */
class Helper {
  /** Rows of the stretch that the leader has not taken over, and their bytes. */
  counts = { rows: 0, valid: 0, quarantined: 0, bytes: 0 };
  /** Whether its session is open: until then the leader reads by itself. */
  ready = false;

  /** @param {MessagePort} port @param {Task} task @param {Uint8Array} entropy */
  constructor(port, task, entropy) {
    this.port = port;
    const { agreement, roster, options } = task;
    port.onmessage = ({ data }) => {
      this.ready = data.opened === true;
    };
    port.postMessage({ open: { agreement, roster, options }, entropy, compiled, keyFile, passphrase });
  }

  /**
   * The pieces of a stretch's part; none when the helper failed, or says nothing more: a Worker that the system ended
   * tells nobody. @param {File} file @param {[number, number]} stretch @param {boolean} last
   */
  work(file, [from, to], last) {
    /** @type {Uint8Array[]} */ const pieces = [];
    return /** @type {Promise<Uint8Array[] | null>} */ (new Promise((resolve) => {
      let heard = performance.now();
      const end = (/** @type {Uint8Array[] | null} */ result) => {
        clearInterval(watch);
        this.port.onmessage = null;
        resolve(result);
      };
      const watch = setInterval(() => performance.now() - heard > SILENCE_MS && end(null), 1000);
      this.port.onmessage = ({ data }) => {
        heard = performance.now();
        if (data.counts) this.counts = data.counts;
        else if (data.piece) pieces.push(data.piece);
        else end(data.done ? pieces : null);
      };
      this.port.postMessage({ file, from, to, last });
    }));
  }
}

/** The helper's own side: opened once, then a stretch at a time. @param {MessagePort} port */
function help(port) {
  /** @type {Session} */ let session;
  port.onmessage = async ({ data }) => {
    try {
      if (data.open) {
        ({ compiled, keyFile, passphrase } = data);
        ({ session } = open(data.open, data.entropy));
        port.postMessage({ opened: true });
        return;
      }
      const { file, from, to, last } = data;
      session.call(OP.part, new Uint8Array(await file.slice(0, SAMPLE_BYTES).arrayBuffer()));
      let [bytes, told] = [0, 0];
      await push(session, file, from, to, (counts, read) => {
        bytes += read;
        if (performance.now() - told < PROGRESS_MS) return;
        told = performance.now();
        port.postMessage({ counts: { ...counts, bytes } });
      });
      const next = () => session.call(OP.handOver, Uint8Array.of(last ? 1 : 0));
      for (let piece = next(); piece.length > 0; piece = next()) port.postMessage({ piece });
      port.postMessage({ done: true });
    } catch {
      port.postMessage({ failed: true });
    }
  };
}

/**
 * Lets the leader take a part over; gives the counts then. One that does not join on is refused, and nothing has
 * changed. @param {Session} session @param {Uint8Array[] | null} pieces
 */
function takeOver(session, pieces) {
  try {
    let counts = null;
    for (const piece of pieces ?? []) counts = json(session.call(OP.takeOver, piece));
    return counts;
  } catch (error) {
    if (error instanceof ModuleError && error.reply.code === 'part_border') return null;
    throw error;
  }
}

/** The list of the rows that were set aside, for the bank alone. @param {Session} session */
function listed(session) {
  /** @type {any[]} */ const pieces = [];
  try {
    for (let piece = session.call(OP.setAside); piece.length > 0; piece = session.call(OP.setAside)) pieces.push(piece);
  } catch (error) { // a module of an earlier release keeps no list
    if (!(error instanceof ModuleError) || error.reply.code !== 'unknown_operation') throw error;
  }
  return new Blob(pieces, { type: 'text/csv' });
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

  /** @param {{document: Uint8Array | Blob}} asked of a `Blob` only the head is read */
  async inspect({ document }) {
    const bytes = document instanceof Blob ? new Uint8Array(await document.slice(0, HEAD_BYTES).arrayBuffer()) : document;
    return json(new Session().call(OP.inspect, bytes));
  },

  /**
   * An answer with one signature more: by an approver's key, which is forgotten at once, or by the one unlocked here. What is
   * signed is the head, which binds the body; that stays where it is.
   * @param {{answer: Blob, agreement: Uint8Array, keyFile?: Uint8Array, passphrase?: Uint8Array}} asked
   */
  async approve({ answer, agreement, keyFile: file = keyFile, passphrase: secret = passphrase }) {
    const begun = new Uint8Array(await answer.slice(0, HEAD_BYTES).arrayBuffer());
    const head = begun.subarray(0, headLength(begun));
    const approved = new Session().call(OP.approve, file, secret, agreement, head).slice();
    if (secret !== passphrase) secret.fill(0);
    return new Blob([approved, answer.slice(head.length)]);
  },

  /** Whether two files hold the same bytes: read side by side, up to the first difference. @param {{a: File, b: File}} asked */
  async same({ a, b }) {
    const piece = async (/** @type {File} */ file, /** @type {number} */ at) =>
      new Uint8Array(await file.slice(at, at + CHUNK_BYTES).arrayBuffer());
    for (let at = 0; at < a.size; at += CHUNK_BYTES) {
      const [one, other] = await Promise.all([piece(a, at), piece(b, at)]);
      if (one.some((byte, i) => byte !== other[i])) return false;
    }
    return a.size === b.size;
  },

  /** Opens a task and drops it: signatures, dates and keys are checked before the clerk goes on. */
  check: (asked) => open(asked, random(32)).task,

  /** Whether a table could be sealed under an agreement: it is begun with, and dropped. @param {any} asked */
  checkTable({ agreement, options }) {
    beginTable(agreement, { ...options, length: 1 });
  },

  /**
   * A department's table, sealed to the centre of the agreement. The file is read twice, and is never in memory whole.
   * @param {{file: File, agreement: Uint8Array, options: {day: string, now: number}}} asked
   */
  async sealTable({ file, agreement, options }, tell) {
    const session = beginTable(agreement, { ...options, length: file.size });
    await readThrough(file, 0, file.size, (chunk, at) => {
      session.call(OP.baseDataFirst, chunk);
      tell({ bytes: at });
    });
    /** @type {Blob[]} */ const body = [];
    await readThrough(file, 0, file.size, (chunk, at) => {
      body.push(new Blob([session.call(OP.baseDataSecond, chunk)]));
      tell({ bytes: file.size + at });
    });
    const pad = () => session.call(OP.baseDataSecond);
    for (let padding = pad(); padding.length > 0; padding = pad()) body.push(new Blob([padding]));
    return new Blob([session.call(OP.baseDataHead), ...body]);
  },

  /** Takes the port to the reader of spreadsheets. */
  reader({ port }) {
    reader = new Reader(port);
  },

  /** Whether the files can't be read without it. @param {{files: File[]}} asked */
  async needsReader({ files }) {
    return reader === null && (await Promise.all(files.map(isSpreadsheet))).includes(true);
  },

  /**
   * Of a spreadsheet the result has `sheets` as well, and which one is shown as `sheet`: the one asked for, or the first that
   * can be matched. @param {{file: File, table: object, sheet?: number | null}} asked
   */
  async preview({ file, table, sheet = null }) {
    if (reader && await isSpreadsheet(file)) {
      const { format, sheets } = await reader.ask('open', { file });
      const order = sheets.map((/** @type {unknown} */ _, /** @type {number} */ i) => i);
      let shown = null;
      for (const index of sheet === null ? order : [sheet]) {
        await reader.ask('sheet', { index });
        const { piece } = await reader.ask('read');
        if (piece.length === 0) continue;
        const preview = { ...previewOf(piece, table), format, sheets, sheet: index };
        shown ??= preview;
        if (!isBeside(preview)) return preview;
      }
      if (shown === null) throw refuse('empty_file');
      return shown;
    }
    const head = new Uint8Array(await file.slice(0, PREVIEW_BYTES).arrayBuffer());
    return json(new Session().call(OP.preview, head, utf8(JSON.stringify(table))));
  },

  /** Helps another Worker, at the other end of the port, until both are ended. */
  help: ({ port }) => help(port),

  /** The whole run: every file, then the report and the sealed answer. Large files are shared with the helpers. */
  async run(asked, tell) {
    const entropy = random(32);
    const { session, task } = open(asked, entropy);
    // What a helper finds travels at the roster's size: its stretch must be worth that (SPEC §10.1).
    const shortest = Math.max(STRETCH_BYTES, 4 * task.slot_count * PART_SLOT_BYTES[task.level]);
    let helpers = /** @type {MessagePort[]} */ (asked.helpers ?? []).map((port) => new Helper(port, asked, entropy));
    // Helpers read every file by the settings of the first.
    const alike = !asked.tables || asked.tables.every((/** @type {object} */ table) => JSON.stringify(table) === JSON.stringify(asked.tables[0]));
    let [bytes, told] = [0, 0];
    let counts = { rows: 0, valid: 0, quarantined: 0, may_split: false };
    const say = () => {
      const sum = (/** @type {'rows' | 'valid' | 'quarantined'} */ name) =>
        helpers.reduce((n, helper) => n + helper.counts[name], counts[name]);
      const read = helpers.reduce((n, helper) => n + helper.counts.bytes, bytes);
      tell({ rows: sum('rows'), valid: sum('valid'), quarantined: sum('quarantined'), bytes: read });
    };
    const heard = (/** @type {any} */ now, /** @type {number} */ read) => {
      counts = now;
      bytes += read;
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      say();
    };
    const tally = { begun: 0, passed: 0, hidden: 0 };
    for (const [index, file] of /** @type {File[]} */ (asked.files).entries()) {
      const table = asked.tables?.[index] ?? asked.options.table;
      if (await isSpreadsheet(file)) {
        const before = bytes;
        await pushSheets(session, file, asked.sheets?.[index] ?? null, table, tally, (now, share) =>
          heard(now, Math.floor(before + share * file.size) - bytes));
        bytes = before + file.size;
        continue;
      }
      if (tally.begun++ > 0) session.call(OP.nextFile, utf8(JSON.stringify(table)));
      const at = await push(session, file, 0, file.size, (now, read, at) => {
        heard(now, read);
        return now.may_split && alike && helpers.some((helper) => helper.ready) && file.size - at >= 2 * shortest;
      });
      if (at === file.size) continue;
      const most = Math.floor((file.size - at) / shortest);
      const ready = helpers.filter((helper) => helper.ready);
      const [[from, to], ...others] = await stretches(file, at, Math.min(most, ready.length + 1));
      const parts = others.map((stretch, i) => ready[i].work(file, stretch, i + 1 === others.length));
      await push(session, file, from, to, heard);
      const failed = new Set();
      for (const [i, [from, to]] of others.entries()) {
        const pieces = await parts[i];
        if (pieces === null) failed.add(ready[i]);
        const taken = takeOver(session, pieces);
        ready[i].counts = { rows: 0, valid: 0, quarantined: 0, bytes: 0 };
        if (taken) [counts, bytes] = [taken, bytes + to - from];
        else await push(session, file, from, to, heard);
      }
      helpers = helpers.filter((helper) => !failed.has(helper));
    }
    const report = json(session.call(OP.finish));
    if (tally.passed > 0) report.warnings.push({ code: 'sheet_passed_over', count: tally.passed });
    if (tally.hidden > 0) report.warnings.push({ code: 'sheet_hidden', count: tally.hidden });
    const { rows, valid, quarantined } = report.coverage;
    const setAside = /** @type {number[]} */ (Object.values(quarantined)).reduce((sum, n) => sum + n, 0);
    tell({ rows, valid, quarantined: setAside, bytes });
    /** @type {any[]} */ const pieces = [];
    for (let piece = session.call(OP.read); piece.length > 0; piece = session.call(OP.read)) pieces.push(piece);
    // For the bench only: how much memory a run took says something of what was found.
    const memory = asked.measured ? session.exports.memory.buffer.byteLength : null;
    return { report, answer: new Blob(pieces), setAside: listed(session), memory };
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
