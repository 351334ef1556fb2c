// @ts-check
// How this page was delivered: in files, by a host; or as one file that carries everything, the offline edition
// (`cargo xtask dist`). What differs between the two is here, and nothing else knows the difference.

/**
 * What the offline edition carries, by name: modules in base64, scripts and the icon as text. Its builder puts it in front
 * of this code. @type {Record<string, string> | null}
 */
// @ts-ignore
const carried = typeof CARRIED === 'undefined' ? null : CARRIED;

/** Whether a host served this page: only then is there one to talk to. */
export const online = carried === null;

/** The scripts that become Workers. A host sends each with the Worker's own policy; a carried one has that of this page. */
const WORKERS = ['worker.js', 'reader-worker.js'];

/** @type {Record<string, string>} */
const addresses = Object.fromEntries(WORKERS.map((name) => [name, carried
  ? URL.createObjectURL(new Blob([carried[name]], { type: 'text/javascript' }))
  : new URL(`./${name}`, document.baseURI).href]));

/** The one Trusted Types policy of the page: it knows the Workers' addresses. */
const loader = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('loader', {
  createScriptURL: (/** @type {string} */ name) => addresses[name],
});

/**
 * Starts a Worker. Its script is a module, which knows no `importScripts`; a page from `file://` may start none, and its
 * policy refuses them anyhow. @param {string} name of its script
 */
export const startWorker = (name) =>
  new Worker(loader ? loader.createScriptURL(name) : addresses[name], { type: carried ? 'classic' : 'module' });

/** The bytes of a module; null where they can't be had. @param {string} name @returns {Promise<ArrayBuffer | null>} */
export async function moduleBytes(name) {
  if (carried) return Uint8Array.from(atob(carried[name]), (c) => c.charCodeAt(0)).buffer;
  const response = await fetch(`/artifact/${name}`, { cache: 'no-store' }).catch(() => null);
  return response?.ok ? response.arrayBuffer() : null;
}

/** Address of the icon. */
export const icon = carried ? `data:image/svg+xml,${encodeURIComponent(carried['icon.svg'])}` : './icon.svg';

/** Addresses of the two pages. In one file the second is a place of its own. */
export const pages = carried ? { index: '#', audit: '#audit' } : { index: './index.html', audit: './audit.html' };

/** The policies that a file of the page came with, by header. @param {string} file @returns {Promise<(name: string) => string>} */
export async function policiesOf(file) {
  if (carried) {
    const meta = /** @type {HTMLMetaElement} */ (document.querySelector('meta[http-equiv]'));
    return (name) => (name === meta.httpEquiv.toLowerCase() ? meta.content : '');
  }
  const reply = await fetch(new URL(file, document.baseURI), { cache: 'no-store' });
  return (name) => reply.headers.get(name) ?? '';
}
