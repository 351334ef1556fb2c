//! The coverage statement: what an institution looked at to make its answer (SPEC §5.2).

use std::collections::BTreeMap;

use crate::canonical;
use crate::error::DecodeError;
use crate::value::Date;

/// Bytes of the padded statement.
pub const COVERAGE_BYTES: usize = 4096;

crate::json_words! {
    /// What one row of the institution's file stands for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum Grain {
        /// One account.
        #[default]
        Account = "account",
        /// One customer.
        Customer = "customer",
    }
}

crate::json_object! {
    /// One file of the run.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FileCount {
        /// Its bytes.
        pub bytes: u64,
        /// Its data rows.
        pub rows: u64,
    }
}

crate::json_object! {
    /// The statement. Counts only: no row, no number, no name.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Coverage {
        /// The day declared for rows that carry none.
        pub balance_date: Option<Date>,
        /// Column roles that were found, sorted.
        pub columns: Vec<String>,
        /// Encoding of the last file.
        pub encoding: String,
        /// The files, in order.
        pub files: Vec<FileCount>,
        /// What a row stands for.
        pub grain: Grain,
        /// Rows by what was put right in their number.
        pub normalised: BTreeMap<String, u64>,
        /// Companies' rows.
        pub not_personal: u64,
        /// Rows set aside, by reason.
        pub quarantined: BTreeMap<String, u64>,
        /// Data rows read.
        pub rows: u64,
        /// Lines that are no data.
        pub skipped: BTreeMap<String, u64>,
        /// Rows with a valid subject.
        pub valid: u64,
    }
}

impl Coverage {
    /// The padded bytes.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] when there are more files than the statement has room for.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let mut out = canonical::encode(self)?;
        if out.len() > COVERAGE_BYTES {
            return Err(DecodeError::TooLarge("coverage"));
        }
        out.resize(COVERAGE_BYTES, 0);
        Ok(out)
    }

    /// Reads a padded statement.
    ///
    /// # Errors
    /// When it is not as [`Coverage::encode`] writes it, or its counts do not add up.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() != COVERAGE_BYTES {
            return Err(DecodeError::Malformed("coverage"));
        }
        let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        let coverage: Self = canonical::decode(bytes.get(..end).unwrap_or_default())?;
        let counts = coverage.quarantined.values().try_fold(coverage.valid, |n, m| n.checked_add(*m));
        if counts.and_then(|n| n.checked_add(coverage.not_personal)) != Some(coverage.rows) {
            return Err(DecodeError::Malformed("coverage.rows"));
        }
        Ok(coverage)
    }
}
