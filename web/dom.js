// @ts-check
// Small builders of page elements. Text enters as text nodes only; nothing here parses markup.
import zh from './strings.zh.js';
import en from './strings.en.js';

/** @typedef {string | number | Node | null | undefined | false} Child */

/** @type {any} */ let dictionary = zh;

/** @param {'zh' | 'en'} language */
export function speak(language) {
  dictionary = language === 'en' ? en : zh;
  document.documentElement.lang = dictionary.lang;
  document.title = dictionary.title;
}

/** An entry of the dictionary, or undefined. @param {string} key with dots; codes may hold colons */
export const entry = (key) => key.split('.').reduce((node, part) => node?.[part], dictionary);

/** A sentence, its braces filled. @param {string} key @param {Record<string, string | number>} [values] @returns {string} */
export const t = (key, values) => fill(entry(key) ?? key, values);

/** @param {string} text @param {Record<string, any>} [values] */
export const fill = (text, values = {}) =>
  text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === 'number' ? count(values[name]) : values[name] ?? '–'));

export const count = (/** @type {number} */ n) => n.toLocaleString(dictionary.lang);
/** An amount in minor units. @param {number} minor @param {string} currency */
export function money(minor, currency) {
  const form = new Intl.NumberFormat(dictionary.lang, { style: 'currency', currency, currencyDisplay: 'name' });
  return form.format(minor / 10 ** (form.resolvedOptions().maximumFractionDigits ?? 2));
}
export const day = (/** @type {string} */ text) =>
  new Date(text.length === 10 ? `${text}T12:00:00` : text).toLocaleDateString(dictionary.lang, { dateStyle: 'long' });
export const moment = (/** @type {string} */ text) =>
  new Date(text).toLocaleString(dictionary.lang, { dateStyle: 'long', timeStyle: 'medium' });
/** Digests in groups of four, so that they can be read aloud. */
export const groups = (/** @type {string} */ digest) => digest.replace(/(.{4})(?=.)/g, '$1 ');
export function size(/** @type {number} */ bytes) {
  const [unit, shift] = bytes < 1e3 ? ['B', 0] : bytes < 1e6 ? ['kB', 3] : bytes < 1e9 ? ['MB', 6] : ['GB', 9];
  return `${(bytes / 10 ** Number(shift)).toLocaleString(dictionary.lang, { maximumFractionDigits: shift ? 1 : 0 })} ${unit}`;
}

/**
 * An element. `on…` attributes are listeners, `false` and `null` leave an attribute out.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Child | Child[])} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value') /** @type {any} */ (element).value = value;
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const child of children.flat()) {
    if (child instanceof Node) element.append(child);
    else if (child !== null && child !== undefined && child !== false) element.append(String(child));
  }
  return element;
}

/** A labelled control with a hint. @param {string} label @param {HTMLElement} control @param {string} [hint] */
export function field(label, control, hint) {
  if (hint) control.setAttribute('aria-describedby', `${control.id}-hint`);
  const said = hint && h('p', { class: 'hint', id: `${control.id}-hint` }, hint);
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, said);
}

/** A paragraph of a style. @param {string} style @param {...(Child | Child[])} children */
export const p = (style, ...children) => h('p', { class: style }, ...children);

/** A part of a step with a heading. @param {string} title @param {...(Child | Child[])} children */
export const panel = (title, ...children) => h('section', { class: 'panel' }, h('h2', {}, title), ...children);

/** An input. @param {string} id @param {object} [more] @param {(value: string) => void} [changed] */
export const input = (id, more = {}, changed = () => {}) =>
  h('input', { id, autocomplete: 'off', spellcheck: 'false', onchange: (/** @type {any} */ e) => changed(e.target.value), ...more });

/**
 * A list to choose from.
 * @param {string} id @param {[string, string][]} options value and text @param {string} chosen
 * @param {(value: string) => void} [changed] @param {object} [more]
 */
export function select(id, options, chosen, changed = () => {}, more = {}) {
  const list = options.map(([value, text]) => h('option', { value, selected: value === chosen }, text));
  return h('select', { id, onchange: (/** @type {any} */ e) => changed(e.target.value), ...more }, list);
}

/** The entries of a group of the dictionary, as a list to choose from. @param {string} group @returns {[string, string][]} */
export const choices = (group) => Object.entries(entry(group));

/** Keys of a group in words. @param {string} group @param {string[]} keys */
export const words = (group, keys) => keys.map((key) => entry(group)[key] ?? key).join(t('listComma')) || t('none');

/**
 * A file chooser that files can be dropped on; the chosen files are handed on unread.
 * @param {string} id @param {string} label @param {File[]} chosen @param {(files: File[]) => void} changed
 * @param {{accept?: string, multiple?: boolean, hint?: string}} [more]
 */
export function picker(id, label, chosen, changed, { accept, multiple, hint } = {}) {
  const take = (/** @type {FileList | null | undefined} */ files) =>
    files?.length && changed([...files].slice(0, multiple ? undefined : 1));
  const described = hint ? `${id}-hint` : null;
  const box = h('input', { id, type: 'file', accept, multiple, 'aria-describedby': described, onchange: () => take(box.files) });
  const names = chosen.map((file) =>
    h('li', {}, h('span', { class: 'name' }, file.name), h('span', { class: 'size' }, size(file.size))));
  const lift = (/** @type {boolean} */ on) => (/** @type {DragEvent} */ e) => {
    e.preventDefault();
    zone.classList.toggle('over', on);
  };
  const how = h('span', { class: 'button quiet' }, t(names.length ? 'change' : 'choose'));
  const zone = h('div', { class: 'picker', ondragover: lift(true), ondragleave: lift(false) },
    box,
    h('label', { for: id }, h('span', { class: 'what' }, label), names.length > 0 && h('ul', {}, names),
      h('span', { class: 'how' }, how, h('span', {}, t('drop')))),
    hint && h('p', { class: 'hint', id: described }, hint));
  zone.addEventListener('drop', (/** @type {DragEvent} */ e) => { lift(false)(e); take(e.dataTransfer?.files); });
  return zone;
}

/** Facts as a ruled list. @param {([string, Child | Child[]] | null | false | undefined)[]} pairs @param {string} [name] */
export const facts = (pairs, name = 'facts') =>
  h('dl', { class: name }, pairs.map((pair) => pair && h('div', {}, h('dt', {}, pair[0]), h('dd', {}, pair[1]))));

/** @type {Map<Blob, string>} */ const urls = new Map();
const urlOf = (/** @type {Blob} */ blob) => urls.get(blob) ?? urls.set(blob, URL.createObjectURL(blob)).get(blob);
/** Takes back every link of {@link saveLink}. */
export function forgetLinks() {
  for (const url of urls.values()) URL.revokeObjectURL(url);
  urls.clear();
}

/** A link that saves bytes. @param {string} id @param {string} text @param {Blob} blob @param {string} name @param {object} more */
export const saveLink = (id, text, blob, name, more = {}) =>
  h('a', { id, class: 'button', href: urlOf(blob), download: name, ...more }, text);

/** @param {string} id @param {string} text @param {() => void} pressed @param {object} [more] */
export const button = (id, text, pressed, more) => h('button', { id, type: 'button', class: 'button', onclick: pressed, ...more }, text);

/** What a button looks like beside the first one of a step; what keeps its value and takes the focus when the page is shown anew. */
export const SECOND = { class: 'button second' };
export const QUIET = { class: 'button quiet' };
export const KEEP = { 'data-keep': '' };
export const FOCUS = { 'data-focus': '' };

/** Reads an input by its id. */
export const typed = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (document.getElementById(id)).value.trim();

/** Takes what was typed out of the page. @param {string} id */
export function takeSecret(id) {
  const box = /** @type {HTMLInputElement} */ (document.getElementById(id));
  const secret = new TextEncoder().encode(box.value);
  box.value = '';
  return secret;
}
