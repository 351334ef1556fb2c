// @ts-check
// Step 5: what was read, what will leave, and the receipt.
import { button, count, facts, FOCUS, groups, h, moment, p, panel, QUIET, saveLink, SECOND, size, t, words } from './dom.js';
import { level } from './task.js';

/** @typedef {import('./page.js').App} App */

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
