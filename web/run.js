// @ts-check
// Step 4: matching, and how far it is.
import { button, count, h, p, SECOND, size, t } from './dom.js';

/** @typedef {import('./page.js').App} App */

/** Step 4. @param {App} app */
export function run(app) {
  const cancel = () => {
    app.state.resumed = true;
    app.lock();
  };
  const number = (/** @type {string} */ id) => h('div', {}, h('dt', {}, t(`run.${id}`)), h('dd', { id }, '–'));
  const bar = h('progress', { id: 'progress', max: 100, value: 0, 'aria-label': t('run.title') });
  setTimeout(() => app.state.progress && showProgress(app.state.progress)); // after a change of language
  return {
    content: [
      h('div', { class: 'gauge' }, bar, h('p', { id: 'percent' }, t('run.starting'))),
      h('dl', { class: 'numbers' }, number('rows'), number('rate'), number('left')),
      h('p', { class: 'hint', id: 'share' }),
    ],
    actions: [button('cancel', t('run.cancel'), cancel, SECOND), p('hint', t('run.cancelHint'))],
  };
}

/** @param {{bytes: number, rows: number, total: number, started: number}} progress */
export function showProgress({ bytes, rows, total, started }) {
  if (!bytes) return;
  const show = (/** @type {string} */ id, /** @type {string} */ text) => document.getElementById(id)?.replaceChildren(text);
  const seconds = (performance.now() - started) / 1000;
  const left = Math.ceil((seconds * (total - bytes)) / bytes);
  const percent = Math.floor((bytes / total) * 100);
  document.getElementById('progress')?.setAttribute('value', String(percent));
  show('percent', bytes < total ? t('run.percent', { n: percent }) : t('run.sealing'));
  show('share', t('run.share', { done: size(bytes), total: size(total) }));
  show('rows', count(rows));
  show('rate', count(Math.round(rows / seconds)));
  show('left', left < 90 ? t('run.seconds', { n: left }) : t('run.minutes', { n: Math.ceil(left / 60) }));
}
