//! The release document: which bytes the publisher stands for (SPEC §4.6).

use crate::agreement::rising;
use crate::envelope::Header;
use crate::error::DecodeError;
use crate::value::{Digest, ReleaseNumber, Text, Time};

crate::json_object! {
    /// Header of a release.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Release {
        /// Exports of the module, sorted.
        pub exports: Vec<Text>,
        /// Imports of the module, sorted.
        pub imports: Vec<Text>,
        /// When it was made.
        pub issued: Time,
        /// BLAKE3 of the module.
        pub module_blake3: Digest,
        /// Bytes of the module.
        pub module_bytes: u64,
        /// SHA-256 of the module.
        pub module_sha256: Digest,
        /// SHA-256 of the offline page.
        pub page_sha256: Option<Digest>,
        /// Its number.
        pub release: ReleaseNumber,
        /// SHA-256 of the source archive.
        pub source_sha256: Digest,
        /// The toolchain that gives these bytes.
        pub toolchain: Text,
    }
}

impl Header for Release {
    const TYPE: &'static str = "hedui/release/v1";

    fn validate(&self) -> Result<(), DecodeError> {
        let order = |list: &[Text]| rising(&list.iter().map(Text::as_str).collect::<Vec<_>>());
        match (order(&self.exports), order(&self.imports)) {
            (true, true) => Ok(()),
            (false, _) => Err(DecodeError::Member("exports".to_owned())),
            (_, false) => Err(DecodeError::Member("imports".to_owned())),
        }
    }
}
