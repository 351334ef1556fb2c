// @ts-check
// What was read, for the clerk: counts, what was put right, what was not used and where it stands. None of it says who matched.
import { count, entry, facts, h, p, panel, saveLink, size, t, words } from './dom.js';

/** Rows that are shown here; the file has them all. */
const SHOWN = 20;

/** @param {{coverage: any, warnings: {code: string, count: number}[], unknown_products: string[]}} report @param {Node | false} setAside the rows */
export function coveragePanel({ coverage, warnings, unknown_products: products }, setAside) {
  const unused = /** @type {number[]} */ (Object.values(coverage.quarantined)).reduce((a, b) => a + b, 0);
  const number = (/** @type {string} */ id, /** @type {number} */ n, /** @type {string} */ style = '') =>
    h('div', { class: style }, h('dt', {}, t(`send.${id}`)), h('dd', { id: `count-${id}` }, count(n)));
  const part = (/** @type {string} */ group, /** @type {string} */ hint) => {
    const counts = /** @type {[string, number][]} */ (Object.entries(coverage[group])).sort((a, b) => b[1] - a[1]);
    const line = (/** @type {[string, number]} */ [key, n]) =>
      h('li', { 'data-key': key }, h('span', {}, words(group, [key])), h('span', {}, t('send.ofRows', { n })));
    return counts.length > 0 && h('div', { class: 'part' }, h('h3', {}, t(`send.${group}`)), hint && p('hint', hint),
      h('ul', { class: 'tally', id: group }, counts.map(line)));
  };
  const warning = (/** @type {{code: string, count: number}} */ { code, count: n }) =>
    h('li', { 'data-code': code }, t(`warnings.${code}`, { n }));
  return panel(t('send.coverage'),
    h('dl', { class: 'numbers' }, number('rows', coverage.rows), number('valid', coverage.valid),
      number('notPersonal', coverage.not_personal), number('quarantined', unused, unused ? 'bad' : '')),
    warnings.length > 0 && h('ul', { class: 'notice', id: 'warnings' }, warnings.map(warning)),
    products.length > 0 && p('hint', t('send.products', { list: products.join(t('listComma')) })),
    unused === 0 && p('checked', t('send.clean')),
    part('quarantined', t('send.quarantinedHint')), setAside, part('normalised', t('send.normalisedHint')), part('skipped', ''),
    facts([[t('send.read'), words('columnRoles', coverage.columns)]]));
}

/**
 * Reads the module's list of rows that were set aside: `file,row,reason,number`, SPEC §10.
 * @param {Blob} list @returns {Promise<string[][]>}
 */
export async function setAsideRows(list) {
  const [, ...lines] = (await list.text()).trimEnd().split('\n');
  return lines.map((line) => line.split(','));
}

/**
 * The rows that were set aside, and the list of them to save. @param {Blob} list @param {string[][]} rows @param {{name: string}[]} files
 * @param {string} name
 */
export function setAsidePanel(list, rows, files, name) {
  if (!rows.length) return false;
  const head = (/** @type {string} */ key) => h('th', { scope: 'col' }, t(key));
  const row = (/** @type {string[]} */ [file, line, reason, number]) => h('tr', {},
    files.length > 1 && h('td', {}, files[Number(file) - 1]?.name ?? file), h('td', { class: 'figure' }, count(Number(line))),
    h('td', {}, entry('quarantined')[reason] ?? reason), h('td', {}, h('code', {}, number)));
  // The byte order mark tells a spreadsheet what encoding it is.
  const saved = new Blob(['\uFEFF', list], { type: 'text/csv' });
  return h('div', { class: 'part', id: 'set-aside' },
    h('h3', {}, t('send.setAside', { n: rows.length })),
    h('div', { class: 'scroll' }, h('table', {},
      h('thead', {}, h('tr', {}, files.length > 1 && head('files.file'), head('send.line'), head('send.reason'), head('send.number'))),
      h('tbody', {}, rows.slice(0, SHOWN).map(row)))),
    rows.length > SHOWN && p('hint', t('send.setAsideMore', { shown: SHOWN, n: rows.length })),
    p('set-aside-save', saveLink('save-set-aside', t('send.saveSetAside'), saved, `${name}.set-aside.csv`, { class: 'button quiet' }), h('span', { class: 'hint' }, t('send.setAsideHint', { size: size(saved.size) }))));
}
