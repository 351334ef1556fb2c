// @ts-check
// Step 3 of a department, and its last: its table, sealed to the centre on this computer, and saved as one file.
import { button, day, entry, facts, field, fill, FOCUS, groups, h, input, p, panel, picker, QUIET, saveLink, size, t } from './dom.js';
import { ACCEPT, trustNote } from './files.js';
import { Failure } from './matcher.js';
import { now } from './task.js';

/** @typedef {import('./page.js').App} App */

/** Bytes of a table at most (SPEC §6.7): 192 MiB with its length before it. */
const MOST_BYTES = (192 << 20) - 8;

/** Today at this computer, as a date field has it. */
const today = () => {
  const date = new Date();
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
};

/** Step 3 of a department. @param {App} app */
export function table(app) {
  const { state } = app;
  const { agreed } = state.handover;
  if (state.sealed) return sealedTable(app);
  const take = (/** @type {File[]} */ [file]) => app.act('files.busy', () => takeTable(app, file));
  const date = { type: 'date', max: today(), value: state.tableDay, required: true };
  return {
    content: [
      facts([
        [t('table.to'), agreed.centre.name],
        [t('table.from'), agreed.institution.name],
        [t('task.agreementNo'), agreed.number],
        [t('table.until'), day(agreed.valid_to)],
      ]),
      p('checked', t('table.checked')),
      picker('table-file', t('table.file'), state.table ? [state.table.file] : [], take, { accept: ACCEPT, hint: t('table.fileHint') }),
      state.table?.doubt && h('p', { class: 'notice', id: 'doubt', 'data-code': state.table.doubt.code }, doubt(state.table.doubt)),
      field(t('table.day'), input('table-day', date, (value) => { state.tableDay = value; }), t('table.dayHint')),
      panel(t('table.what'), h('ul', { class: 'plain', id: 'what' }, entry('table.whatList').map((/** @type {string} */ line) =>
        h('li', {}, fill(line, { centre: agreed.centre.name }))))),
      state.busy === 'table.busy' && h('div', { class: 'gauge' },
        h('progress', { id: 'progress', max: 100, value: 0, 'aria-label': t('table.busy') }), h('p', { id: 'percent' }, t('run.percent', { n: 0 }))),
      app.online && trustNote(agreed),
    ],
    actions: [button('seal', t('table.go'), () => seal(app))],
  };
}

/** A file is chosen; what the centre would stumble over is said now, while it can be mended. @param {App} app @param {File} file */
async function takeTable(app, file) {
  app.state.table = { file, doubt: null };
  judge(file);
  const look = await app.matcher.preview({ file, table: app.emptyTable() }).catch((problem) => ({ problem }));
  app.state.table.doubt = look.problem ?? null;
}

/** Refuses what can't be sealed. @param {File} file */
function judge({ size: bytes }) {
  if (bytes === 0) throw new Failure('empty_file');
  if (bytes > MOST_BYTES) throw new Failure('table.tooLarge');
}

/** @param {{code: string, numbers: Record<string, number>}} problem */
const doubt = ({ code, numbers }) => `${fill((entry(`error.${code}`) ?? entry('error.fallback'))[0], numbers)}${t('table.doubt')}`;

/** Seals the table in the Worker. @param {App} app */
function seal(app) {
  const { state } = app;
  const { agreement, agreed } = state.handover;
  return app.act('table.busy', async () => {
    if (!state.table) throw new Failure('table.needFile');
    if (!state.tableDay) throw new Failure('table.needDay');
    const { file } = state.table;
    judge(file);
    const asked = { file, agreement, options: { day: state.tableDay, now: now() } };
    const blob = await app.matcher.ask('sealTable', asked, ({ bytes }) => showSealed(bytes, 2 * file.size));
    const { digest } = await app.matcher.ask('inspect', { document: blob });
    state.sealed = { blob, digest, name: `${agreed.institution.code}-${state.tableDay}.base-data.hedui` };
  });
}

/** @param {number} bytes @param {number} total over both passes */
function showSealed(bytes, total) {
  const percent = Math.floor((bytes / total) * 100);
  document.getElementById('progress')?.setAttribute('value', String(percent));
  document.getElementById('percent')?.replaceChildren(t('run.percent', { n: percent }));
}

/** What was made, and where it goes. @param {App} app */
function sealedTable(app) {
  const { state } = app;
  const { handover: { agreed }, sealed, table: { file }, tableDay } = state;
  const other = () => {
    Object.assign(state, { sealed: null, table: null });
    app.render();
  };
  return {
    content: [
      h('section', { class: 'panel receipt', id: 'sealed' }, h('h2', {}, t('table.done')), facts([
        [t('table.saved'), sealed.name],
        [t('table.holds'), t('table.holdsText', { name: file.name, size: size(file.size) })],
        [t('table.opens'), t('table.opensText', { centre: agreed.centre.name })],
        [t('table.day'), day(tableDay)],
        [t('send.size'), [size(sealed.blob.size), h('small', {}, t('table.sizeHint'))]],
        [t('table.digest'), h('code', { class: 'digest', id: 'sealed-digest' }, groups(sealed.digest))],
      ])),
      panel(t('table.then'), h('ol', { class: 'plain' }, entry('table.thenList').map((/** @type {string} */ line) =>
        h('li', {}, fill(line, { centre: agreed.centre.name }))))),
    ],
    actions: [saveLink('save', t('table.save'), sealed.blob, sealed.name, FOCUS), button('other-table', t('table.other'), other, QUIET),
      button('again', t('send.again'), () => app.end(), QUIET)],
  };
}
