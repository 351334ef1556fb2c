// @ts-check
// For the institution's security staff: what the module is, and under which policy the page runs.
import { button, facts, groups, h, p, panel, saveLink, size, speak, t } from './dom.js';
import { icon, moduleBytes, pages, policiesOf } from './edition.js';
import { Matcher } from './matcher.js';

const POLICIES = [
  'content-security-policy', 'connection-allowlist', 'cross-origin-opener-policy', 'cross-origin-embedder-policy',
  'cross-origin-resource-policy', 'integrity-policy', 'permissions-policy', 'referrer-policy', 'strict-transport-security',
  'x-content-type-options',
];

/** The policies that the server sends with a file. @param {string} file @returns {Promise<[string, string][]>} */
async function policies(file) {
  const policy = await policiesOf(file);
  return POLICIES.map((name) => [name, policy(name)]);
}

const matcher = new Matcher();
/** @type {any} */ const found = await matcher.load().catch((error) => ({ failure: error.code }));
const wasm = new Blob([await moduleBytes('matcher.wasm') ?? '']);
const sent = { page: await policies('./audit.html'), worker: await policies('./worker.js') };
matcher.stop();
let language = /** @type {'zh' | 'en'} */ ('zh');

function module() {
  const list = (/** @type {string[]} */ names) => h('ul', { class: 'exports' }, names.map((name) => h('li', {}, h('code', {}, name))));
  if (found.failure) return p('notice bad', t(`error.${found.failure}.0`));
  return facts([
    [t('audit.bytes'), size(matcher.bytes)],
    [t('audit.digest'), h('code', { id: 'module-digest', class: 'digest' }, groups(matcher.digest))],
    [t('audit.imports'), found.imports.length
      ? [p('bad', t('audit.someImports')), list(found.imports)]
      : h('span', { class: 'good', id: 'no-imports' }, t('audit.noImports'))],
    [t('audit.exports'), list(found.exports)],
  ]);
}

/** The content policy must be there; the others are shown where they are. @param {[string, string][]} headers */
const inForce = (headers) => facts(headers.map(([name, value]) => {
  if (value) return [name, h('code', {}, value)];
  return name === POLICIES[0] ? [name, h('span', { class: 'bad' }, t('audit.noPolicy'))] : null;
}), 'facts wide');

function show() {
  speak(language);
  const other = () => {
    language = language === 'zh' ? 'en' : 'zh';
    show();
  };
  document.body.replaceChildren(
    h('header', {}, h('div', { class: 'bar' },
      h('img', { src: icon, alt: '', width: 40, height: 40 }),
      p('brand', h('strong', { lang: 'zh-CN' }, t('product')), h('span', { lang: 'en' }, t('latin'))),
      p('place', t('foot.audit')),
      button('language', t('other'), other, { class: 'button plain' }))),
    h('div', { class: 'frame single' }, h('main', {}, h('section', { class: 'sheet' },
      h('h1', {}, t('audit.title')),
      p('lead', t('audit.lead')),
      panel(t('audit.module'), module()),
      panel(t('audit.how'), h('p', {}, t('audit.howText')), saveLink('download', t('audit.download'), wasm, 'matcher.wasm', { class: 'button second' }), facts([
        [t('audit.linux'), h('code', {}, 'sha256sum matcher.wasm')],
        [t('audit.windows'), h('code', {}, 'certutil -hashfile matcher.wasm SHA256')],
      ])),
      panel(t('audit.policy'), inForce(sent.page)),
      panel(t('audit.worker'), inForce(sent.worker)),
      panel(t('audit.trust'), h('p', {}, t('audit.trustText'))),
      p('actions', h('a', { class: 'button', href: pages.index }, t('audit.back')))))));
  document.body.dataset.state = found.failure ? 'error' : 'idle';
}

show();
