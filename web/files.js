// @ts-check
// Step 3: the customer files, what each was taken for, and how they are read.
import { button, entry, facts, fill, groups, h, input, p, picker, size, t } from './dom.js';
import { Failure } from './matcher.js';
import { emptyJournal } from './journal.js';
import { fits, readProfile, settled } from './profile.js';
import { columnsPanel, formatPanel, profilePanel, readingPanel, unitsPanel, unitsSettled } from './reading.js';
import { setAsideRows } from './report.js';
import { showProgress } from './run.js';
import { options } from './task.js';

/** @typedef {import('./page.js').App} App */
/** @typedef {{preview?: any, failure?: Failure}} Look what was found, or why it can't be read */
/** @typedef {{file: File, sheet: number | null, name: string, hidden?: boolean}} Entry a file, or one sheet of a spreadsheet: what is read by settings of its own */

/** What an export may be called. */
export const ACCEPT = '.csv,.tsv,.txt,.xlsx,.xlsm,.xls,.xlsb,.ods,.et,.xml,.htm,.html';

/** Step 3. @param {App} app */
export function files(app) {
  const { state } = app;
  /** @type {File[]} */ const chosen = state.files;
  const preview = shown(state);
  /** @type {import('./reading.js').Set} */
  const set = (changed) => {
    settle(state, changed);
    app.act('files.busy', () => lookAt(app));
  };
  const take = (/** @type {File[]} */ dropped) => app.act('files.busy', () => takeFiles(app, dropped));
  const drop = (/** @type {number} */ i) => app.act('files.busy', () => readEntries(app, state.entries.filter((/** @type {Entry} */ _, /** @type {number} */ j) => j !== i)));
  const show = (/** @type {number} */ i) => {
    state.at = i;
    app.render();
  };
  const meant = { type: 'checkbox', checked: state.twinsMeant, onchange: (/** @type {any} */ e) => { state.twinsMeant = e.target.checked; } };
  return {
    content: [
      picker('customer-files', t('files.choose'), state.entries.length > 1 ? [] : chosen, take,
        { accept: `${ACCEPT},.hedui`, multiple: true, hint: t('files.profileTake') }),
      state.entries.length > 1 && state.looks.length > 0 && fileList(state, drop, show),
      state.passed.length > 0 && h('p', { class: 'hint', id: 'passed' }, t('files.passed', { list: state.passed.join(t('listComma')) })),
      ...state.twins.map((/** @type {File[]} */ [a, b]) => p('notice', t('files.twice', { name: b.name, other: a.name }))),
      state.twins.length > 0 && h('label', { class: 'check' }, input('twins-meant', meant), t('files.twinsMeant')),
      ...(preview ? [columnsPanel(state, preview, set), unitsPanel(state, preview, set), formatPanel(state, preview, set),
        readingPanel(state, preview, set), profilePanel(state, preview)] : []),
      app.online && trustNote(state.task.agreed),
    ],
    actions: [preview && button('run', t('files.go'), () => start(app))],
  };
}

/** Whoever serves the page is trusted with the file: said where it is chosen, with what to use instead. @param {any} agreed */
export const trustNote = ({ page_sha256: page }) => h('details', { id: 'trust', open: Boolean(page) }, h('summary', {}, t('trust.title', { host: location.host })),
  h('div', { class: 'first' }, p(page ? 'notice' : '', t(page ? 'trust.agreed' : 'trust.text')),
    h('ol', { class: 'plain' }, entry('trust.steps').map((/** @type {string} */ step) => h('li', {}, step))),
    facts([
      page && [t('trust.digest'), h('code', { class: 'digest', id: 'page-digest' }, groups(page))],
      [t('audit.windows'), h('code', {}, 'certutil -hashfile hedui-offline.html SHA256')],
      [t('audit.linux'), h('code', {}, 'sha256sum hedui-offline.html')],
    ])));

/** The preview of the file whose columns are shown. @param {any} state */
const shown = (state) => state.looks[state.at]?.preview;
/** Headings as one text: files that have the same are read the same way. @param {any} preview */
const headings = (preview) => preview?.columns.map((/** @type {any} */ column) => column.heading).join('\n');

/** Settles something for every file like the one that is shown; what no column says, for all. @param {any} state @param {object} changed */
function settle(state, changed) {
  const common = 'balance_date' in changed || 'currency' in changed;
  const like = (/** @type {number} */ i) => common || i === state.at || headings(state.looks[i].preview) === headings(shown(state));
  state.tables = state.tables.map((/** @type {object} */ table, /** @type {number} */ i) => (like(i) ? { ...table, ...changed } : table));
}

/** Customer files, a profile, or both, chosen or dropped. @param {App} app @param {File[]} dropped */
async function takeFiles(app, dropped) {
  const { state } = app;
  const isProfile = (/** @type {File} */ file) => file.name.endsWith('.hedui');
  const [data, profiles] = [dropped.filter((file) => !isProfile(file)), dropped.filter(isProfile)];
  if (data.length) Object.assign(state, { files: data, entries: [], looks: [], passed: [], profile: null });
  if (profiles.length) state.profile = { name: profiles[0].name, read: await readProfile(profiles[0]), fits: false, tried: false };
  if (!state.files.length) return;
  /** @type {Entry[]} */ const entries = [];
  for (const file of data.length ? state.files : []) entries.push(...await sheetsOf(app, file));
  await readEntries(app, data.length ? entries : state.entries);
}

/** @param {App} app @param {Entry[]} entries */
async function readEntries(app, entries) {
  const { state } = app;
  Object.assign(state, { entries, tables: entries.map(app.emptyTable), at: 0, looks: [], twins: [], twinsMeant: false });
  if (state.profile) state.profile.tried = false;
  state.files = state.files.filter((/** @type {File} */ file) => entries.some((entry) => entry.file === file));
  if (!entries.length) return;
  await lookAt(app);
  state.twins = await twins(app);
}

/** What a file is read as: itself, or those of its sheets that have rows with identity numbers. @param {App} app @param {File} file @returns {Promise<Entry[]>} */
async function sheetsOf(app, file) {
  const whole = { file, sheet: null, name: file.name };
  const preview = await app.matcher.preview({ file, table: app.emptyTable() }).catch(() => null);
  if (!preview?.sheets) return [whole];
  /** @type {Entry[]} */ const entries = [];
  for (const [sheet, { name, hidden }] of preview.sheets.entries()) {
    const entry = { file, sheet, name: preview.sheets.length > 1 ? `${file.name} · ${name}` : file.name, hidden };
    const found = await app.matcher.preview({ file, table: app.emptyTable(), sheet }).catch((failure) => ({ failure }));
    if (!found.failure && !found.problem && found.rows.length) entries.push(entry);
    else app.state.passed.push(entry.name);
  }
  return entries.length ? entries : [whole];
}

/** Lets the module look at every file, as often as the settings change meanwhile. @param {App} app */
async function lookAt(app) {
  const { state } = app;
  const one = (/** @type {Entry} */ { file, sheet }, /** @type {object} */ table) => /** @type {Promise<Look>} */ (app.matcher.preview({ file, sheet, table })
    .then((preview) => ({ preview, failure: preview.problem && new Failure(preview.problem.code, preview.problem) }), (failure) => ({ failure })));
  let asked;
  do {
    asked = state.tables;
    /** @type {Look[]} */ const looks = [];
    for (const [i, entry] of state.entries.entries()) looks.push(await one(entry, asked[i]));
    state.looks = looks;
    const { profile } = state;
    if (profile && !profile.tried) {
      profile.tried = true;
      for (const [i, entry] of state.entries.entries()) {
        const table = { ...asked[i], ...settled(profile.read) };
        const again = await one(entry, table);
        if (!again.preview || !fits(profile.read, again.preview)) continue;
        profile.fits = true;
        state.tables = state.tables.with(i, table);
      }
    }
  } while (asked !== state.tables);
  const failed = state.looks.find((/** @type {Look} */ { preview }) => !preview);
  if (failed) throw failed.failure;
}

/** Files that hold the same bytes as an earlier one. Only those of one length are read for it. @param {App} app */
async function twins(app) {
  /** @type {File[]} */ const chosen = app.state.files;
  /** @type {File[][]} */ const found = [];
  for (const [i, b] of chosen.entries()) {
    for (const a of chosen.slice(0, i)) {
      if (a.size === b.size && await app.matcher.ask('same', { a, b })) found.push([a, b]);
    }
  }
  return found;
}

/** What each of several files was taken for. @param {any} state @param {(i: number) => void} drop @param {(i: number) => void} show */
function fileList({ entries, looks, tables, at }, drop, show) {
  const word = (/** @type {string} */ group, /** @type {string} */ value) => entry(group)[value] ?? value;
  const found = (/** @type {Look} */ { preview, failure }, /** @type {any} */ table) => {
    if (!preview) return h('span', { class: 'bad', 'data-code': failure?.code }, fill(entry(`error.${failure?.code}`)?.[0] ?? failure?.code, failure?.numbers));
    const used = preview.columns.filter((/** @type {any} */ column) => column.role).length;
    return [
      preview.format ? preview.format.toUpperCase() : `${word('encodings', preview.encoding)} · ${word('delimiters', preview.delimiter)}`,
      h('small', {}, t('files.found', { header: preview.header_row, used, columns: preview.columns.length })),
      failure && h('small', { class: 'bad' }, entry(`error.${failure.code}`)[0]),
      !failure && !unitsSettled(preview, table) && h('small', { class: 'open' }, t('files.unitsOpen')),
    ];
  };
  const row = (/** @type {Entry} */ { file, name, hidden }, /** @type {number} */ i) => h('tr', { 'aria-current': i === at ? 'true' : null },
    h('th', { scope: 'row' }, name, h('small', {}, size(file.size)), hidden && h('small', { class: 'open' }, t('files.hidden'))),
    h('td', { id: `found-${i}`, 'data-encoding': looks[i].preview?.encoding }, found(looks[i], tables[i])),
    h('td', { class: 'buttons' },
      i !== at && looks[i].preview && button(`show-${i}`, t('files.show'), () => show(i), { class: 'button quiet', 'aria-label': t('files.showOne', { name }) }),
      button(`drop-${i}`, t('files.drop'), () => drop(i), { class: 'button quiet', 'aria-label': t('files.dropOne', { name }) })));
  const head = (/** @type {string} */ key) => h('th', { scope: 'col' }, t(key));
  return h('div', { class: 'scroll' }, h('table', { id: 'file-list' },
    h('caption', {}, t('files.list', { n: entries.length })),
    h('thead', {}, h('tr', {}, head('files.file'), head('files.takenFor'), h('td', {}))), h('tbody', {}, entries.map(row))),
  p('hint', t('files.first', { name: entries[at].name })));
}

/** What keeps the run from starting is said before it starts, and the file that it is about is shown. @param {App} app */
function judge({ state }) {
  for (const [i, { preview, failure }] of /** @type {Look[]} */ (state.looks).entries()) {
    state.at = i;
    if (failure) throw failure;
    const roles = preview.columns.map((/** @type {any} */ column) => column.role);
    if (!roles.includes('id_number')) throw new Failure('no_id_column');
    const dated = roles.includes('balance_date') || state.tables[i].balance_date;
    if (state.task.asked.fields.includes('balance_date') && !dated) throw new Failure('files.needDate');
    if (!unitsSettled(preview, state.tables[i])) throw new Failure('files.needUnit');
  }
  if (state.twins.length && !state.twinsMeant) throw new Failure('files.needTwins');
}

/** Leaves step 3 for step 4, and that for step 5, or back. @param {App} app */
async function start(app) {
  const { state } = app;
  await app.act('', async () => {
    judge(app);
    app.go('run');
  });
  if (state.step !== 'run') return;
  await app.act('run.starting', async () => {
    const { entries, task: { roster, agreement }, tables } = state;
    const files = entries.map((/** @type {Entry} */ { file }) => file);
    const sheets = entries.map((/** @type {Entry} */ { sheet }) => (sheet === null ? null : [sheet]));
    const total = files.reduce((/** @type {number} */ sum, /** @type {File} */ file) => sum + file.size, 0);
    state.progress = { bytes: 0, rows: 0, total, started: performance.now() };
    Object.assign(state, { notes: [], log: null, journal: emptyJournal(), journalFile: null, receipt: null, approverKey: null });
    const outcome = await app.matcher.run({ files, sheets, tables, roster, agreement, options: options(app, tables[0]) }, (news) => {
      Object.assign(state.progress, news);
      showProgress(state.progress);
    });
    state.outcome = { ...outcome, approvers: [], rows: await setAsideRows(outcome.setAside) };
    app.go('send');
  });
  if (state.step === 'run') app.go('files', true);
}
