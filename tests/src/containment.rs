//! Sinks for whatever gets out of a browser, and a hostile script that tries.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::netlog::NetLog;

/// The script; it needs [`Sinks::ports`] as `PORTS` in front of it.
pub const HOSTILE: &str = include_str!("containment/hostile.js");

/// The number that it carries in every address.
pub const STOLEN: &str = "110105194912310374";

/// More than there are ways out.
const MOST_WAYS: usize = 64;

/// A port for each way, over TCP and over UDP. Connections are counted when they are accepted, before a byte is read.
#[derive(Debug)]
pub struct Sinks {
    tcp: Vec<(u16, Arc<AtomicUsize>)>,
    udp: Vec<(u16, UdpSocket)>,
}

impl Sinks {
    /// Opens them all; they stay open until the process ends.
    pub fn open() -> Self {
        let tcp = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
            let counted = count.clone();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let Ok(mut stream) = stream else { continue };
                    thread::spawn(move || {
                        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
                        let _ = stream.read(&mut [0; 4096]);
                        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
                    });
                }
            });
            (port, count)
        };
        let udp = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            (socket.local_addr().unwrap().port(), socket)
        };
        Self { tcp: (0..MOST_WAYS).map(|_| tcp()).collect(), udp: (0..MOST_WAYS).map(|_| udp()).collect() }
    }

    /// What the script wants to know.
    pub fn ports(&self) -> Value {
        let tcp: Vec<u16> = self.tcp.iter().map(|(port, _)| *port).collect();
        let udp: Vec<u16> = self.udp.iter().map(|(port, _)| *port).collect();
        json!({ "tcp": tcp, "udp": udp })
    }

    /// The script with its ports, and `then` behind it.
    pub fn script(&self, then: &str) -> String {
        format!("const PORTS = {};\n{HOSTILE}\n{then}\n", self.ports())
    }

    /// Which of `ways`, in the script's order, got out: something came to a port of theirs, or the network stack's log
    /// has a request, a name or a connection of theirs.
    pub fn got_out(&self, ways: &[String], log: &NetLog) -> BTreeSet<String> {
        assert!(ways.len() <= MOST_WAYS);
        let mut out = BTreeSet::new();
        for (i, way) in ways.iter().enumerate() {
            let (port, count) = &self.tcp[i];
            let (datagrams, socket) = &self.udp[i];
            let came = count.load(Ordering::SeqCst) > 0 || socket.recv(&mut [0; 2048]).is_ok();
            let ends = [format!(":{port}"), format!(":{datagrams}")];
            let connected = log.connections.iter().any(|to| ends.iter().any(|end| to.ends_with(end)));
            if came || connected {
                out.insert(way.clone());
            }
        }
        if log.names.iter().any(|name| name.contains("leak.invalid")) {
            out.insert("dns-prefetch".to_owned());
        }
        // To the page's own server, which has no sink.
        for (mark, way) in [
            ("/leak-own?", "own-origin-fetch"),
            ("/leak-own.js", "own-origin-import"),
            ("/leak-sw.js", "service-worker"),
        ] {
            if log.requests.iter().any(|url| url.contains(mark)) {
                out.insert(way.to_owned());
            }
        }
        out
    }
}

/// Serves these files without any header that protects; ends with the process. Gives its address.
pub fn serve_unprotected(files: BTreeMap<&'static str, (&'static str, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or_default();
            let line = String::from_utf8_lossy(&request[..read]).into_owned();
            let path = line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
            let (status, kind, body) = match files.get(path) {
                Some((kind, body)) => ("200 OK", *kind, body.as_str()),
                None => ("404 Not Found", "text/plain", ""),
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}
