//! What Chromium's network stack was asked for: its own log of every request, name and connection, refused or not.

use std::path::Path;

use serde_json::Value;

/// The log of one browser, read once that has ended.
#[derive(Debug, Default)]
pub struct NetLog {
    /// Events in it, so that an empty log is not taken for a quiet network.
    pub events: usize,
    /// Addresses that were asked for, those without a network (`file:`, `blob:`, `data:`) among them.
    pub requests: Vec<String>,
    /// Those of them that a page or a Worker asked for, and not the browser for itself.
    pub by_pages: Vec<String>,
    /// Names that were to be looked up.
    pub names: Vec<String>,
    /// Where a connection or a datagram was to go.
    pub connections: Vec<String>,
}

/// The initiator of a request that is the browser's own, or a person's who types an address.
const NO_PAGE: &str = "not an origin";

/// The argument for Chromium that has it written to `file`.
pub fn argument(file: &Path) -> String {
    format!("--log-net-log={}", file.display())
}

impl NetLog {
    /// Reads a log.
    ///
    /// # Panics
    /// When it is none, or does not know the events that are looked for.
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let log: Value = serde_json::from_str(&text).unwrap_or_else(|_| {
            // A browser that was ended in haste leaves the list open.
            serde_json::from_str(&format!("{}]}}", text.trim_end().trim_end_matches(','))).expect("a log")
        });
        let number = |name: &str| {
            log["constants"]["logEventTypes"][name].as_u64().unwrap_or_else(|| panic!("no event {name}"))
        };
        let [request, name, tcp, udp] =
            ["URL_REQUEST_START_JOB", "HOST_RESOLVER_MANAGER_REQUEST", "TCP_CONNECT_ATTEMPT", "UDP_CONNECT"]
                .map(number);
        let mut found = Self::default();
        for event in log["events"].as_array().unwrap() {
            found.events += 1;
            let text = |key: &str| event["params"][key].as_str().map(str::to_owned);
            match event["type"].as_u64() {
                Some(n) if n == request => {
                    let by_page = text("initiator").is_some_and(|initiator| initiator != NO_PAGE);
                    found.by_pages.extend(text("url").filter(|_| by_page));
                    found.requests.extend(text("url"));
                }
                Some(n) if n == name => found.names.extend(text("host")),
                Some(n) if n == tcp || n == udp => found.connections.extend(text("address")),
                _ => (),
            }
        }
        found
    }

    /// What pages and Workers asked for that needs a network. (The browser looks for its updates, the time and its start
    /// page whatever page is open.)
    pub fn outward(&self) -> Vec<&String> {
        let inward = ["file:", "blob:", "data:", "chrome:", "chrome-extension:", "devtools:"];
        self.by_pages.iter().filter(|url| !inward.iter().any(|scheme| url.starts_with(scheme))).collect()
    }
}
