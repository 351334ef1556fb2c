//! What happens to a row (SPEC §5.3): heading, footer, something to set aside, or a person, and then perhaps
//! someone on the roster.
//!
//! Nearly every row takes the short way of the crate `rows` and comes here only when it is someone's on the roster.
//! What comes here as a [`Record`] takes the long way, which gives the same findings and counts: a property
//! test ([`crate::matching`]) holds the two together.

use std::ops::ControlFlow;

use protocol::coverage::Grain;
use protocol::name::Name;
use protocol::roster::Entry;
use protocol::slot::{ACCOUNT_BYTES, AssetKind, PRODUCT_BYTES, Status, cut_text, note};
use protocol::subject::{self, Hint, Kind, Outcome, ResidentNumber};
use protocol::token::{NameTags, Prf, Token};
use protocol::value::{Currency, Date};
use rows::records::Flow;
use rows::{Lookup, Record, Rest, Short, Tally};

use crate::cell::{self, Cell};
use crate::counts::Counts;
use crate::damage::Damage;
use crate::error::ModuleError;
use crate::findings::{Asset, Findings};
use crate::layout::{self, Layout};
use crate::part::PartHead;
use crate::set_aside::Why;
use crate::text::Stage;

/// Rows whose other columns are looked at whether they match or not, to warn of columns that can't be read.
pub(crate) const LOOKED_AT: u64 = 2_000;

/// A balance date this many days before the as-of date is warned about.
const OLD_DAYS: i64 = 92;

/// Whom rows are held against.
pub(crate) struct Known {
    pub(crate) lookup: Lookup,
    pub(crate) prf: Prf,
}

/// What comes of the rows of all files.
pub(crate) struct Yield {
    pub(crate) findings: Findings,
    pub(crate) counts: Counts,
}

/// What a row says where it says nothing.
pub(crate) struct Defaults {
    /// The kind of an asset.
    pub(crate) kind: AssetKind,
    pub(crate) currency: Option<Currency>,
    pub(crate) balance_date: Option<Date>,
    /// The day that is asked for.
    pub(crate) as_of: Date,
}

/// The table that rows come from: how it lies, and what was seen of it.
pub(crate) struct Table {
    pub(crate) layout: Layout,
    pub(crate) damage: Damage,
    /// Data rows.
    pub(crate) rows: u64,
    seen_records: usize,
    last_hint: (Vec<u8>, Hint),
    /// Whether the heading could pass for a person's row.
    numbered_heading: bool,
    /// Whether the table's beginning is another instance's: its heading and the rows that are looked at closely.
    pub(crate) is_part: bool,
}

impl Table {
    pub(crate) fn new(layout: Layout) -> Self {
        let id = layout.heading.get(layout.columns.id_number);
        let numbered_heading = id.is_some_and(|id| subject::read_plain(id.trim_ascii()).is_some());
        Self {
            layout,
            damage: Damage::default(),
            rows: 0,
            seen_records: 0,
            last_hint: (Vec::new(), Hint::None),
            numbered_heading,
            is_part: false,
        }
    }

    /// The table of a part of a file, whose beginning another instance reads.
    pub(crate) fn of_part(layout: Layout) -> Self {
        let seen_records = layout.data_from;
        Self { seen_records, is_part: true, ..Self::new(layout) }
    }

    /// Whether the rows that are looked at closely have passed.
    pub(crate) fn is_under_way(&self) -> bool {
        self.is_part || self.rows >= LOOKED_AT && self.damage.has_had_its_early_look()
    }

    /// The short way for the rows to come, once there may be one.
    pub(crate) fn short<'a>(&self, known: &'a Known, mask: u64) -> Option<Short<'a>> {
        let Layout { width, columns, .. } = &self.layout;
        let ready = self.is_under_way() && !self.numbered_heading;
        ready.then(|| Short::new(&known.prf, &known.lookup, *width, columns.id_number, columns.id_kind, mask))
    }

    /// Takes note of the rows that went the short way.
    pub(crate) fn count(&mut self, tally: &Tally) {
        self.rows += tally.rows;
        self.damage.tally(tally);
    }

    /// Adds what another instance saw of the table, behind `line_feeds` lines.
    pub(crate) fn add(&mut self, part: &PartHead, line_feeds: u64) {
        self.rows += part.rows;
        self.damage.add(&part.damage, line_feeds);
    }

    /// A row's document kind; most rows repeat the one before.
    fn hint(&mut self, cell: &[u8], stage: &Stage) -> Hint {
        if self.last_hint.0 != cell {
            self.last_hint.0 = cell.to_vec();
            self.last_hint.1 = Hint::read(&stage.field_lossy(cell));
        }
        self.last_hint.1
    }
}

/// Takes the rows of a stretch of text that do not go the short way.
pub(crate) struct TableRows<'a> {
    pub(crate) known: &'a Known,
    pub(crate) defaults: &'a Defaults,
    pub(crate) stage: &'a Stage,
    pub(crate) table: &'a mut Table,
    pub(crate) harvest: &'a mut Yield,
    /// Why the file is refused.
    pub(crate) refused: Option<ModuleError>,
}

impl Rest for TableRows<'_> {
    fn record(&mut self, record: &Record<'_>) -> Flow {
        match self.any_record(record) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.refused = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn is_for_short(&mut self, kind: &[u8]) -> bool {
        self.table.hint(kind, self.stage) != Hint::Company
    }

    fn sampled(&mut self, number: &ResidentNumber) -> u64 {
        let density = &mut self.harvest.counts.density;
        density.see(number);
        density.mask()
    }

    fn found(&mut self, record: &Record<'_>, entry: &Entry) {
        self.found_entries(record, &[*entry]);
    }
}

impl TableRows<'_> {
    /// One record: heading, footer, or a data row.
    fn any_record(&mut self, record: &Record<'_>) -> Result<(), ModuleError> {
        self.table.seen_records += 1;
        if self.table.seen_records <= self.table.layout.data_from {
            return Ok(());
        }
        if record.fields().all(|f| f.trim_ascii().is_empty()) {
            self.harvest.counts.skip("blank");
            return Ok(());
        }
        if layout::is_heading(&self.table.layout.heading, record) {
            self.harvest.counts.skip("repeated_header");
            return Ok(());
        }
        let ragged = record.width() < self.table.layout.width
            || (self.table.layout.width..record.width()).any(|i| !record.field(i).trim_ascii().is_empty());
        let id = record.field(self.table.layout.columns.id_number);
        if (ragged || id.iter().filter(|b| b.is_ascii_digit()).count() < 6)
            && is_footer(self.stage, record, id)
        {
            self.harvest.counts.skip("footer");
            return Ok(());
        }
        self.harvest.counts.rows += 1;
        self.table.rows += 1;
        if ragged {
            self.harvest.counts.quarantine(Why::Ragged, record.line, "");
            return Ok(());
        }
        if self.table.rows <= LOOKED_AT && !self.table.is_part {
            self.look(record);
        }
        self.row(record, id)
    }

    /// A full row: its identity, and when that is on the roster, the rest.
    fn row(&mut self, record: &Record<'_>, id: &[u8]) -> Result<(), ModuleError> {
        let hint = match self.table.layout.columns.id_kind {
            Some(column) => self.table.hint(record.field(column), self.stage),
            None => Hint::None,
        };
        if let Some(number) = subject::read_plain(id).filter(|_| hint != Hint::Company) {
            if let [.., a, b, c, d @ b'0'..=b'9'] = *number {
                self.table.damage.digits([a, b, c, d]);
            }
            self.table.damage.valid(1);
            self.harvest.counts.valid += 1;
            self.harvest.counts.density.see(number);
            let token = self.known.prf.resident_token(number);
            if let Some(entry) = self.known.lookup.find(&token) {
                self.found_entries(record, &[*entry]);
            }
        } else {
            self.odd_row(record, id, hint);
        }
        if self.table.damage.early_look() && !self.table.is_part { self.table.damage.judge() } else { Ok(()) }
    }

    /// A row whose identity is not a plain 18-character number.
    fn odd_row(&mut self, record: &Record<'_>, id: &[u8], hint: Hint) {
        let Some(text) = self.stage.field(id) else {
            self.harvest.counts.quarantine(Why::Undecodable, record.line, "");
            return;
        };
        let (outcome, normalised) = subject::read(&text, hint);
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
        if let ([.., a, b, c, d], 18) = (digits.as_slice(), digits.len()) {
            self.table.damage.digits([*a, *b, *c, *d]);
        }
        match outcome {
            Outcome::NotPersonal => self.harvest.counts.not_personal += 1,
            Outcome::Quarantine(reason) => {
                self.table.damage.quarantined(reason, record.line);
                self.harvest.counts.quarantine(Why::Number(reason), record.line, &text);
            }
            Outcome::Subjects((first, second)) => {
                self.table.damage.valid(1);
                self.harvest.counts.valid += 1;
                self.harvest.counts.normalise(normalised);
                if first.kind() == Kind::Resident
                    && let Ok(number) = first.number().as_bytes().try_into()
                {
                    self.harvest.counts.density.see(number);
                }
                let mut entries: Vec<Entry> = Vec::new();
                for subject in [Some(first), second].into_iter().flatten() {
                    let token = self.known.prf.token(&subject);
                    let entry = self.known.lookup.find(&token).copied();
                    // Both readings of an old number may stand in one slot: the row counts once there.
                    if let Some(entry) = entry
                        && !entries.iter().any(|e| e.slot == entry.slot)
                    {
                        entries.push(entry);
                    }
                }
                if !entries.is_empty() {
                    self.found_entries(record, &entries);
                }
            }
        }
    }

    /// A row of someone on the roster.
    fn found_entries(&mut self, record: &Record<'_>, entries: &[Entry]) {
        let assets = self.assets(record);
        let name = self.table.layout.columns.name.map(|i| self.stage.field_lossy(record.field(i)));
        let name = name.and_then(|name| Name::read(&name));
        for entry in entries {
            let ours = NameTags { folded: entry.folded_tag, exact: [entry.exact_tag] };
            let theirs = name.as_ref().map(|name| self.known.prf.name_tags(&Token(entry.token), name));
            self.harvest.findings.add(entry.slot, entry.ordinal, ours.compare(theirs), &assets);
        }
    }

    /// What a row says of assets: one for each amount column that says something.
    fn assets(&self, record: &Record<'_>) -> Vec<Asset> {
        let columns = &self.table.layout.columns;
        let text = |index: Option<usize>| index.map(|i| self.stage.field_lossy(record.field(i)));
        let mut notes = 0;
        let product_text = text(columns.product).unwrap_or_default();
        let product = match cell::product(&product_text) {
            Cell::Value(kind) => kind,
            Cell::Empty => self.defaults.kind,
            Cell::Unreadable => {
                notes |= note::PRODUCT_UNKNOWN;
                AssetKind::Other
            }
        };
        let currency = match cell::currency(&text(columns.currency).unwrap_or_default()) {
            Cell::Value(currency) => currency,
            Cell::Empty => self.defaults.currency.unwrap_or(Currency::CNY),
            Cell::Unreadable => {
                notes |= note::CURRENCY_UNKNOWN;
                Currency::UNKNOWN
            }
        };
        let date = match cell::date(&text(columns.balance_date).unwrap_or_default()) {
            Cell::Empty => self.defaults.balance_date.map_or(Cell::Empty, |d| Cell::Value(d.number())),
            date => date,
        };
        let accounts = match (self.table.layout.grain, text(columns.account_count)) {
            (Grain::Account, _) | (Grain::Customer, None) => 1,
            (Grain::Customer, Some(count)) => count.trim().parse().unwrap_or(1),
        };
        let asset = |kind: AssetKind, amount: Cell<i64>| Asset {
            kind,
            currency,
            amount,
            date,
            accounts,
            notes,
            status: text(columns.status).map_or(Status::Unknown, |s| cell::status(&s)),
            account: cut_text(text(columns.account).unwrap_or_default().trim(), ACCOUNT_BYTES).to_owned(),
            product: cut_text(product_text.trim(), PRODUCT_BYTES).to_owned(),
        };
        let read =
            |index: usize, unit| cell::amount(&self.stage.field_lossy(record.field(index)), unit, currency);
        match columns.amounts.as_slice() {
            [] => vec![asset(product, Cell::Empty)],
            [(kind, column)] => vec![asset(kind.unwrap_or(product), read(column.index, column.unit))],
            several => several
                .iter()
                .map(|(kind, column)| (kind.unwrap_or(product), read(column.index, column.unit)))
                .filter(|(_, amount)| *amount != Cell::Empty)
                .map(|(kind, amount)| asset(kind, amount))
                .collect(),
        }
    }

    /// Looks at the other columns of an early row, match or not, so that a warning says nothing of matches.
    fn look(&mut self, record: &Record<'_>) {
        let columns = &self.table.layout.columns;
        for asset in self.assets(record) {
            if asset.amount == Cell::Unreadable {
                self.harvest.counts.warn("amount_unreadable");
            }
            if asset.notes & note::CURRENCY_UNKNOWN != 0 {
                self.harvest.counts.warn("currency_unknown");
            }
            match asset.date {
                Cell::Unreadable => self.harvest.counts.warn("date_unreadable"),
                Cell::Value(date) => {
                    let old = Date::from_number(date)
                        .is_some_and(|d| self.defaults.as_of.days() - d.days() > OLD_DAYS);
                    if old {
                        self.harvest.counts.warn("balance_date_old");
                    }
                }
                Cell::Empty => {}
            }
            if asset.notes & note::PRODUCT_UNKNOWN != 0 {
                self.harvest.counts.warn("product_unknown");
                let name = columns.product.map(|i| self.stage.field_lossy(record.field(i)).trim().to_owned());
                if let Some(name) = name
                    && self.harvest.counts.unknown_products.len() < 20
                    && !self.harvest.counts.unknown_products.contains(&name)
                {
                    self.harvest.counts.unknown_products.push(name);
                }
            }
        }
    }
}

/// A line below the table: its first cell that is not empty begins with one of the usual words, and
/// there is no number where the identity stands.
fn is_footer(stage: &Stage, record: &Record<'_>, id: &[u8]) -> bool {
    const WORDS: [&str; 14] = [
        "合计", "总计", "小计", "共计", "制表", "打印", "导出", "复核", "审核", "经办", "填表", "备注",
        "说明", "total",
    ];
    if id.iter().filter(|b| b.is_ascii_digit()).count() >= 15 {
        return false;
    }
    let Some(first) = record.fields().find(|f| !f.trim_ascii().is_empty()) else { return false };
    let text = stage.field_lossy(first);
    let text: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    WORDS.iter().any(|word| text.starts_with(word))
}
