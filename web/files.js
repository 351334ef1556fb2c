// @ts-check
// Step 3: the customer files, and how they are read.
import { button, choices, day, entry, field, h, input, p, panel, picker, select, t } from './dom.js';
import { Failure } from './matcher.js';
import { showProgress } from './run.js';
import { options } from './task.js';

/** @typedef {import('./page.js').App} App */
/** @typedef {{heading: string, role: string | null}} Column of a preview */
/** @typedef {(changed: object) => void} Set changes options of the table and looks again */

/** Step 3. @param {App} app */
export function files(app) {
  const { state } = app;
  /** @type {File[]} */ const chosen = state.files;
  const look = () => app.act('files.busy', async () => {
    let asked;
    do {
      asked = state.table; // may be changed again while the module looks
      state.preview = await app.matcher.preview({ file: state.files[0], table: asked });
    } while (asked !== state.table);
  });
  /** @type {Set} */
  const set = (changed) => {
    state.table = { ...state.table, ...changed };
    look();
  };
  const take = (/** @type {File[]} */ files) => {
    Object.assign(state, { files, preview: null, table: app.emptyTable() });
    look();
  };
  const same = (/** @type {File} */ a, /** @type {File} */ b) => a.size === b.size && a.lastModified === b.lastModified;
  const twins = chosen.filter((file, i) => chosen.slice(0, i).some((other) => same(file, other)));
  return {
    content: [
      picker('customer-files', t('files.choose'), chosen, take, { accept: '.csv,.tsv,.txt,.xlsx,.xlsm,.xls,.xlsb,.ods,.et,.xml,.htm,.html', multiple: true }),
      ...twins.map((file) => p('notice', t('files.twice', { name: file.name }))),
      chosen.length > 1 && p('hint', t('files.first', { name: chosen[0].name })),
      ...(state.preview ? [columnsPanel(app, set), formatPanel(app, set), readingPanel(app, set)] : []),
    ],
    actions: [state.preview && button('run', t('files.go'), () => start(app))],
  };
}

/** @param {App} app @param {Set} set */
function columnsPanel({ state: { preview } }, set) {
  /** @type {(string | null)[]} */ const roles = preview.columns.map((/** @type {Column} */ column) => column.role);
  const change = (/** @type {number} */ i, /** @type {string} */ role) =>
    set({ columns: roles.map((old, j) => (j === i ? role || null : old)), header_row: preview.header_row });
  const uses = /** @type {[string, string][]} */ ([['', t('files.unused')], ...choices('columnRoles')]);
  const row = (/** @type {Column} */ column, /** @type {number} */ i) => h('tr', { class: roles[i] ? '' : 'unused' },
    h('th', { scope: 'row', id: `column-${i}` }, column.heading || t('files.blank')),
    h('td', {}, h('ul', { class: 'samples' }, preview.rows.slice(0, 3).map((/** @type {string[]} */ cells) => h('li', {}, cells[i] || ' ')))),
    h('td', {}, select(`role-${i}`, uses, roles[i] ?? '', (role) => change(i, role), { 'aria-labelledby': `column-${i} use` })));
  const head = (/** @type {string} */ id) => h('th', { scope: 'col', id }, t(`files.${id}`));
  return panel(t('files.columns'), p('hint', t('files.columnsHint')),
    !roles.includes('id_number') && p('notice bad', t('files.needId')),
    h('table', { id: 'columns' },
      h('thead', {}, h('tr', {}, head('column'), head('sample'), head('use'))), h('tbody', {}, preview.columns.map(row))));
}

/** @param {App} app @param {Set} set */
function formatPanel({ state: { preview, table } }, set) {
  const chooser = (/** @type {'encoding' | 'delimiter'} */ name) => {
    const group = `${name}s`;
    const found = t('files.auto', { value: entry(group)[preview[name]] ?? preview[name] });
    /** @type {[string, string][]} */ const list = [['', table[name] ? t('files.automatic') : found], ...choices(group)];
    const changed = (/** @type {string} */ value) => set({ columns: null, header_row: null, [name]: value || null });
    return field(t(`files.${name}`), select(name, list, table[name] ?? '', changed));
  };
  const row = { type: 'number', min: 0, max: 30, value: table.header_row ?? preview.header_row };
  return panel(t('files.format'), p('hint', t('files.formatHint')), h('div', { class: 'three' },
    chooser('encoding'), chooser('delimiter'),
    field(t('files.header'), input('header-row', row, (value) => set({ columns: null, header_row: Number(value) })))));
}

/** @param {App} app @param {Set} set */
function readingPanel({ state }, set) {
  const { preview, table, task: { asked } } = state;
  const has = (/** @type {string} */ role) => preview.columns.some((/** @type {Column} */ column) => column.role === role);
  const grain = (/** @type {string} */ value) => {
    const more = { type: 'radio', name: 'grain', checked: value === (table.grain ?? preview.grain) };
    return h('label', { class: 'check' }, input(`grain-${value}`, more, () => set({ grain: value })), t(`files.${value}`));
  };
  /** @type {[string, string][]} */
  const units = [['', t('files.unitAuto')], ['one', t('files.one')], ['ten_thousand', t('files.ten_thousand')]];
  /** @type {[string, string][]} */
  const currencies = ['CNY', 'USD', 'HKD', 'EUR', 'JPY', 'GBP'].map((code) => [code, code]);
  const date = { type: 'date', value: table.balance_date ?? '' };
  const version = { type: 'number', min: 1, max: 999, value: state.version };
  return panel(t('files.settings'),
    h('fieldset', {}, h('legend', {}, t('files.grain')), grain('account'), grain('customer')),
    h('div', { class: 'three' },
      field(t('files.unit'), select('unit', units, table.unit ?? '', (unit) => set({ unit: unit || null }))),
      !has('currency')
        && field(t('files.currency'), select('currency', currencies, table.currency ?? 'CNY', (currency) => set({ currency }))),
      !has('balance_date')
        && field(t('files.balance'), input('balance-date', date, (value) => set({ balance_date: value || null })),
          t('files.balanceHint', { asOf: day(asked.as_of) })),
      field(t('files.version'), input('answer-version', version, (value) => { state.version = Number(value) || 1; }),
        t('files.versionHint'))));
}

/** Leaves step 3 for step 4, and that for step 5, or back. @param {App} app */
async function start(app) {
  const { state } = app;
  const roles = state.preview.columns.map((/** @type {Column} */ column) => column.role);
  await app.act('', async () => {
    if (!roles.includes('id_number')) throw new Failure('no_id_column');
    const dated = roles.includes('balance_date') || state.table.balance_date;
    if (state.task.asked.fields.includes('balance_date') && !dated) throw new Failure('files.needDate');
    app.go('run');
  });
  if (state.step !== 'run') return;
  await app.act('run.starting', async () => {
    const { files, task: { roster, agreement }, table } = state;
    const total = files.reduce((/** @type {number} */ sum, /** @type {File} */ file) => sum + file.size, 0);
    state.progress = { bytes: 0, rows: 0, total, started: performance.now() };
    state.outcome = await app.matcher.run({ files, roster, agreement, options: options(app, table) }, (news) => {
      Object.assign(state.progress, news);
      showProgress(state.progress);
    });
    app.go('send');
  });
  if (state.step === 'run') app.go('files', true);
}
