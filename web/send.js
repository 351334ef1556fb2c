// @ts-check
// Step 5: what was read, what will leave, who approves it, the receipt, and the log that stays.
import { button, count, facts, FOCUS, h, moment, p, panel, picker, QUIET, saveLink, SECOND, size, t, words } from './dom.js';
import { answerFacts, approvalPanel } from './approve.js';
import { continued, emptyJournal, readJournal, time } from './journal.js';
import { coveragePanel, setAsidePanel } from './report.js';
import { level } from './task.js';

/** @typedef {import('./page.js').App} App */

/** Step 5. @param {App} app */
export function send(app) {
  const { state, host } = app;
  const { report, answer, setAside, rows, approvers } = state.outcome;
  const { asked, agreed, online, digest } = state.task;
  const name = `${asked.institution}-${asked.as_of}-${asked.serial}`;
  const ready = !agreed.approval_required || approvers.length > 0;
  const direct = app.online && ready;
  const go = () => app.act('send.busy', async () => {
    await host.signIn(app.matcher, state.key.signing);
    const bytes = await host.send(digest, answer, (sent) => showSent(sent, answer.size));
    const { header, digest: receipt } = await app.matcher.ask('inspect', { document: bytes });
    state.receipt = { bytes, digest: receipt, ...header };
    await note(app, 'sent');
  });
  // The link is followed first: a page that is shown anew would take it away.
  const saved = { onclick: () => setTimeout(() => note(app, 'saved')) };
  const style = direct && (online || state.receipt) ? QUIET : ready ? {} : SECOND;
  const save = saveLink('save', t(ready ? 'send.save' : 'send.saveUnsigned'), answer, `${name}.answer.hedui`, { ...style, ...(ready && saved) });
  const end = (/** @type {object} */ look) => button('again', t('send.again'), () => app.end(), look);
  return {
    leaves: state.receipt ? 'sent' : 'answer',
    content: [
      state.receipt && receiptPanel(state.receipt, report.answer_digest, name),
      (state.receipt || state.notes.length > 0) && journalPanel(app),
      coveragePanel(report, setAsidePanel(setAside, rows, state.entries, name)),
      panel(t(state.receipt ? 'send.outSent' : 'send.out'), answerFacts(asked, report, { version: state.version, module: app.matcher.digest }, [
        [t('send.level'), level(asked)],
        [t('send.fields'), words('fields', asked.fields)],
        agreed.compliance_key && [t('send.compliance'), h('span', { id: 'compliance' }, t('send.complianceText'))],
      ])),
      agreed.approval_required && !state.receipt && approvalPanel(app, save),
      h('div', { class: 'gauge', id: 'sending', hidden: true }, h('progress', { max: 100, value: 0, 'aria-label': t('send.busy') }), p('hint')),
    ],
    actions: state.receipt
      ? [end({}), save, p('hint', t('send.endHint'))]
      : [direct && button('send', t('send.go'), go, online ? {} : SECOND), ready && save,
        button('edit', t('send.edit'), () => app.go('files'), QUIET), end(QUIET)],
  };
}

/** How much of the answer the host has. @param {number} sent @param {number} total */
function showSent(sent, total) {
  const box = document.getElementById('sending');
  if (!box) return;
  box.hidden = false;
  box.querySelector('progress')?.setAttribute('value', String(Math.floor((sent / total) * 100)));
  box.querySelector('p')?.replaceChildren(t('send.sentBytes', { sent: size(sent), total: size(total) }));
}

/** Notes for the institution's log that the answer was saved or sent; each once. @param {App} app @param {'saved' | 'sent'} action */
async function note(app, action) {
  const { state } = app;
  const { report, answer, approvers } = state.outcome;
  const { asked, digest } = state.task;
  if (state.notes.some((/** @type {any} */ entry) => entry.action === action)) return;
  state.notes = [...state.notes, {
    action, answer: report.answer_digest, answer_bytes: answer.size, approvers, at: time(new Date()), institution: asked.institution, level: asked.level,
    log_position: action === 'sent' ? state.receipt.log_position : null, module_sha256: app.matcher.digest,
    receipt: action === 'sent' ? state.receipt.digest : null, roster: digest, version: state.version,
  }];
  state.log = await continued(state.journal, state.notes);
  if (action === 'saved') app.render();
}

/** The institution's log: what is in the file so far, and that file with what was done now. @param {App} app */
function journalPanel(app) {
  const { state } = app;
  const { journal, journalFile, log } = state;
  const take = (/** @type {File[]} */ [file]) => app.act('', async () => {
    state.journal = await readJournal(file);
    state.journalFile = file;
    state.log = await continued(state.journal, state.notes);
  });
  const line = (/** @type {any} */ entry) => h('tr', {},
    h('td', { class: 'figure' }, count(entry.sequence)), h('td', {}, moment(entry.at)), h('td', {}, t(`log.${entry.action}`)),
    h('td', {}, h('code', {}, String(entry.answer).slice(0, 8))), h('td', {}, t('log.approvers', { n: entry.approvers.length })));
  return panel(t('log.title'), p('hint', t('log.hint')),
    picker('log-file', t('log.file'), journalFile ? [journalFile] : [], take, { accept: '.log,.txt' }),
    journal.entries.length > 0 && [
      h('p', { class: 'checked', id: 'log-checked', 'data-entries': journal.entries.length }, t('log.checked', { n: journal.entries.length })),
      h('div', { class: 'scroll' }, h('table', { id: 'log' }, h('tbody', {}, journal.entries.slice(-5).map(line)))),
    ],
    log && saveLink('save-log', t('log.save', { n: journal.entries.length + state.notes.length }), log, `${state.task.asked.institution}.hedui.log`, SECOND));
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
