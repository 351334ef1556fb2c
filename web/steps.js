// @ts-check
// The five steps, one function each: from what is known to what is shown. `app` is that of page.js.
import {
  button, choices, count, day, entry, facts, field, groups, h, input, moment, money, p, panel, picker, saveLink, select, size, t, words,
} from './dom.js';
import { hex } from './host.js';
import { Failure } from './matcher.js';

/** @typedef {import('./page.js').App} App */
/** @typedef {{heading: string, role: string | null}} Column of a preview */
/** @typedef {(changed: object) => void} Set changes options of the table and looks again */

/** Bytes that a key file, a roster and an agreement have at most; the module judges them more closely. */
const MOST = { key: 1 << 16, roster: 64 << 20, agreement: 128 << 10 };

/** Reads a chosen file, when it is no larger than what it should be. @param {Blob} blob @param {keyof MOST} kind */
async function bytesOf(blob, kind) {
  if (blob.size > MOST[kind]) throw new Failure('file_too_large', { field: kind });
  return new Uint8Array(await blob.arrayBuffer());
}
const now = () => Math.floor(Date.now() / 1000);
const SECOND = { class: 'button second' };
const QUIET = { class: 'button quiet' };
const KEEP = { 'data-keep': '' };
const FOCUS = { 'data-focus': '' };

/** Reads an input by its id. */
const typed = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (document.getElementById(id)).value.trim();

/** Takes what was typed out of the page. @param {string} id */
function takeSecret(id) {
  const box = /** @type {HTMLInputElement} */ (document.getElementById(id));
  const secret = new TextEncoder().encode(box.value);
  box.value = '';
  return secret;
}

/** Step 1. @param {App} app */
export function unlock(app) {
  const { state } = app;
  const open = () => {
    const passphrase = takeSecret('passphrase');
    return app.act('unlock.busy', async () => {
      if (!state.key) throw new Failure('unlock.needKey');
      if (!passphrase.length) throw new Failure('unlock.needPassphrase');
      await app.matcher.ask('unlock', { keyFile: state.key.bytes, passphrase });
      passphrase.fill(0);
      Object.assign(state, { resumed: false, ended: false });
      app.go(state.task ? 'files' : 'task');
    });
  };
  const enter = (/** @type {KeyboardEvent} */ e) => e.key === 'Enter' && open();
  const show = (/** @type {any} */ e) =>
    document.getElementById('passphrase')?.setAttribute('type', e.target.checked ? 'text' : 'password');
  const take = (/** @type {File[]} */ [file]) => app.act('', () => takeKey(app, file));
  return {
    content: [
      app.online && !isSecureContext && h('p', { class: 'notice bad', id: 'plain' }, t('unlock.plain')),
      state.resumed && p('notice', t('unlock.again2')),
      picker('key-file', t('unlock.keyFile'), state.key?.files ?? [], take, { accept: '.hedui', hint: t('unlock.keyHint') }),
      state.key && facts([[t('unlock.unit'), state.key.name], [t('unlock.code'), state.key.code]]),
      field(t('unlock.passphrase'), input('passphrase', { type: 'password', onkeydown: enter })),
      h('label', { class: 'check' }, input('show', { type: 'checkbox', onchange: show }), t('unlock.show')),
    ],
    actions: [button('unlock', t('unlock.go'), open)],
    after: h('details', { id: 'first-time' }, h('summary', {}, t('unlock.first')), state.made ? keyMade(app) : keyForm(app)),
  };
}

/** Reads who a key file belongs to; its secrets are sealed. @param {App} app @param {File} file */
async function takeKey(app, file) {
  app.state.key = null;
  const bytes = await bytesOf(file, 'key');
  const plain = await new Response(new Blob([bytes])).json().catch(() => null);
  if (plain?.type !== 'hedui/key/v1') throw new Failure('key_file');
  if (plain.role !== 'institution') throw new Failure('wrong_role');
  app.state.key = { bytes, files: [file], name: plain.name, code: plain.code, signing: plain.signing_key };
}

/** @param {App} app */
function keyForm(app) {
  const make = () => {
    const [code, kind, name] = [typed('new-code'), typed('new-kind'), typed('new-name')];
    const [passphrase, again] = [takeSecret('new-passphrase'), takeSecret('new-passphrase-again')];
    return app.act('unlock.busy', async () => {
      if (!name || !code) throw new Failure('unlock.incomplete');
      if (hex(passphrase) !== hex(again)) throw new Failure('unlock.differ');
      const made = await app.matcher.ask('newKey', { passphrase, options: { code, kind, name, now: now(), role: 'institution' } });
      app.state.made = { ...made, code };
      passphrase.fill(0);
      again.fill(0);
    });
  };
  return h('div', { class: 'first' },
    h('p', {}, t('unlock.firstLead')),
    field(t('unlock.unitName'), input('new-name', { maxlength: 200, ...KEEP })),
    h('div', { class: 'pair' },
      field(t('unlock.code'), input('new-code', { maxlength: 32, ...KEEP }), t('unlock.codeHint')),
      field(t('unlock.kind'), select('new-kind', choices('kinds'), 'bank', undefined, KEEP))),
    h('div', { class: 'pair' },
      field(t('unlock.newPassphrase'), input('new-passphrase', { type: 'password' }), t('unlock.newHint')),
      field(t('unlock.again'), input('new-passphrase-again', { type: 'password' }))),
    p('actions', button('make-key', t('unlock.make'), make, SECOND)));
}

/** @param {App} app */
function keyMade(app) {
  const { made } = app.state;
  const key = new File([made.key], `${made.code}.key.hedui`);
  const use = () => app.act('', async () => {
    await takeKey(app, key);
    app.state.made = null;
    document.getElementById('first-time')?.removeAttribute('open');
  });
  const joining = saveLink('save-joining', t('unlock.saveJoining'), new Blob([made.joining]), `${made.code}.joining.hedui`);
  return h('div', { class: 'first', id: 'made' },
    h('h3', {}, t('unlock.made')),
    h('ol', { class: 'keep' },
      h('li', {}, saveLink('save-key', t('unlock.saveKey'), key, key.name, FOCUS), h('span', {}, t('unlock.madeKey'))),
      h('li', {}, joining, h('span', {}, t('unlock.madeJoining')))),
    button('use-key', t('unlock.use'), use, SECOND));
}

/** Step 2. @param {App} app */
export function task(app) {
  const { state, host } = app;
  const set = (/** @type {object} */ changed) => {
    Object.assign(state, changed);
    app.render();
  };
  if (state.task) {
    const actions = [
      button('to-files', t('task.go'), () => app.go('files'), FOCUS),
      button('other-task', t('task.other'), () => set({ task: null }), QUIET),
    ];
    return { leaves: 'nothing', content: [taskFacts(state.task)], actions };
  }
  const list = async () => {
    await host.signIn(app.matcher, state.key.signing);
    state.rosters = (await host.rosters()).sort((a, b) => (a.expires < b.expires ? -1 : 1));
  };
  const look = () => app.act('task.checking', list);
  const pick = (/** @type {any} */ row) => app.act('task.checking', async () => {
    state.version = Math.max(0, ...row.answered) + 1;
    await openTask(app, await host.document('rosters', row.digest), await host.document('agreements', row.agreement), true);
  });
  const drop = () => app.act('task.checking', async () => {
    if (!state.rosterFile || !state.agreementFile) throw new Failure('task.needBoth');
    state.version = 1;
    const [roster, agreement] = [await bytesOf(state.rosterFile, 'roster'), await bytesOf(state.agreementFile, 'agreement')];
    // Only the host can say whether a newer roster was answered. Where there is none, or it does not know this
    // institution, files are all there is.
    if (app.online) await list().catch(unlessOffline);
    await openTask(app, roster, agreement, false);
  });
  const card = (/** @type {any} */ row) => h('li', { 'data-roster': row.digest },
    h('div', {}, h('strong', {}, `${t('task.asOf')} ${day(row.as_of)}`), h('span', {}, `${t('task.due')} `, due(row.expires))),
    h('p', {}, level(row)),
    p('hint', words('fields', row.fields)),
    row.answered.length > 0 && p('checked', t('task.answered', { n: Math.max(...row.answered) })),
    button(`pick-${row.serial}`, t('task.pick'), () => pick(row), SECOND));
  const rosters = () => (state.rosters.length
    ? h('ul', { class: 'cards', id: 'rosters' }, state.rosters.map(card))
    : h('p', { class: 'notice', id: 'no-rosters' }, t('task.empty')));
  const chooser = (/** @type {'roster' | 'agreement'} */ kind) => picker(`${kind}-file`, t(`task.${kind}`),
    state[`${kind}File`] ? [state[`${kind}File`]] : [], ([file]) => set({ [`${kind}File`]: file }), { accept: '.hedui' });
  return {
    leaves: app.online ? 'signIn' : 'nothing',
    content: [
      app.online && panel(t('task.online'), p('hint', t('task.onlineHint')), state.rosters && rosters(),
        button('sign-in', t(state.rosters ? 'task.refresh' : 'task.signIn'), look, state.rosters ? QUIET : {})),
      panel(t('task.offline'), p('hint', t('task.offlineHint')), h('div', { class: 'pair' }, chooser('roster'), chooser('agreement')),
        button('open-task', t('task.open'), drop, app.online ? SECOND : {})),
    ],
    actions: [],
  };
}

/** @param {unknown} failure */
function unlessOffline(failure) {
  if (!(failure instanceof Failure) || !['host_unreachable', 'sign_in_refused'].includes(failure.code)) throw failure;
}

/** The highest serial that the host took an answer to, under this agreement's centre and institution. @param {any[]} rosters @param {any} agreed */
const answeredSerial = (rosters, { centre, institution }) => Math.max(0, ...rosters
  .filter((row) => row.answered.length > 0 && row.centre_key === centre?.signing_key && row.institution === institution?.code)
  .map((row) => row.serial));

/**
 * Opens both documents in the module, which checks every signature, date and key.
 * @param {App} app @param {Uint8Array} roster @param {Uint8Array} agreement @param {boolean} online
 */
async function openTask(app, roster, agreement, online) {
  const agreed = await app.matcher.ask('inspect', { document: agreement });
  app.state.lastSerial = answeredSerial(app.state.rosters ?? [], agreed.header);
  await app.matcher.ask('check', { roster, agreement, options: options(app, {}) });
  const asked = await app.matcher.ask('inspect', { document: roster });
  app.state.task = { roster, agreement, online, digest: asked.digest, asked: asked.header, agreed: agreed.header };
}

/** Options of `open`, SPEC §10. @param {App} app @param {object} table */
const options = ({ state, matcher }, table) =>
  ({ answer_version: state.version, last_serial: state.lastSerial, module_sha256: matcher.digest, now: now(), table });

/** @param {{level: string, line?: {currency: string, minor: number} | null}} asked */
const level = ({ level, line }) => (line ? t('levels.line', { amount: money(line.minor, line.currency) }) : t(`levels.${level}`));

/** @param {string} expires */
function due(expires) {
  const days = Math.floor((Date.parse(expires) - Date.now()) / 86_400_000);
  const text = days < 0 ? t('task.over') : days === 0 ? t('task.today') : t('task.left', { n: days });
  return h('span', { class: days < 3 ? 'due soon' : 'due' }, `${day(expires)} · ${text}`);
}

/** @param {any} task */
const taskFacts = ({ asked, agreed }) => panel(t('task.asks'), p('checked', t('task.checked')), facts([
  [t('task.level'), level(asked)],
  [t('send.fields'), words('fields', asked.fields)],
  [t('task.asOf'), day(asked.as_of)],
  [t('task.due'), due(asked.expires)],
  asked.income_from && [t('task.period'), t('task.to', { a: day(asked.income_from), b: day(asked.income_to) })],
  [t('task.centre'), agreed.centre.name],
  [t('task.agreementNo'), agreed.number],
  [t('task.purpose'), asked.purpose],
  [t('task.basis'), asked.legal_basis],
  [t('task.size'), t('task.sizeText', { n: asked.slot_count })],
  [t('task.serial'), count(asked.serial)],
]));

/** Step 3. @param {App} app */
export function files(app) {
  const { state } = app;
  /** @type {File[]} */ const chosen = state.files;
  const look = () => app.act('files.busy', async () => {
    let asked;
    do {
      asked = state.table; // may be changed again while the module looks
      state.preview = await app.matcher.ask('preview', { file: state.files[0], table: asked });
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
      picker('customer-files', t('files.choose'), chosen, take, { accept: '.csv,.tsv,.txt', multiple: true }),
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

/** Step 4. @param {App} app */
export function run(app) {
  const cancel = () => {
    app.state.resumed = true;
    app.lock();
  };
  const number = (/** @type {string} */ id) => h('div', {}, h('dt', {}, t(`run.${id}`)), h('dd', { id }, '–'));
  const bar = h('progress', { id: 'progress', max: 100, value: 0, 'aria-label': t('run.title') });
  setTimeout(() => app.state.progress && showProgress(app.state.progress)); // after a change of language
  return {
    content: [
      h('div', { class: 'gauge' }, bar, h('p', { id: 'percent' }, t('run.starting'))),
      h('dl', { class: 'numbers' }, number('rows'), number('rate'), number('left')),
      h('p', { class: 'hint', id: 'share' }),
    ],
    actions: [button('cancel', t('run.cancel'), cancel, SECOND), p('hint', t('run.cancelHint'))],
  };
}

/** @param {{bytes: number, rows: number, total: number, started: number}} progress */
function showProgress({ bytes, rows, total, started }) {
  if (!bytes) return;
  const show = (/** @type {string} */ id, /** @type {string} */ text) => document.getElementById(id)?.replaceChildren(text);
  const seconds = (performance.now() - started) / 1000;
  const left = Math.ceil((seconds * (total - bytes)) / bytes);
  const percent = Math.floor((bytes / total) * 100);
  document.getElementById('progress')?.setAttribute('value', String(percent));
  show('percent', bytes < total ? t('run.percent', { n: percent }) : t('run.sealing'));
  show('share', t('run.share', { done: size(bytes), total: size(total) }));
  show('rows', count(rows));
  show('rate', count(Math.round(rows / seconds)));
  show('left', left < 90 ? t('run.seconds', { n: left }) : t('run.minutes', { n: Math.ceil(left / 60) }));
}

/** Step 5. @param {App} app */
export function send(app) {
  const { state, host } = app;
  const { report, answer } = state.outcome;
  const { asked, agreed, online, digest } = state.task;
  const name = `${asked.institution}-${asked.as_of}-${asked.serial}`;
  const direct = app.online && !agreed.approval_required;
  const go = () => app.act('send.busy', async () => {
    await host.signIn(app.matcher, state.key.signing);
    const bytes = await host.send(digest, answer);
    state.receipt = { bytes, ...(await app.matcher.ask('inspect', { document: bytes })).header };
  });
  const digestOf = (/** @type {string} */ id, /** @type {string} */ value) => h('code', { id, class: 'digest' }, groups(value));
  const shape = t('send.shapeText', { slots: asked.slot_count, size: asked.slot_size + 16 });
  const save = saveLink('save', t('send.save'), answer, `${name}.answer.hedui`, direct && (online || state.receipt) ? QUIET : {});
  const end = (/** @type {object} */ style) => button('again', t('send.again'), () => app.end(), style);
  return {
    leaves: state.receipt ? 'sent' : 'answer',
    content: [
      state.receipt && receiptPanel(state.receipt, report.answer_digest, name),
      coveragePanel(report),
      panel(t(state.receipt ? 'send.outSent' : 'send.out'), facts([
        [t('send.shape'), [shape, h('small', {}, t('send.shapeHint'))]],
        [t('send.level'), level(asked)],
        [t('send.fields'), words('fields', asked.fields)],
        [t('send.size'), [size(report.answer_bytes), h('small', {}, t('send.version', { n: state.version }))]],
        [t('send.digest'), digestOf('answer-digest', report.answer_digest)],
        [t('send.module'), digestOf('answer-module', app.matcher.digest)],
      ])),
      agreed.approval_required && h('p', { class: 'notice', id: 'approval' }, t('send.approval')),
    ],
    actions: state.receipt
      ? [end({}), save, p('hint', t('send.endHint'))]
      : [direct && button('send', t('send.go'), go, online ? {} : SECOND), save,
        button('edit', t('send.edit'), () => app.go('files'), QUIET), end(QUIET)],
  };
}

/** @param {{coverage: any, warnings: {code: string, count: number}[], unknown_products: string[]}} report */
function coveragePanel({ coverage, warnings, unknown_products: products }) {
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
    part('quarantined', t('send.quarantinedHint')), part('normalised', t('send.normalisedHint')), part('skipped', ''),
    facts([[t('send.read'), words('columnRoles', coverage.columns)]]));
}

/** @param {any} receipt @param {string} digest @param {string} name */
function receiptPanel(receipt, digest, name) {
  const same = receipt.answer === digest;
  const save = { ...SECOND, ...FOCUS };
  return h('section', { class: 'panel receipt', id: 'receipt' }, h('h2', {}, t('send.sent')),
    facts([
      [t('send.received'), moment(receipt.received)],
      [t('send.position'), count(receipt.log_position)],
      [t('send.receiptAnswer'), h('span', { class: same ? 'good' : 'bad' }, t(same ? 'send.match' : 'send.differ'))],
    ]),
    saveLink('save-receipt', t('send.saveReceipt'), new Blob([receipt.bytes]), `${name}.receipt.hedui`, save));
}
