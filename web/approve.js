// @ts-check
// The second person at the institution, who looks at what will leave and signs it with a key of their own: beside the
// clerk in step 5, or at another computer, where the approver's key leads here.
import { button, facts, field, FOCUS, groups, h, input, moment, p, panel, picker, QUIET, saveLink, SECOND, size, t, takeSecret } from './dom.js';
import { Failure } from './matcher.js';
import { bytesOf } from './task.js';
import { readKey } from './unlock.js';

/** @typedef {import('./page.js').App} App */

/**
 * What an answer is to those who may not read it. @param {{slot_count: number, slot_size: number}} shape
 * @param {{answer_bytes: number, answer_digest: string}} report @param {{version: number, module: string}} made @param {any[]} [more]
 */
export function answerFacts({ slot_count: slots, slot_size: bytes }, { answer_bytes, answer_digest }, { version, module }, more = []) {
  const digest = (/** @type {string} */ id, /** @type {string} */ value) => h('code', { id, class: 'digest' }, groups(value));
  return facts([
    [t('send.shape'), [t('send.shapeText', { slots, size: bytes + 16 }), h('small', {}, t('send.shapeHint'))]],
    ...more,
    [t('send.size'), [size(answer_bytes), h('small', {}, t('send.version', { n: version }))]],
    [t('send.digest'), digest('answer-digest', answer_digest)],
    [t('send.module'), digest('answer-module', module)],
  ]);
}

/** Those who signed an answer behind its maker and whom the agreement names. @param {any} agreed @param {{signers: string[]}} answer */
const approversOf = (agreed, { signers }) => signers.slice(1).filter((key) => agreed.approver_keys.includes(key)).sort();

/** Beside the clerk: the approver takes the seat, or the answer goes to them and comes back. @param {App} app @param {Node} save the answer as it is */
export function approvalPanel(app, save) {
  const { state } = app;
  const { agreed, agreement } = state.task;
  const { approvers } = state.outcome;
  if (approvers.length) {
    return panel(t('approve.title'), h('p', { class: 'checked', id: 'approved' }, t('approve.done', { name: state.approver?.name ?? groups(approvers[0].slice(0, 16)) })));
  }
  const accept = async (/** @type {Blob} */ answer, /** @type {string | null} */ name) => {
    const looked = await app.matcher.ask('inspect', { document: answer });
    if (looked.digest !== state.outcome.report.answer_digest) throw new Failure('approve.other');
    const signed = approversOf(agreed, looked);
    if (!signed.length) throw new Failure('missing_signature');
    Object.assign(state, { approver: name && { name }, approverKey: null });
    Object.assign(state.outcome, { answer, approvers: signed });
    state.outcome.report = { ...state.outcome.report, answer_bytes: answer.size };
  };
  const key = (/** @type {File[]} */ [file]) => app.act('', async () => { state.approverKey = await readKey(file, ['approver']); });
  const sign = () => {
    const passphrase = takeSecret('approver-passphrase');
    return app.act('approve.busy', async () => {
      if (!state.approverKey) throw new Failure('unlock.needKey');
      if (!passphrase.length) throw new Failure('unlock.needPassphrase');
      if (!agreed.approver_keys.includes(state.approverKey.signing)) throw new Failure('not_an_approver');
      const asked = { answer: state.outcome.answer, agreement, keyFile: state.approverKey.bytes, passphrase };
      await accept(await app.matcher.ask('approve', asked), state.approverKey.name);
    });
  };
  const enter = (/** @type {KeyboardEvent} */ e) => e.key === 'Enter' && sign();
  return h('section', { class: 'panel approval', id: 'approval' },
    h('h2', {}, t('approve.title')),
    p('notice', t('approve.why')),
    p('hint', t('approve.here')),
    picker('approver-key', t('approve.key'), state.approverKey?.files ?? [], key, { accept: '.hedui' }),
    state.approverKey && facts([[t('unlock.approver'), state.approverKey.name]]),
    field(t('approve.passphrase'), input('approver-passphrase', { type: 'password', onkeydown: enter })),
    button('approve', t('approve.go'), sign),
    h('details', { id: 'approve-elsewhere' }, h('summary', {}, t('approve.elsewhere')),
      h('div', { class: 'first' }, p('hint', t('approve.elsewhereHint')), save,
        picker('approved-file', t('approve.approved'), [], ([file]) => app.act('', () => accept(file, null)), { accept: '.hedui' }))));
}

/** The approver's own path, behind the unlocked key. @param {App} app */
export function approve(app) {
  const { state } = app;
  const { toApprove: known, answerFile, agreementFile, approved, key } = state;
  const set = (/** @type {object} */ changed) => {
    Object.assign(state, { toApprove: null, approved: null }, changed);
    app.render();
  };
  const look = () => app.act('', async () => {
    if (!answerFile || !agreementFile) throw new Failure('approve.needBoth');
    const agreement = await bytesOf(agreementFile, 'agreement');
    const [answer, agreed] = [await app.matcher.ask('inspect', { document: answerFile }), await app.matcher.ask('inspect', { document: agreement })];
    if (answer.type !== 'hedui/answer/v1' || agreed.type !== 'hedui/agreement/v1') throw new Failure('wrong_type');
    if (!agreed.header.approver_keys.includes(key.signing)) throw new Failure('not_an_approver');
    if (answer.signers[0] !== agreed.header.institution.signing_key) throw new Failure('wrong_agreement');
    state.toApprove = { agreement, answer, agreed: agreed.header };
  });
  const sign = () => app.act('approve.busy', async () => {
    state.approved = await app.matcher.ask('approve', { answer: answerFile, agreement: known.agreement });
  });
  const chooser = (/** @type {'answerFile' | 'agreementFile'} */ which, /** @type {string} */ id) =>
    picker(id, t(`approve.${which}`), state[which] ? [state[which]] : [], ([file]) => set({ [which]: file }), { accept: '.hedui' });
  const name = answerFile?.name.replace(/(\.answer)?\.hedui$/, '');
  return {
    leaves: 'nothing',
    content: [
      h('div', { class: 'pair' }, chooser('answerFile', 'answer-file'), chooser('agreementFile', 'agreement-file')),
      known && panel(t('approve.what'), p('checked', t('approve.checked')), answerFacts(known.answer.header,
        { answer_bytes: answerFile.size, answer_digest: known.answer.digest },
        { version: known.answer.header.version, module: known.answer.header.module_sha256 }, [
          [t('unlock.unit'), known.agreed.institution.name],
          [t('task.centre'), known.agreed.centre.name],
          [t('task.agreementNo'), known.agreed.number],
          [t('approve.created'), moment(known.answer.header.created)],
        ])),
      approved && h('p', { class: 'checked', id: 'approved' }, t('approve.done', { name: key.name })),
    ],
    actions: approved
      ? [saveLink('save-approved', t('approve.save'), approved, `${name}.approved.answer.hedui`, FOCUS), button('again', t('send.again'), () => app.end(), QUIET)]
      : [known ? button('approve', t('approve.go'), sign, FOCUS) : button('look', t('approve.look'), look, answerFile && agreementFile ? {} : SECOND)],
  };
}
