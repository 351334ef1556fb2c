// @ts-check
// Step 1: the key file and its passphrase; the first time, a key is made. `app` is that of page.js.
import {
  button, choices, facts, field, FOCUS, h, input, KEEP, p, picker, saveLink, SECOND, select, t, takeSecret, typed,
} from './dom.js';
import { hex } from './host.js';
import { Failure } from './matcher.js';
import { bytesOf, now } from './task.js';

/** @typedef {import('./page.js').App} App */

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
