//! How a file's table lies: delimiter, heading, what each column is for.

use std::ops::ControlFlow;

use protocol::coverage::Grain;
use protocol::roster::Entry;
use protocol::subject::ResidentNumber;
use protocol::value::{Currency, Date};
use rows::records::Flow;
use rows::{CutError, Cutter, Record, Rest};

use crate::cell::Unit;
use crate::delimiter::Delimiter;
use crate::error::ModuleError;
use crate::roles::{self, Role};
use crate::text::{self, Encoding, Stage};

/// Records at the beginning of a file among which the heading is looked for.
const HEADING_WITHIN: usize = 30;

protocol::json_options! {
    /// What the person at the page settled; `None` is "find out". SPEC §10, `table`.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct TableOptions {
        /// Balance date of rows that carry none.
        pub balance_date: Option<Date>,
        /// The role of each column.
        pub columns: Option<Vec<Option<Role>>>,
        /// Currency of rows that carry none.
        pub currency: Option<Currency>,
        /// What separates fields.
        pub delimiter: Option<Delimiter>,
        /// The file's encoding.
        pub encoding: Option<Encoding>,
        /// What a row stands for.
        pub grain: Option<Grain>,
        /// Which record is the heading, from 1; 0 for none.
        pub header_row: Option<u32>,
        /// What figures count.
        pub unit: Option<Unit>,
        /// What the figures of each column count, where the person settled it: over `unit` and the heading.
        pub units: Option<Vec<Option<Unit>>>,
    }
}

/// A column whose role is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its place, from 0.
    pub index: usize,
    /// What its figures count.
    pub unit: Unit,
}

/// The columns by role.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Identity number.
    pub id_number: usize,
    /// Kind of document.
    pub id_kind: Option<usize>,
    /// Name.
    pub name: Option<usize>,
    /// Account number.
    pub account: Option<usize>,
    /// Accounts of a customer.
    pub account_count: Option<usize>,
    /// Currency.
    pub currency: Option<usize>,
    /// Balance date.
    pub balance_date: Option<usize>,
    /// Product.
    pub product: Option<usize>,
    /// State.
    pub status: Option<usize>,
    /// Amounts, in the order of the file.
    pub amounts: Vec<(Option<protocol::slot::AssetKind>, Column)>,
    /// Names of the roles found, sorted.
    pub roles: Vec<String>,
}

/// How a file's table lies.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The file's encoding.
    pub encoding: Encoding,
    /// What separates fields.
    pub delimiter: Delimiter,
    /// Records before the first data row.
    pub data_from: usize,
    /// The heading's fields as they stand, for recognising it again; empty when there is none.
    pub heading: Vec<Vec<u8>>,
    /// Fields of a full row.
    pub width: usize,
    /// The columns.
    pub columns: Columns,
    /// What a row stands for.
    pub grain: Grain,
}

/// Keeps the first records.
struct First {
    records: Vec<Vec<Vec<u8>>>,
    limit: usize,
}

impl Rest for First {
    fn record(&mut self, record: &Record<'_>) -> Flow {
        self.records.push(record.fields().map(<[u8]>::to_vec).collect());
        if self.records.len() < self.limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn is_for_short(&mut self, _: &[u8]) -> bool {
        false
    }

    fn sampled(&mut self, _: &ResidentNumber) -> u64 {
        0
    }

    fn found(&mut self, _: &Record<'_>, _: &Entry) {}
}

/// The first records of a file, split one way.
pub struct Sample {
    /// What they were split at.
    pub delimiter: Delimiter,
    /// Raw fields of each record.
    pub records: Vec<Vec<Vec<u8>>>,
    /// Decodes them.
    pub stage: Stage,
}

impl Sample {
    /// Splits `bytes` (the beginning of a file, mark included) into at most `limit` records.
    pub fn read(
        bytes: &[u8],
        encoding: Encoding,
        delimiter: Delimiter,
        limit: usize,
        complete: bool,
    ) -> Self {
        let mut stage = Stage::new(encoding, delimiter);
        let plain = stage.next(text::without_mark(encoding, bytes), complete).into_owned();
        let mut first = First { records: Vec::new(), limit };
        let mut cutter = Cutter::new(delimiter.byte());
        let fed = cutter.feed(&plain, None, &mut first);
        if complete && fed.is_ok_and(|flow| flow.is_continue()) {
            let _ = cutter.end(&mut first);
        }
        Self { delimiter, records: first.records, stage }
    }

    fn texts(&self, record: &[Vec<u8>]) -> Vec<String> {
        record.iter().map(|field| self.stage.field_lossy(field).into_owned()).collect()
    }

    /// The record most likely to be the heading, with how many roles it has: the first with an identity
    /// column and the most roles.
    fn heading(&self) -> Option<(usize, usize)> {
        let scored = self.records.iter().take(HEADING_WITHIN).enumerate().filter_map(|(i, record)| {
            let guessed: Vec<Role> = self.texts(record).iter().filter_map(|h| roles::guess(h).0).collect();
            let named = guessed.contains(&Role::IdNumber) && (guessed.len() > 1 || record.len() == 1);
            named.then_some((i, guessed.len()))
        });
        scored.fold(None, |best: Option<(usize, usize)>, (i, n)| match best {
            Some((_, most)) if most >= n => best,
            _ => Some((i, n)),
        })
    }
}

impl Layout {
    /// Finds the layout from the first bytes of a file.
    ///
    /// # Errors
    /// `empty_file`, `line_too_long`, `no_id_column`, `bad_option`, and those of [`text::detect`].
    pub fn find(sample: &[u8], complete: bool, options: &TableOptions) -> Result<Self, ModuleError> {
        let encoding = match options.encoding {
            Some(encoding) => encoding,
            None => text::detect(sample, complete)?,
        };
        let given = options.delimiter.map(|delimiter| [delimiter]);
        let candidates = given.as_ref().map_or(Delimiter::TRIED.as_slice(), |one| one);
        let mut best: Option<(Sample, Option<(usize, usize)>)> = None;
        for delimiter in candidates {
            let sample = Sample::read(sample, encoding, *delimiter, HEADING_WITHIN, complete);
            let heading = sample.heading();
            let score = |h: &Option<(usize, usize)>| h.map_or(0, |(_, roles)| roles);
            let better = match &best {
                None => true,
                Some((_, known)) => score(&heading) > score(known),
            };
            if better {
                best = Some((sample, heading));
            }
        }
        let (sample, heading) = best.ok_or_else(|| bad_option("delimiter"))?;
        if sample.records.is_empty() {
            return Err(if complete {
                ModuleError::new("empty_file", "file", "the file has no rows")
            } else {
                CutError::LineTooLong { line: 1 }.into()
            });
        }
        Self::of_sample(&sample, encoding, heading.map(|(row, _)| row), options)
    }

    fn of_sample(
        sample: &Sample,
        encoding: Encoding,
        found: Option<usize>,
        options: &TableOptions,
    ) -> Result<Self, ModuleError> {
        let row = match options.header_row {
            Some(n) => usize::try_from(n).unwrap_or(usize::MAX).checked_sub(1),
            None => found,
        };
        let heading: Vec<Vec<u8>> = match row {
            Some(row) => sample.records.get(row).cloned().ok_or_else(|| bad_option("header_row"))?,
            None => Vec::new(),
        };
        let guessed: Vec<(Option<Role>, Unit)> =
            sample.texts(&heading).iter().map(|h| roles::guess(h)).collect();
        let roles: Vec<(Option<Role>, Unit)> = match &options.columns {
            Some(columns) => columns
                .iter()
                .enumerate()
                .map(|(i, role)| (*role, guessed.get(i).map_or(Unit::One, |(_, unit)| *unit)))
                .collect(),
            None => guessed,
        };
        let settled = |i: usize| options.units.as_ref().and_then(|units| units.get(i).copied().flatten());
        let unit = |(i, (role, guessed)): (usize, &(Option<Role>, Unit))| {
            (*role, settled(i).or(options.unit).unwrap_or(*guessed))
        };
        let roles: Vec<(Option<Role>, Unit)> = roles.iter().enumerate().map(unit).collect();
        let columns = Columns::of(&roles)
            .ok_or_else(|| ModuleError::new("no_id_column", "file", "no column of identity numbers"))?;
        let width = if heading.is_empty() { roles.len() } else { heading.len() };
        let grain =
            options.grain.unwrap_or(if columns.amounts.len() > 1 { Grain::Customer } else { Grain::Account });
        let data_from = row.map_or(0, |row| row + 1);
        Ok(Self { encoding, delimiter: sample.delimiter, data_from, heading, width, columns, grain })
    }
}

fn bad_option(name: &str) -> ModuleError {
    ModuleError::new("bad_option", name, format!("option {name} does not fit this file"))
}

impl Columns {
    fn of(roles: &[(Option<Role>, Unit)]) -> Option<Self> {
        let mut columns = Self::default();
        let mut id_number = None;
        for (index, (role, unit)) in roles.iter().enumerate() {
            let Some(role) = *role else { continue };
            let place = match role {
                Role::IdNumber => &mut id_number,
                Role::IdKind => &mut columns.id_kind,
                Role::Name => &mut columns.name,
                Role::Account => &mut columns.account,
                Role::AccountCount => &mut columns.account_count,
                Role::Currency => &mut columns.currency,
                Role::BalanceDate => &mut columns.balance_date,
                Role::Product => &mut columns.product,
                Role::Status => &mut columns.status,
                Role::Amount(kind) => {
                    columns.amounts.push((kind, Column { index, unit: *unit }));
                    insert_once(&mut columns.roles, role.name());
                    continue;
                }
            };
            // Of two columns with one meaning the first counts, as a reader would take it.
            if place.is_none() {
                *place = Some(index);
                insert_once(&mut columns.roles, role.name());
            }
        }
        columns.id_number = id_number?;
        Some(columns)
    }
}

/// Inserts a name in its place, once.
pub fn insert_once(names: &mut Vec<String>, name: String) {
    if let Err(at) = names.binary_search(&name) {
        names.insert(at, name);
    }
}

/// Whether `record` is the heading again.
pub fn is_heading(heading: &[Vec<u8>], record: &Record<'_>) -> bool {
    if heading.is_empty() || record.width() != heading.len() {
        return false;
    }
    let compared = heading.iter().zip(record.fields()).try_for_each(|(h, f)| {
        if h.trim_ascii() == f.trim_ascii() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    compared.is_continue()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Result<Layout, ModuleError> {
        Layout::find(text.as_bytes(), true, &TableOptions::default())
    }

    #[test]
    fn the_heading_may_stand_below_titles() {
        let layout = find("某某银行客户余额表,,,\n打印日期：2026-11-01,,,\n客户名称,证件号码,账号,余额（万元）\n张三,1,2,3\n").unwrap();
        assert_eq!((layout.data_from, layout.width, layout.delimiter.byte()), (3, 4, b','));
        assert_eq!(layout.columns.amounts[0].1, Column { index: 3, unit: Unit::TenThousand });
        assert!(layout.columns.roles.iter().eq(["account", "amount", "id_number", "name"]));
    }

    #[test]
    fn delimiters_are_found() {
        for delimiter in Delimiter::TRIED {
            let text = "姓名,身份证号,余额\n张三,1,2\n".replace(',', &delimiter.name());
            assert_eq!(find(&text).unwrap().delimiter, delimiter);
        }
    }

    #[test]
    fn a_column_s_own_unit_stands_over_the_heading() {
        let text = "证件号码,存款余额（万元）,理财余额,基金余额\n1,2,3,4\n";
        let units = Some(vec![None, Some(Unit::One), Some(Unit::TenThousand)]);
        let options = TableOptions { units, ..TableOptions::default() };
        let layout = Layout::find(text.as_bytes(), true, &options).unwrap();
        let units: Vec<Unit> = layout.columns.amounts.iter().map(|(_, column)| column.unit).collect();
        assert_eq!(units, [Unit::One, Unit::TenThousand, Unit::One]);
    }

    #[test]
    fn no_heading_is_said_so_and_can_be_given() {
        assert_eq!(find("张三,11010519491231002X,5\n").unwrap_err().code, "no_id_column");
        assert_eq!(find("").unwrap_err().code, "empty_file");
        let options = TableOptions {
            header_row: Some(0),
            columns: Some(vec![Some(Role::Name), Some(Role::IdNumber), Some(Role::Amount(None))]),
            ..TableOptions::default()
        };
        let layout = Layout::find("张三,11010519491231002X,5\n".as_bytes(), true, &options).unwrap();
        assert_eq!((layout.data_from, layout.columns.id_number), (0, 1));
    }
}
