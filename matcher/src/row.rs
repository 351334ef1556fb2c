//! What happens to a row (SPEC §5.3): heading, footer, something to set aside, or a person, and then perhaps
//! someone on the roster.
//!
//! A plain line with a plain number, which is nearly every row, takes the short way ([`Rows::plain`]): check the
//! number where it stands, keep four of them, make four tokens at once, look them up. Every other row, and
//! a row of someone on the roster, is read as a [`Record`]. Both ways give the same findings and counts; a
//! property test in `tests/` of this crate holds them together.

use protocol::coverage::Grain;
use protocol::name::Name;
use protocol::roster::Entry;
use protocol::slot::{ACCOUNT_BYTES, AssetKind, PRODUCT_BYTES, Status, cut_text, note};
use protocol::subject::{self, Hint, Outcome, ResidentNumber};
use protocol::token::{LANES, NameTags, Prf, Token};
use protocol::value::{Currency, Date};

use crate::cell::{self, Cell};
use crate::counts::Counts;
use crate::damage::Damage;
use crate::error::ModuleError;
use crate::findings::{Asset, Findings};
use crate::layout::{self, Layout};
use crate::lookup::Lookup;
use crate::records::{PlainLine, Record, Rows};
use crate::text::Stage;

/// Rows whose other columns are looked at whether they match or not, to warn of columns that can't be read.
pub(crate) const LOOKED_AT: u64 = 2_000;

/// A balance date this many days before the as-of date is warned about.
const OLD_DAYS: i64 = 92;

/// What the rows of all files meet: whom they are held against, and what has come of it.
pub(crate) struct Run {
    pub(crate) lookup: Lookup,
    pub(crate) prf: Prf,
    pub(crate) findings: Findings,
    pub(crate) counts: Counts,
    /// The kind of an asset whose row says none.
    pub(crate) default_kind: AssetKind,
    /// The currency of rows that carry none.
    pub(crate) currency: Option<Currency>,
    /// The balance date of rows that carry none.
    pub(crate) balance_date: Option<Date>,
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
        }
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

/// Takes the rows of a stretch of text. What still waits is looked up by [`TableRows::settle`].
pub(crate) struct TableRows<'a, 't> {
    pub(crate) run: &'a mut Run,
    pub(crate) table: &'a mut Table,
    pub(crate) stage: &'a Stage,
    waiting: [Waiting<'t>; LANES],
    waiting_count: usize,
}

/// A row whose token is still to be made.
#[derive(Clone, Copy)]
struct Waiting<'t> {
    number: ResidentNumber,
    line: &'t [u8],
    number_of_line: u64,
}

impl<'t> Rows<'t> for TableRows<'_, 't> {
    #[inline(always)]
    fn plain(&mut self, line: &PlainLine<'t, '_>) -> Result<bool, ModuleError> {
        let (layout, table) = (&self.table.layout, &*self.table);
        if table.rows < LOOKED_AT
            || table.seen_records < layout.data_from
            || table.numbered_heading
            || line.width() != layout.width
        {
            return Ok(false);
        }
        let Some(number) = line.field(layout.columns.id_number).and_then(subject::read_plain) else {
            return Ok(false);
        };
        if let Some(column) = layout.columns.id_kind {
            let Some(cell) = line.field(column) else { return Ok(false) };
            if self.table.hint(cell, self.stage) == Hint::Company {
                return Ok(false);
            }
        }
        self.table.seen_records += 1;
        self.table.rows += 1;
        self.run.counts.rows += 1;
        self.resident(number);
        if let Some(place) = self.waiting.get_mut(self.waiting_count) {
            *place = Waiting { number: *number, line: line.bytes, number_of_line: line.line };
            self.waiting_count += 1;
        }
        if self.waiting_count == LANES {
            self.settle();
        }
        if self.table.damage.early_look() {
            self.table.damage.judge()?
        }
        Ok(true)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), ModuleError> {
        self.any_record(record)
    }
}

impl<'a, 't> TableRows<'a, 't> {
    pub(crate) fn new(run: &'a mut Run, table: &'a mut Table, stage: &'a Stage) -> Self {
        let nobody = Waiting { number: [b'0'; 18], line: &[], number_of_line: 0 };
        Self { run, table, stage, waiting: [nobody; LANES], waiting_count: 0 }
    }

    /// Looks up the rows that wait.
    pub(crate) fn settle(&mut self) {
        let tokens = self.run.prf.resident_tokens(&self.waiting.each_ref().map(|row| &row.number));
        let waiting = std::mem::take(&mut self.waiting_count);
        for (place, token) in tokens.iter().enumerate().take(waiting) {
            if let Some(entry) = self.run.lookup.find(token).copied()
                && let Some(row) = self.waiting.get(place).copied()
            {
                self.found_plain(&row, *token, entry);
            }
        }
    }

    /// A plain row of someone on the roster.
    #[cold]
    fn found_plain(&mut self, row: &Waiting<'_>, token: Token, entry: Entry) {
        let mut ends = Vec::new();
        let record = Record::split(row.line, self.table.layout.delimiter, row.number_of_line, &mut ends);
        self.found(&record, &[(token, entry)]);
    }

    /// Counts a row with a plain number.
    #[inline(always)]
    fn resident(&mut self, number: &ResidentNumber) {
        if let [.., a, b, c, d @ b'0'..=b'9'] = *number {
            self.table.damage.digits([a, b, c, d]);
        }
        self.table.damage.valid();
        self.run.counts.valid += 1;
    }

    /// One record: heading, footer, or a data row.
    fn any_record(&mut self, record: &Record<'_>) -> Result<(), ModuleError> {
        self.table.seen_records += 1;
        if self.table.seen_records <= self.table.layout.data_from {
            return Ok(());
        }
        if record.fields().all(|f| f.trim_ascii().is_empty()) {
            self.run.counts.skip("blank");
            return Ok(());
        }
        if layout::is_heading(&self.table.layout.heading, record) {
            self.run.counts.skip("repeated_header");
            return Ok(());
        }
        let ragged = record.width() < self.table.layout.width
            || (self.table.layout.width..record.width()).any(|i| !record.field(i).trim_ascii().is_empty());
        let id = record.field(self.table.layout.columns.id_number);
        if (ragged || id.iter().filter(|b| b.is_ascii_digit()).count() < 6)
            && is_footer(self.stage, record, id)
        {
            self.run.counts.skip("footer");
            return Ok(());
        }
        self.run.counts.rows += 1;
        self.table.rows += 1;
        if ragged {
            self.run.counts.quarantine("ragged");
            return Ok(());
        }
        if self.table.rows <= LOOKED_AT {
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
            self.resident(number);
            let token = self.run.prf.resident_token(number);
            if let Some(entry) = self.run.lookup.find(&token).copied() {
                self.found(record, &[(token, entry)]);
            }
        } else {
            self.odd_row(record, id, hint);
        }
        if self.table.damage.early_look() { self.table.damage.judge() } else { Ok(()) }
    }

    /// A row whose identity is not a plain 18-character number.
    fn odd_row(&mut self, record: &Record<'_>, id: &[u8], hint: Hint) {
        let Some(text) = self.stage.field(id) else {
            self.run.counts.quarantine("undecodable");
            return;
        };
        let (outcome, normalised) = subject::read(&text, hint);
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
        if let ([.., a, b, c, d], 18) = (digits.as_slice(), digits.len()) {
            self.table.damage.digits([*a, *b, *c, *d]);
        }
        match outcome {
            Outcome::NotPersonal => self.run.counts.not_personal += 1,
            Outcome::Quarantine(reason) => {
                self.table.damage.quarantined(reason, record.line);
                self.run.counts.quarantine(reason.name());
            }
            Outcome::Subjects((first, second)) => {
                self.table.damage.valid();
                self.run.counts.valid += 1;
                self.run.counts.normalise(normalised);
                let mut entries: Vec<(Token, Entry)> = Vec::new();
                for subject in [Some(first), second].into_iter().flatten() {
                    let token = self.run.prf.token(&subject);
                    let entry = self.run.lookup.find(&token).copied();
                    // Both readings of an old number may stand in one slot: the row counts once there.
                    if let Some(entry) = entry
                        && !entries.iter().any(|(_, e)| e.slot == entry.slot)
                    {
                        entries.push((token, entry));
                    }
                }
                if !entries.is_empty() {
                    self.found(record, &entries);
                }
            }
        }
    }

    /// A row of someone on the roster.
    fn found(&mut self, record: &Record<'_>, entries: &[(Token, Entry)]) {
        let assets = self.assets(record);
        let name = self.table.layout.columns.name.map(|i| self.stage.field_lossy(record.field(i)));
        let name = name.and_then(|name| Name::read(&name));
        for (token, entry) in entries {
            let ours = NameTags { folded: entry.folded_tag, exact: [entry.exact_tag] };
            let theirs = name.as_ref().map(|name| self.run.prf.name_tags(token, name));
            self.run.findings.add(entry.slot, entry.ordinal, ours.compare(theirs), &assets);
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
            Cell::Empty => self.run.default_kind,
            Cell::Unreadable => {
                notes |= note::PRODUCT_UNKNOWN;
                AssetKind::Other
            }
        };
        let currency = match cell::currency(&text(columns.currency).unwrap_or_default()) {
            Cell::Value(currency) => currency,
            Cell::Empty => self.run.currency.unwrap_or(Currency::CNY),
            Cell::Unreadable => {
                notes |= note::CURRENCY_UNKNOWN;
                Currency::UNKNOWN
            }
        };
        let date = match cell::date(&text(columns.balance_date).unwrap_or_default()) {
            Cell::Empty => self.run.balance_date.map_or(Cell::Empty, |d| Cell::Value(d.number())),
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
                self.run.counts.warn("amount_unreadable");
            }
            if asset.notes & note::CURRENCY_UNKNOWN != 0 {
                self.run.counts.warn("currency_unknown");
            }
            match asset.date {
                Cell::Unreadable => self.run.counts.warn("date_unreadable"),
                Cell::Value(date) => {
                    let old =
                        Date::from_number(date).is_some_and(|d| self.run.as_of.days() - d.days() > OLD_DAYS);
                    if old {
                        self.run.counts.warn("balance_date_old");
                    }
                }
                Cell::Empty => {}
            }
            if asset.notes & note::PRODUCT_UNKNOWN != 0 {
                self.run.counts.warn("product_unknown");
                let name = columns.product.map(|i| self.stage.field_lossy(record.field(i)).trim().to_owned());
                if let Some(name) = name
                    && self.run.counts.unknown_products.len() < 20
                    && !self.run.counts.unknown_products.contains(&name)
                {
                    self.run.counts.unknown_products.push(name);
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
