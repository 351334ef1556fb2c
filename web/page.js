// @ts-check
// The institution's page: its state, its frame, and going from step to step. Nothing is stored: closing
// the page forgets everything.
import { button, count, entry, fill, forgetLinks, groups, h, p, speak, t } from './dom.js';
import { icon, online, pages } from './edition.js';
import { Host } from './host.js';
import { Failure, Matcher } from './matcher.js';
import { approve } from './approve.js';
import { files } from './files.js';
import { run } from './run.js';
import { send } from './send.js';
import { table } from './table.js';
import { task } from './task.js';
import { unlock } from './unlock.js';

const STEPS = /** @type {const} */ (['unlock', 'task', 'files', 'run', 'send']);
/** An approver's way is shorter. */
const APPROVING = /** @type {const} */ (['unlock', 'approve']);
/** So is a department's, which hands a table over. */
const HANDING_OVER = /** @type {const} */ (['unlock', 'task', 'table']);
const VIEWS = { unlock, task, files, run, send, table, approve };

/** An invented number, and what a spreadsheet makes of it: 15 digits kept, a binary fraction, a power of ten. */
const NUMBER = '110105194912310374';
/** @type {Record<string, string>} */
const DAMAGED = {
  column_trailing_zeros: '110105194912310000',
  column_multiples: '110105194912310368',
  column_scientific: '1.10105E+17',
};

/** @typedef {typeof app} App */
const app = {
  matcher: new Matcher(),
  host: new Host(),
  online,
  language: /** @type {'zh' | 'en'} */ ('zh'),
  /** @type {any} */ state: {},
  render,

  /** Options of `preview`, SPEC §10: find out everything. */
  emptyTable: () => ({
    balance_date: null, columns: null, currency: null, delimiter: null, encoding: null, grain: null, header_row: null, unit: null, units: null,
  }),

  /** Goes to a step. @param {keyof VIEWS} step @param {boolean} [keepFailure] */
  go(step, keepFailure = false) {
    app.state.step = step;
    if (!keepFailure) app.state.failure = null;
    render();
  },

  /** Does one thing at a time, saying so; what fails is shown. @param {string} saying @param {() => Promise<void>} work */
  async act(saying, work) {
    const { state } = app;
    if (state.busy) return;
    Object.assign(state, { busy: saying || 'loading', failure: null });
    if (saying) render();
    try {
      await work();
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      const failure = error instanceof Failure ? error : new Failure('page_error', { field: name });
      if (failure.code !== 'cancelled') state.failure = failure;
      if (failure.code === 'module_stopped') app.lock();
    }
    state.busy = '';
    if (state === app.state) render();
  },

  /** Ends the Worker and all it holds; what the clerk chose stays chosen. */
  lock() {
    app.state.step = 'unlock';
    app.matcher.restart().catch(() => {});
  },

  /** Forgets everything. */
  end() {
    app.lock();
    app.host = new Host();
    forgetLinks();
    begin(true);
  },
};

/** @param {boolean} [ended] */
function begin(ended = false) {
  app.state = {
    step: 'unlock', busy: '', failure: null, ended, files: [], entries: [], passed: [], tables: [], looks: [], at: 0, twins: [], version: 1, lastSerial: 0,
  };
  render();
}

/** Shows the whole page anew, keeping what is typed in fields marked so, and the focus. */
function render() {
  const { state } = app;
  const focused = document.activeElement?.id;
  const same = document.body.dataset.step === state.step;
  const kept = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('[data-keep]'));
  const unfolded = document.getElementById('first-time')?.hasAttribute('open');
  speak(app.language);
  document.body.replaceChildren(
    h('a', { class: 'skip', href: '#main' }, t('skip')),
    header(),
    h('div', { class: 'frame' }, rail(), h('main', { id: 'main' }, sheet())),
    footer());
  document.body.dataset.step = state.step;
  document.body.dataset.state = state.failure ? 'error' : state.busy ? 'busy' : state.receipt ? 'sent' : 'idle';
  for (const { id, value } of kept) Object.assign(document.getElementById(id) ?? {}, { value });
  if (unfolded) document.getElementById('first-time')?.setAttribute('open', '');
  /** @type {HTMLElement | null} */
  const target = (state.failure && document.getElementById('error'))
    || (same && focused && document.getElementById(focused))
    || document.querySelector(same ? '[data-focus]' : 'h1');
  target?.focus({ preventScroll: same && !state.failure });
  if (!same) scrollTo(0, 0);
}

function header() {
  const other = () => {
    app.language = app.language === 'zh' ? 'en' : 'zh';
    render();
  };
  return h('header', {}, h('div', { class: 'bar' },
    h('img', { src: icon, alt: '', width: 40, height: 40 }),
    p('brand', h('strong', { lang: 'zh-CN' }, t('product')), h('span', { lang: 'en' }, t('latin'))),
    p('place', t('place')),
    button('language', t('other'), other, { class: 'button plain', lang: app.language === 'zh' ? 'en' : 'zh-CN' })));
}

/** The steps of whoever holds the key. @param {any} state @returns {readonly string[]} */
const pathOf = ({ key, step }) => (key?.role === 'approver' ? APPROVING : step === 'table' ? HANDING_OVER : STEPS);

/** Where one is, and what was chosen on the way. */
function rail() {
  const { step, key, task, handover, files, outcome } = app.state;
  const path = pathOf(app.state);
  const at = path.indexOf(step);
  /** @type {Record<string, any>} */
  const notes = {
    unlock: key?.name,
    task: step === 'table' ? handover.agreed.number : task && `${task.asked.level} · ${task.asked.as_of}`,
    files: files.map((/** @type {File} */ file) => file.name).join(t('listComma')),
    run: outcome && t('send.ofRows', { n: outcome.report.coverage.rows }),
  };
  const item = (/** @type {string} */ name, /** @type {number} */ i) =>
    h('li', { class: i < at ? 'past' : i === at ? 'here' : 'ahead', 'aria-current': i === at ? 'step' : null },
      h('span', { class: 'mark', 'aria-hidden': 'true' }, i < at ? '✓' : i + 1),
      h('span', { class: 'label' }, t(path === HANDING_OVER && name === 'task' ? 'table.chosen' : `${name}.name`), i < at && h('span', { class: 'unseen' }, ` ${t('done')}`)),
      i < at && notes[name] && h('small', {}, notes[name]));
  return h('nav', { 'aria-label': t('steps') }, h('ol', {}, path.map(item)));
}

/** One step, on a sheet of its own: where one is, what leaves the building, what went wrong, what happens next. */
function sheet() {
  const { step, busy, failure, ended, receipt } = app.state;
  const view = /** @type {any} */ (VIEWS)[step](app);
  const leaves = view.leaves ?? 'nothing';
  const back = /** @type {Record<string, any>} */ ({ task: 'unlock', files: 'task', table: 'task', approve: 'unlock' })[step];
  const next = entry(!app.online && step === 'send' ? 'send.nextLocal' : `${step}.next`);
  return h('section', { class: 'sheet', 'data-step': step },
    p('where', t('where', { n: pathOf(app.state).indexOf(step) + 1, of: pathOf(app.state).length })),
    h('h1', { tabindex: -1 }, t(`${step}.title`)),
    p('lead', t(`${step}.lead`)),
    h('p', { class: leaves === 'nothing' ? 'leaves' : 'leaves some', id: 'leaves', 'data-leaves': leaves },
      h('span', {}, t('leaves.title')), h('strong', {}, t(`leaves.${leaves}`)), h('span', {}, t(`leaves.${leaves}Why`))),
    ended && h('p', { class: 'checked', id: 'ended' }, t('send.ended')),
    failure && errorBox(failure),
    view.content,
    h('div', { class: 'actions' }, view.actions, back && button('back', t('back'), () => app.go(back), { class: 'button plain' })),
    h('p', { class: 'status', role: 'status' }, busy && step !== 'run' ? t(busy) : ''),
    !receipt && p('next', h('strong', {}, t('next')), next),
    view.after);
}

/** A sentence, what to do about it, and the code. @param {Failure} failure */
function errorBox({ code, field, numbers }) {
  const own = entry(code); // a failure of the page itself names its sentence
  const known = entry(`error.${code}`);
  const [what, remedy] = typeof own === 'string' ? [own, ''] : known ?? entry('error.fallback');
  const details = known ? [] : Object.entries(numbers).map(([name, n]) => ` · ${name} ${count(n)}`);
  return h('div', { id: 'error', class: 'error', role: 'alert', tabindex: -1, 'data-code': code },
    h('h2', {}, t(DAMAGED[code] ? 'error.damaged' : 'error.title')),
    h('p', {}, fill(what, numbers)),
    remedy && p('remedy', remedy),
    DAMAGED[code] && damage(DAMAGED[code]),
    typeof own !== 'string' && p('code', `${t('error.code')} ${code}`, field && ` · ${t('error.field')} ${field}`, details));
}

/** The damage by a spreadsheet, with a picture of it. @param {string} became */
function damage(became) {
  const same = [...became].findIndex((digit, i) => digit !== NUMBER[i]);
  const line = (/** @type {string} */ name, /** @type {string} */ number) =>
    h('div', {}, h('dt', {}, name), h('dd', {}, number.slice(0, same), h('mark', {}, number.slice(same))));
  return h('div', { class: 'damage' },
    h('h3', {}, t('damage.title')),
    h('p', {}, t('damage.figure')),
    h('dl', {}, line(t('damage.was'), NUMBER), line(t('damage.became'), became)),
    h('ol', {}, entry('damage.steps').map((/** @type {string} */ step) => h('li', {}, step))));
}

const footer = () => h('footer', {}, h('div', {},
  h('p', {}, app.online ? t('foot.origin', { host: location.host }) : t('foot.local')),
  h('p', {}, `${t('foot.module')} `, h('code', { id: 'module-digest' }, groups(app.matcher.digest))),
  h('p', {}, h('a', { href: pages.audit, target: '_blank', rel: 'noopener' }, t('foot.audit')))));

// A file dropped beside its place must not make the browser leave the page.
for (const name of ['dragover', 'drop']) addEventListener(name, (event) => event.preventDefault());
// Nor does a page that was left keep a key, or come back half alive.
addEventListener('pagehide', () => app.matcher.stop());
addEventListener('pageshow', (event) => event.persisted && app.end());

begin();
await app.act('loading', async () => {
  const { imports } = await app.matcher.load();
  if (imports.length > 0) throw new Failure('module_imports');
});
