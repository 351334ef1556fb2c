// @ts-check
// The parts of step 3 that show how a file is read, for the clerk to confirm or put right.
import { choices, day, entry, field, h, input, p, panel, saveLink, select, t } from './dom.js';
import { makeProfile, mayBeKept } from './profile.js';

/** @typedef {{heading: string, role: string | null, ten_thousand: boolean}} Column of a preview */
/** @typedef {(changed: object) => void} Set changes options of the table and looks again */

/** @param {any} state @param {any} preview @param {Set} set */
export function columnsPanel({ entries, at }, preview, set) {
  /** @type {(string | null)[]} */ const roles = preview.columns.map((/** @type {Column} */ column) => column.role);
  const change = (/** @type {number} */ i, /** @type {string} */ role) =>
    set({ columns: roles.map((old, j) => (j === i ? role || null : old)), header_row: preview.header_row });
  const uses = /** @type {[string, string][]} */ ([['', t('files.unused')], ...choices('columnRoles')]);
  const row = (/** @type {Column} */ column, /** @type {number} */ i) => h('tr', { class: roles[i] ? '' : 'unused' },
    h('th', { scope: 'row', id: `column-${i}` }, column.heading || t('files.blank')),
    h('td', {}, h('ul', { class: 'samples' }, preview.rows.slice(0, 3).map((/** @type {string[]} */ cells) => h('li', {}, cells[i] || ' ')))),
    h('td', {}, select(`role-${i}`, uses, roles[i] ?? '', (role) => change(i, role), { 'aria-labelledby': `column-${i} use` })));
  const head = (/** @type {string} */ id) => h('th', { scope: 'col', id }, t(`files.${id}`));
  return panel(t('files.columns'), entries.length > 1 && p('checked', t('files.ofFile', { name: entries[at].name })), p('hint', t('files.columnsHint')),
    !roles.includes('id_number') && p('notice bad', t('files.needId')),
    h('table', { id: 'columns' },
      h('thead', {}, h('tr', {}, head('column'), head('sample'), head('use'))), h('tbody', {}, preview.columns.map(row))));
}

/** @param {any} state @param {any} preview @param {Set} set */
export function formatPanel({ tables, at }, preview, set) {
  const table = tables[at];
  const chooser = (/** @type {'encoding' | 'delimiter'} */ name) => {
    const group = `${name}s`;
    const found = t('files.auto', { value: entry(group)[preview[name]] ?? preview[name] });
    /** @type {[string, string][]} */ const list = [['', table[name] ? t('files.automatic') : found], ...choices(group)];
    const changed = (/** @type {string} */ value) => set({ columns: null, header_row: null, [name]: value || null });
    return field(t(`files.${name}`), select(name, list, table[name] ?? '', changed));
  };
  const row = { type: 'number', min: 0, max: 30, value: table.header_row ?? preview.header_row };
  return panel(t('files.format'), p('hint', t('files.formatHint')), h('div', { class: 'three' },
    !preview.format && chooser('encoding'), !preview.format && chooser('delimiter'),
    field(t('files.header'), input('header-row', row, (value) => set({ columns: null, header_row: Number(value) })))));
}

/** @param {any} state @param {any} preview @param {Set} set */
export function readingPanel(state, preview, set) {
  const { task: { asked }, tables, at } = state;
  const table = tables[at];
  const has = (/** @type {string} */ role) => preview.columns.some((/** @type {Column} */ column) => column.role === role);
  const grain = (/** @type {string} */ value) => {
    const more = { type: 'radio', name: 'grain', checked: value === (table.grain ?? preview.grain) };
    return h('label', { class: 'check' }, input(`grain-${value}`, more, () => set({ grain: value })), t(`files.${value}`));
  };
  /** @type {[string, string][]} */
  const currencies = ['CNY', 'USD', 'HKD', 'EUR', 'JPY', 'GBP'].map((code) => [code, code]);
  const date = { type: 'date', value: table.balance_date ?? '' };
  const version = { type: 'number', min: 1, max: 999, value: state.version };
  return panel(t('files.settings'),
    h('fieldset', {}, h('legend', {}, t('files.grain')), grain('account'), grain('customer')),
    h('div', { class: 'three' },
      !has('currency')
        && field(t('files.currency'), select('currency', currencies, table.currency ?? 'CNY', (currency) => set({ currency }))),
      !has('balance_date')
        && field(t('files.balance'), input('balance-date', date, (value) => set({ balance_date: value || null })),
          t('files.balanceHint', { asOf: day(asked.as_of) })),
      field(t('files.version'), input('answer-version', version, (value) => { state.version = Number(value) || 1; }),
        t('files.versionHint'))));
}

/** The columns of amounts, by their place. @param {{columns: Column[]}} preview */
export const amounts = (preview) =>
  preview.columns.map((column, i) => ({ ...column, i })).filter((column) => column.role?.startsWith('amount'));

/** Whether 元 or 万元 is settled for every column of amounts. @param {{columns: Column[]}} preview @param {any} table */
export const unitsSettled = (preview, table) => amounts(preview).every(({ i }) => table.units?.[i]);

/** 元 or 万元, once for each column of amounts, with what a figure of the file then means. @param {any} state @param {any} preview @param {Set} set */
export function unitsPanel({ tables, at }, preview, set) {
  const table = tables[at];
  const columns = amounts(preview);
  if (!columns.length) return null;
  const units = preview.columns.map((/** @type {Column} */ _, /** @type {number} */ i) => table.units?.[i] ?? null);
  const choose = (/** @type {number} */ i, /** @type {string} */ unit) => set({ units: units.with(i, unit) });
  const row = (/** @type {Column & {i: number}} */ { heading, ten_thousand: named, i }) => {
    const sample = preview.rows.map((/** @type {string[]} */ cells) => cells[i]).find((/** @type {string} */ cell) => Number(plain(cell)) > 0);
    const means = (/** @type {number} */ times) => sample && t('files.means', {
      cell: sample, amount: (Number(plain(sample)) * times).toLocaleString(t('lang'), { minimumFractionDigits: 2 }),
    });
    const option = (/** @type {string} */ unit, /** @type {number} */ times) => h('label', { class: 'check' },
      input(`unit-${i}-${unit}`, { type: 'radio', name: `unit-${i}`, checked: units[i] === unit }, () => choose(i, unit)),
      h('span', {}, t(`files.${unit}`), h('small', {}, means(times))));
    return h('fieldset', { class: units[i] ? 'unit settled' : 'unit', 'data-unit': i },
      h('legend', {}, heading || t('files.blank'), named && h('small', {}, t('files.named'))),
      option('one', 1), option('ten_thousand', 10_000));
  };
  return panel(t('files.units'), p('hint', t('files.unitsHint')), h('div', { class: 'units' }, columns.map(row)),
    unitsSettled(preview, table) ? h('p', { class: 'checked', id: 'units-settled' }, t('files.unitsSettled')) : p('open', t('files.unitsOpen')));
}

/** A figure as the module reads it, roughly: this is for the eye alone. @param {string} [cell] */
const plain = (cell) => (cell ?? '').normalize('NFKC').replace(/[,¥￥元\s]/g, '');

/** @param {any} state @param {any} preview */
export function profilePanel({ tables, at, profile }, preview) {
  const table = tables[at];
  const said = profile && h('p', { class: profile.fits ? 'checked' : 'notice', id: 'profile', 'data-fits': String(profile.fits) },
    t(profile.fits ? 'files.profileFits' : 'files.profileOther', { name: profile.name }));
  if (!mayBeKept(preview)) return said;
  const name = `${(preview.columns[0].heading || 'table').replace(/[^\p{L}\p{N}]/gu, '').slice(0, 12) || 'table'}.profile.hedui`;
  return panel(t('files.profile'), said, p('hint', t('files.profileHint')),
    saveLink('save-profile', t('files.saveProfile'), makeProfile(preview, table), name, { class: 'button quiet' }));
}
