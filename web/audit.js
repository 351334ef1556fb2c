// @ts-check
// For the institution's security staff: what the module is, and under which policy the page runs.
import { button, facts, groups, h, p, panel, saveLink, size, speak, t } from './dom.js';
import { icon, moduleBytes, online, pages, policiesOf } from './edition.js';
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

/** A module as it was fetched. @param {string} name */
async function look(name) {
  const matcher = new Matcher();
  /** @type {any} */ const found = await matcher.load(name).catch((error) => ({ failure: error.code }));
  matcher.stop();
  return { name, digest: matcher.digest, bytes: matcher.bytes, wasm: new Blob([await moduleBytes(name).catch(() => null) ?? '']), ...found };
}

/** The release that the server says these modules are of, and the keys that signed it; null where there is none. */
async function release() {
  const text = (/** @type {string} */ name) => moduleBytes(name).then((bytes) => bytes && new TextDecoder().decode(bytes));
  const manifest = online && await text('release.json');
  if (!manifest) return null;
  const read = await new Response(manifest).json().catch(() => ({}));
  const signatures = await Promise.all(['', '.1', '.2'].map((n) => text(`release.json${n}.minisig`)));
  const keys = signatures.flatMap((signature) => keyOf(signature) ?? []);
  return { manifest, files: /** @type {any[]} */ (read.files ?? []), number: read.release, issued: read.issued, keys };
}

/** The number of the key in a signature of minisign's: eight bytes, written from the last. @param {string | null} signature */
function keyOf(signature) {
  const line = signature?.split('\n')[1]?.trim();
  const bytes = line ? Uint8Array.from(atob(line), (c) => c.charCodeAt(0)) : [];
  return bytes.length === 74 ? [...bytes.slice(2, 10)].reverse().map((b) => b.toString(16).padStart(2, '0')).join('').toUpperCase() : null;
}

const modules = [await look('matcher.wasm'), await look('reader.wasm')].filter((module, i) => i === 0 || !module.failure);
const published = await release();
const sent = { page: await policies('./audit.html'), worker: await policies('./worker.js') };
let language = /** @type {'zh' | 'en'} */ ('zh');

/** @param {any} found @param {number} i */
function modulePanel(found, i) {
  const list = (/** @type {string[]} */ names) => h('ul', { class: 'exports' }, names.map((name) => h('li', {}, h('code', {}, name))));
  const title = t(`audit.${found.name.replace('.wasm', '')}`);
  if (found.failure) return panel(title, p('notice bad', t(`error.${found.failure}.0`)));
  const claimed = published?.files.find((file) => file.name === found.name)?.sha256;
  const same = claimed === found.digest;
  return panel(title, facts([
    [t('audit.bytes'), size(found.bytes)],
    [t('audit.digest'), h('code', { id: i ? 'reader-digest' : 'module-digest', class: 'digest' }, groups(found.digest))],
    [t('audit.release'), claimed
      ? h('span', { class: same ? 'good' : 'bad', id: `release-${found.name.replace('.wasm', '')}`, 'data-same': String(same) }, t(same ? 'audit.same' : 'audit.differs'))
      : h('span', { class: 'hint' }, t('audit.noRelease'))],
    [t('audit.imports'), found.imports.length
      ? [p('bad', t('audit.someImports')), list(found.imports)]
      : h('span', { class: 'good', id: i ? 'reader-no-imports' : 'no-imports' }, t('audit.noImports'))],
    [t('audit.exports'), list(found.exports)],
  ]));
}

/** Who signed the release, and how to check that with another tool. */
const releasePanel = () => published && panel(t('audit.releaseTitle'), facts([
  [t('audit.number'), `${published.number} · ${published.issued}`],
  [t('audit.keys'), published.keys.length
    ? h('ul', { id: 'release-keys' }, published.keys.map((key) => h('li', {}, h('code', {}, key))))
    : h('span', { class: 'bad' }, t('audit.unsigned'))],
  [t('audit.checkRelease'), [h('code', {}, 'minisign -Vm release.json -p publisher.pub'), h('small', {}, t('audit.checkReleaseText'))]],
]), saveLink('download-release', 'release.json', new Blob([published.manifest]), 'release.json', { class: 'button quiet' }));

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
      ...modules.map(modulePanel),
      releasePanel(),
      panel(t('audit.how'), h('p', {}, t('audit.howText')), p('actions', ...modules.map((module, i) => saveLink(i ? 'download-reader' : 'download', t('audit.download', { name: module.name }), module.wasm, module.name, { class: 'button second' }))), facts([
        [t('audit.linux'), h('code', {}, 'sha256sum matcher.wasm')],
        [t('audit.windows'), h('code', {}, 'certutil -hashfile matcher.wasm SHA256')],
      ])),
      panel(t('audit.policy'), inForce(sent.page)),
      panel(t('audit.worker'), inForce(sent.worker)),
      panel(t('audit.trust'), h('p', {}, t('audit.trustText'))),
      p('actions', h('a', { class: 'button', href: pages.index }, t('audit.back')))))));
  document.body.dataset.state = modules[0].failure ? 'error' : 'idle';
}

show();
