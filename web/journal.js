// @ts-check
// The institution's own log (SPEC §9.1): a text file that the clerk keeps, a line for each answer that was saved or sent,
// each bound to the one before by its digest. The page stores nothing: it continues the file that it is given.
import { Failure } from './matcher.js';
import { sha256 } from './sha256.js';

const MEMBERS = [
  'action', 'answer', 'answer_bytes', 'approvers', 'at', 'institution', 'level', 'log_position', 'module_sha256', 'previous',
  'receipt', 'roster', 'sequence', 'version',
];
const NONE = '0'.repeat(64);
const MOST_BYTES = 16 << 20;

/** @typedef {Record<string, any>} Entry one line, without `previous` and `sequence` until it has its place */

/** One line as it stands in the file, its members in order. @param {Entry} entry */
const line = (entry) => JSON.stringify(Object.fromEntries(MEMBERS.map((name) => [name, entry[name]])));

/** `H(LABEL("institution-log", line))` @param {string} text */
const digest = (text) => sha256(/** @type {ArrayBuffer} */ (new TextEncoder().encode(`hedui/v1/institution-log\0${text}`).buffer));

/**
 * Reads a log and checks its chain.
 * @param {Blob} file @returns {Promise<{text: string, entries: Entry[], head: string}>}
 */
export async function readJournal(file) {
  if (file.size > MOST_BYTES) throw new Failure('file_too_large', { field: 'log' });
  const text = await file.text();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Failure('log_broken', { numbers: { line: lines.length + 1 } });
  let head = NONE;
  const entries = [];
  for (const [i, written] of lines.entries()) {
    const entry = parse(written);
    if (!entry || entry.sequence !== i + 1 || entry.previous !== head) throw new Failure('log_broken', { numbers: { line: i + 1 } });
    head = await digest(written);
    entries.push(entry);
  }
  return { text, entries, head };
}

/** @param {string} written @returns {Entry | null} */
function parse(written) {
  try {
    const entry = JSON.parse(written);
    return line(entry) === written ? entry : null; // no other member, no other order, no other spelling
  } catch {
    return null;
  }
}

/** A log with further entries. @param {{text: string, entries: Entry[], head: string}} journal @param {Entry[]} added */
export async function continued({ text, entries, head }, added) {
  let sequence = entries.length;
  for (const entry of added) {
    const written = line({ ...entry, previous: head, sequence: ++sequence });
    text += `${written}\n`;
    head = await digest(written);
  }
  return new Blob([text], { type: 'text/plain' });
}

/** A log without entries. */
export const emptyJournal = () => ({ text: '', entries: /** @type {Entry[]} */ ([]), head: NONE });

/** A moment as documents write it. @param {Date} date */
export const time = (date) => `${date.toISOString().slice(0, 19)}Z`;
