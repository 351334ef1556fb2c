// @ts-check
// Step 2: the roster, from the host or from files; or, of a department, the agreement alone.
import { button, count, day, facts, FOCUS, h, money, p, panel, picker, QUIET, SECOND, t, words } from './dom.js';
import { Failure } from './matcher.js';

/** @typedef {import('./page.js').App} App */

/** Bytes that a key file, a roster and an agreement have at most; the module judges them more closely. */
const MOST = { key: 1 << 16, roster: 64 << 20, agreement: 128 << 10 };

/** Reads a chosen file, when it is no larger than what it should be. @param {Blob} blob @param {keyof MOST} kind */
export async function bytesOf(blob, kind) {
  if (blob.size > MOST[kind]) throw new Failure('file_too_large', { field: kind });
  return new Uint8Array(await blob.arrayBuffer());
}
export const now = () => Math.floor(Date.now() / 1000);

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
  // Both may be dropped on either place: their names say which is which.
  const sort = (/** @type {'roster' | 'agreement'} */ kind, /** @type {File[]} */ files) => {
    set(Object.fromEntries(files.map((file) => {
      const named = /\.(roster|agreement)\.hedui$/.exec(file.name)?.[1];
      return [`${files.length > 1 && named ? named : kind}File`, file];
    })));
    leadOn(state.agreementFile);
  };
  const handOver = (/** @type {File} */ file) => app.act('task.checking', () => openHandover(app, file));
  // A department's agreement alone needs no roster: it leads to the table, wherever it was put.
  const leadOn = async (/** @type {File | undefined} */ file) => {
    if (!file || state.rosterFile || !(await isDepartment(app, file))) return;
    if (state.step === 'task' && state.agreementFile === file && !state.rosterFile) handOver(file);
  };
  const chooser = (/** @type {'roster' | 'agreement'} */ kind) => picker(`${kind}-file`, t(`task.${kind}`),
    state[`${kind}File`] ? [state[`${kind}File`]] : [], (files) => sort(kind, files), { accept: '.hedui', multiple: true });
  return {
    leaves: app.online ? 'signIn' : 'nothing',
    content: [
      app.online && panel(t('task.online'), p('hint', t('task.onlineHint')), state.rosters && rosters(),
        button('sign-in', t(state.rosters ? 'task.refresh' : 'task.signIn'), look, state.rosters ? QUIET : {})),
      panel(t('task.offline'), p('hint', t('task.offlineHint')), h('div', { class: 'pair' }, chooser('roster'), chooser('agreement')),
        button('open-task', t('task.open'), drop, app.online ? SECOND : {})),
      panel(t('task.department'), p('hint', t('task.departmentHint')),
        picker('department-file', t('task.departmentFile'), [], ([file]) => handOver(file), { accept: '.hedui' })),
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

/** @param {any} document */
const isOfDepartment = ({ type, header }) => type === 'hedui/agreement/v1' && header.institution.kind === 'department';

/** Whether a file is a department's agreement. @param {App} app @param {File} file */
const isDepartment = (app, file) => bytesOf(file, 'agreement').then((document) => app.matcher.ask('inspect', { document }))
  .then(isOfDepartment, () => false);

/** Leads to the table: the module checks the agreement's signatures and dates, and whose key it is. @param {App} app @param {File} file */
async function openHandover(app, file) {
  const agreement = await bytesOf(file, 'agreement');
  const read = await app.matcher.ask('inspect', { document: agreement });
  if (read.type !== 'hedui/agreement/v1') throw new Failure('wrong_type');
  if (!isOfDepartment(read)) throw new Failure('not_a_department');
  await app.matcher.ask('checkTable', { agreement, options: { day: read.header.valid_from, now: now() } });
  Object.assign(app.state, { handover: { agreement, agreed: read.header }, table: null, tableDay: '', sealed: null });
  app.go('table');
}

/** Options of `open`, SPEC §10. @param {App} app @param {object} table */
export const options = ({ state, matcher }, table) =>
  ({ answer_version: state.version, last_serial: state.lastSerial, module_sha256: matcher.digest, now: now(), table });

/** @param {{level: string, line?: {currency: string, minor: number} | null}} asked */
export const level = ({ level, line }) => (line ? t('levels.line', { amount: money(line.minor, line.currency) }) : t(`levels.${level}`));

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
