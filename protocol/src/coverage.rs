//! The coverage statement: what an institution looked at to make its answer (SPEC §5.2).

use std::collections::BTreeMap;

use crate::agreement::rising;
use crate::canonical;
use crate::clean::Normalised;
use crate::error::DecodeError;
use crate::subject::Reason;
use crate::value::Date;

/// Bytes of the padded statement.
pub const COVERAGE_BYTES: usize = 4096;

/// Roles of columns (SPEC §10), sorted.
pub const COLUMN_ROLES: [&str; 21] = [
    "account",
    "account_count",
    "amount",
    "amount:bond",
    "amount:cash",
    "amount:credit_card",
    "amount:deposit",
    "amount:fund",
    "amount:insurance",
    "amount:loan",
    "amount:margin",
    "amount:metal",
    "amount:stock",
    "amount:wealth",
    "balance_date",
    "currency",
    "id_kind",
    "id_number",
    "name",
    "product",
    "status",
];

/// Rows set aside for another reason than their number.
const OTHER_REASONS: [&str; 2] = ["ragged", "undecodable"];

/// Lines that are no data.
const SKIPPED: [&str; 3] = ["blank", "footer", "repeated_header"];

crate::json_words! {
    /// What text an institution's file is in.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Encoding {
        /// UTF-8, with or without a byte order mark.
        Utf8 = "utf-8",
        /// GB18030, which holds GBK and GB2312.
        Gb18030 = "gb18030",
        /// UTF-16, little end first ("Unicode text").
        Utf16Le = "utf-16le",
        /// UTF-16, big end first.
        Utf16Be = "utf-16be",
    }
}

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
        pub encoding: Encoding,
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
    /// When it is not as [`Coverage::encode`] writes it, names what SPEC §5.2 does not, or its counts do not add up.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() != COVERAGE_BYTES {
            return Err(DecodeError::Malformed("coverage"));
        }
        let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        let coverage: Self = canonical::decode(bytes.get(..end).unwrap_or_default())?;
        coverage.validate()?;
        Ok(coverage)
    }

    fn validate(&self) -> Result<(), DecodeError> {
        let member = |good: bool, name| if good { Ok(()) } else { Err(DecodeError::Malformed(name)) };
        let role = |column: &String| COLUMN_ROLES.contains(&column.as_str());
        member(rising(&self.columns) && self.columns.iter().all(role), "coverage.columns")?;
        let step = |name: &str| Normalised::ALL.iter().any(|step| step.name() == name);
        member(counts(&self.normalised, step), "coverage.normalised")?;
        let reason =
            |name: &str| Reason::ALL.iter().map(|r| r.name()).chain(OTHER_REASONS).any(|n| n == name);
        member(counts(&self.quarantined, reason), "coverage.quarantined")?;
        member(counts(&self.skipped, |name| SKIPPED.contains(&name)), "coverage.skipped")?;
        let placed = self.quarantined.values().try_fold(self.valid, |n, m| n.checked_add(*m));
        let placed = placed.and_then(|n| n.checked_add(self.not_personal));
        member(placed == Some(self.rows), "coverage.rows")
    }
}

/// Whether all that is counted is counted here, and at least once.
fn counts(counts: &BTreeMap<String, u64>, counted: impl Fn(&str) -> bool) -> bool {
    counts.iter().all(|(name, count)| counted(name) && *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage() -> Coverage {
        Coverage {
            balance_date: None,
            columns: vec!["amount".into(), "id_number".into()],
            encoding: Encoding::Gb18030,
            files: vec![FileCount { bytes: 100, rows: 10 }],
            grain: Grain::Account,
            normalised: BTreeMap::from([("spaces".to_owned(), 2)]),
            not_personal: 1,
            quarantined: BTreeMap::from([("check_digit".to_owned(), 1), ("ragged".to_owned(), 1)]),
            rows: 10,
            skipped: BTreeMap::from([("footer".to_owned(), 1)]),
            valid: 7,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Coverage::decode(&coverage().encode().unwrap()).unwrap(), coverage());
    }

    #[test]
    fn bad_statements_are_named() {
        let one = |name: &str, count| BTreeMap::from([(name.to_owned(), count)]);
        let bad: [(fn(&mut Coverage), _); 7] = [
            (|c| c.columns.reverse(), "columns"),
            (|c| c.columns.insert(0, "amount".into()), "columns"),
            (|c| c.columns.insert(1, "amount:other".into()), "columns"),
            (|c| c.rows += 1, "rows"),
            (|c| c.valid = u64::MAX >> 11, "rows"),
            (|c| c.not_personal = 0, "rows"),
            (|c| c.quarantined.clear(), "rows"),
        ];
        let mut all: Vec<(Coverage, &str)> = bad
            .into_iter()
            .map(|(change, name)| {
                let mut coverage = coverage();
                change(&mut coverage);
                (coverage, name)
            })
            .collect();
        for (name, count) in [("spaces", 0), ("ragged", 1), ("other", 1)] {
            all.push((Coverage { normalised: one(name, count), ..coverage() }, "normalised"));
        }
        for (name, count) in [("check_digit", 0), ("spaces", 2)] {
            all.push((Coverage { quarantined: one(name, count), ..coverage() }, "quarantined"));
        }
        for (name, count) in [("blank", 0), ("ragged", 1)] {
            all.push((Coverage { skipped: one(name, count), ..coverage() }, "skipped"));
        }
        for (coverage, name) in all {
            let error = Coverage::decode(&coverage.encode().unwrap()).unwrap_err();
            assert_eq!(error.field(), format!("coverage.{name}"), "{coverage:?}");
        }
    }
}
