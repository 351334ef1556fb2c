// @ts-check
// A mapping profile: how an institution's export is read, without anything of what stands in it. A small file that the
// clerk saves and gives again next time; it is recognised by the headings of the columns, which must be the very same.
import { Failure } from './matcher.js';

const TYPE = 'hedui/profile/v1';
const MOST_BYTES = 64 << 10;
const SETTINGS = /** @type {const} */ (['columns', 'currency', 'delimiter', 'encoding', 'grain', 'header_row', 'units']);
const MEMBERS = [...SETTINGS, 'headings', 'type'].sort();

/** @typedef {{type: string, headings: string[]} & Record<typeof SETTINGS[number], any>} Profile */
/** @typedef {{columns: {heading: string}[]}} Preview */

const headings = (/** @type {Preview} */ preview) => preview.columns.map((column) => column.heading);

/** A heading with a long run of digits is a row that was taken for one: nothing of it may be kept. */
const isData = (/** @type {string} */ heading) => (heading.match(/\d/g) ?? []).length > 6;

/** Whether headings may stand in a file. @param {Preview} preview */
export const mayBeKept = (preview) => !headings(preview).some(isData) && headings(preview).some(Boolean);

/** @param {Preview & Record<string, any>} preview @param {Record<string, any>} table what was settled */
export function makeProfile(preview, table) {
  const columns = preview.columns.map((/** @type {any} */ column) => column.role);
  const profile = { ...table, columns, header_row: preview.header_row, headings: headings(preview), type: TYPE };
  return new Blob([`${JSON.stringify(Object.fromEntries(MEMBERS.map((name) => [name, /** @type {any} */ (profile)[name] ?? null])), null, 1)}\n`]);
}

/** Reads one strictly. What the settings may be the module judges. @param {Blob} file @returns {Promise<Profile>} */
export async function readProfile(file) {
  const bad = new Failure('profile_file');
  if (file.size > MOST_BYTES) throw bad;
  const profile = await new Response(file).json().catch(() => null);
  if (!profile || typeof profile !== 'object' || Object.keys(profile).sort().join() !== MEMBERS.join()) throw bad;
  const texts = (/** @type {any} */ list) => Array.isArray(list) && list.length <= 256 && list.every((text) => typeof text === 'string');
  const words = (/** @type {any} */ list) => Array.isArray(list) && texts(list.filter((word) => word !== null));
  const one = (/** @type {any} */ word) => word === null || typeof word === 'string';
  const good = profile.type === TYPE && texts(profile.headings) && words(profile.columns)
    && profile.columns.length === profile.headings.length && (profile.units === null || words(profile.units))
    && ['currency', 'delimiter', 'encoding', 'grain'].every((name) => one(profile[name]))
    && Number.isInteger(profile.header_row) && !profile.headings.some(isData);
  if (!good) throw bad;
  return profile;
}

/** Whether a profile is of files with these headings. @param {Profile} profile @param {Preview} preview */
export const fits = (profile, preview) => headings(preview).join('\n') === profile.headings.join('\n');

/** What it settles. @param {Profile} profile */
export const settled = (profile) => Object.fromEntries(SETTINGS.map((name) => [name, profile[name]]));
