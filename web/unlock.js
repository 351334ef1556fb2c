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
      app.go(state.key.role === 'approver' ? 'approve' : state.task ? 'files' : 'task');
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
      state.key && facts([
        [t(state.key.role === 'approver' ? 'unlock.approver' : 'unlock.unit'), state.key.name], [t('unlock.code'), state.key.code]]),
      field(t('unlock.passphrase'), input('passphrase', { type: 'password', onkeydown: enter })),
      h('label', { class: 'check' }, input('show', { type: 'checkbox', onchange: show }), t('unlock.show')),
    ],
    actions: [button('unlock', t('unlock.go'), open)],
    after: h('details', { id: 'first-time' }, h('summary', {}, t('unlock.first')), state.made ? keyMade(app) : keyForm(app)),
  };
}

/** @param {App} app @param {File} file */
async function takeKey(app, file) {
  app.state.key = null;
  app.state.key = await readKey(file, ['institution', 'approver']);
}

/** Reads who a key file belongs to; its secrets are sealed. @param {File} file @param {string[]} roles that may be */
export async function readKey(file, roles) {
  const bytes = await bytesOf(file, 'key');
  const plain = await new Response(new Blob([bytes])).json().catch(() => null);
  if (plain?.type !== 'hedui/key/v1') throw new Failure('key_file');
  if (!roles.includes(plain.role)) throw new Failure('wrong_role');
  return { bytes, files: [file], name: plain.name, code: plain.code, role: plain.role, signing: plain.signing_key };
}

/** @param {App} app */
function keyForm(app) {
  const make = () => {
    const [role, code, kind, name] = [typed('new-role'), typed('new-code'), typed('new-kind'), typed('new-name')];
    const [passphrase, again] = [takeSecret('new-passphrase'), takeSecret('new-passphrase-again')];
    return app.act('unlock.busy', async () => {
      if (!name || !code) throw new Failure('unlock.incomplete');
      if (hex(passphrase) !== hex(again)) throw new Failure('unlock.differ');
      const made = await app.matcher.ask('newKey', { passphrase, options: { code, kind, name, now: now(), role } });
      const { signing_key: signing } = await new Response(made.key).json();
      app.state.made = { ...made, code, role, signing };
      passphrase.fill(0);
      again.fill(0);
    });
  };
  return h('div', { class: 'first' },
    h('p', {}, t('unlock.firstLead')),
    field(t('unlock.role'), select('new-role', choices('keyRoles'), 'institution', undefined, KEEP)),
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
  const joining = made.role === 'institution'
    && saveLink('save-joining', t('unlock.saveJoining'), new Blob([made.joining]), `${made.code}.joining.hedui`);
  return h('div', { class: 'first', id: 'made' },
    h('h3', {}, t('unlock.made')),
    h('ol', { class: 'keep' },
      h('li', {}, saveLink('save-key', t('unlock.saveKey'), key, key.name, FOCUS), h('span', {}, t('unlock.madeKey'))),
      joining ? h('li', {}, joining, h('span', {}, t('unlock.madeJoining'))) : h('li', {}, h('span', {}, t('unlock.madeApprover')), h('code', { class: 'digest', id: 'made-key' }, made.signing))),
    button('use-key', t('unlock.use'), use, SECOND));
}
