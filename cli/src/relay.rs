//! The client of a host, as `console::relay` has it, for a command line that waits.

pub(crate) use console::relay::Place;
use console::relay::{self, RelayError};
use protocol::key_file::Keys;
use protocol::value::Digest;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// A party that is signed in.
pub(crate) struct Relay {
    runtime: Runtime,
    relay: relay::Relay,
}

impl Relay {
    /// Signs in with a key (SPEC §9).
    pub(crate) fn sign_in(url: &str, keys: &Keys) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| Failure::new("start", "host", "no runtime could be started"))?;
        let relay = runtime.block_on(relay::Relay::sign_in(url, keys))?;
        Ok(Self { runtime, relay })
    }

    /// Hands a document in; gives what the host replies.
    pub(crate) fn post(&self, place: &Place<'_>, document: Vec<u8>) -> Result<Vec<u8>, Failure> {
        Ok(self.runtime.block_on(self.relay.post(place, document))?)
    }

    /// Sends an answer; gives the receipt. After a cut it goes on where it stopped.
    pub(crate) fn send(&self, roster: &Digest, answer: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(self.runtime.block_on(self.relay.send(roster, answer))?)
    }

    /// What is there.
    pub(crate) fn list<T: DeserializeOwned>(&self, place: &Place<'_>) -> Result<Vec<T>, Failure> {
        Ok(self.runtime.block_on(self.relay.list(place))?)
    }

    /// A document by its digest: it must be the one, and its signatures must hold.
    pub(crate) fn document(&self, kind: &str, digest: &Digest) -> Result<Vec<u8>, Failure> {
        Ok(self.runtime.block_on(self.relay.document(kind, digest))?)
    }
}

impl From<RelayError> for Failure {
    fn from(error: RelayError) -> Self {
        Self::new(&error.code, error.field, error.message)
    }
}
