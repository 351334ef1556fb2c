//! One run over an institution's files: rows in, findings and counts out (SPEC §5.2–§5.5).

use std::collections::BTreeMap;

use protocol::agreement::AgreementInForce;
use protocol::clean::NormalisedSet;
use protocol::coverage::{Coverage, Encoding, FileCount, Grain};
use protocol::joining::InstitutionKind;
use protocol::name::Name;
use protocol::roster::{AcceptedRoster, Entry};
use protocol::slot::{ACCOUNT_BYTES, AssetKind, PRODUCT_BYTES, Status, cut_text, note};
use protocol::subject::{self, Hint, Kind, Outcome};
use protocol::token::{NameTags, Prf, Token};
use protocol::value::{Currency, Date};

use crate::cell::{self, Cell};
use crate::damage::Damage;
use crate::error::ModuleError;
use crate::findings::{Asset, Findings};
use crate::layout::{self, Layout, TableOptions};
use crate::lookup::Lookup;
use crate::records::{Record, Records};
use crate::text::{self, SAMPLE_BYTES, Stage};

/// Rows whose other columns are looked at whether they match or not, to warn of columns that can't be read.
const LOOKED_AT: u64 = 2_000;

/// A balance date this many days before the as-of date is warned about.
const OLD_DAYS: i64 = 92;

/// The run.
pub struct Matching {
    lookup: Lookup,
    prf: Prf,
    findings: Findings,
    options: TableOptions,
    default_kind: AssetKind,
    as_of: Date,
    counts: Counts,
    file: Option<File>,
}

/// What is counted over all files.
#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    valid: u64,
    not_personal: u64,
    normalised: BTreeMap<String, u64>,
    quarantined: BTreeMap<String, u64>,
    skipped: BTreeMap<String, u64>,
    warnings: BTreeMap<String, u64>,
    unknown_products: Vec<String>,
    files: Vec<FileCount>,
    columns: Vec<String>,
    encoding: Option<Encoding>,
    grain: Grain,
}

/// The file that is being read.
enum File {
    /// Not enough bytes yet to know how it lies.
    Sampling { bytes: Vec<u8> },
    /// Rows flow.
    Flowing(Box<Flow>),
}

struct Flow {
    layout: Layout,
    stage: Stage,
    records: Records,
    damage: Damage,
    bytes: u64,
    seen_records: usize,
    rows: u64,
    last_hint: (Vec<u8>, Hint),
}

protocol::json_reply! {
    /// Rows so far, for progress.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Progress {
        /// Data rows read.
        pub rows: u64,
        /// Rows with a valid subject.
        pub valid: u64,
        /// Rows set aside.
        pub quarantined: u64,
    }
}

protocol::json_reply! {
    /// A warning for the page's dictionary.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Warning {
        /// Stable code.
        pub code: String,
        /// How often.
        pub count: u64,
    }
}

impl Matching {
    /// A run for a roster that was accepted.
    pub fn new(
        roster: &AcceptedRoster,
        agreement: &AgreementInForce,
        prf: Prf,
        options: TableOptions,
    ) -> Self {
        let default_kind = match agreement.terms.institution.kind {
            InstitutionKind::Bank | InstitutionKind::Payment => AssetKind::Deposit,
            InstitutionKind::Securities => AssetKind::Cash,
            InstitutionKind::Insurance => AssetKind::Insurance,
            InstitutionKind::Department => AssetKind::Other,
        };
        Self {
            lookup: Lookup::new(roster.entries.clone()),
            prf,
            findings: Findings::new(&roster.roster),
            options,
            default_kind,
            as_of: roster.roster.as_of,
            counts: Counts::default(),
            file: None,
        }
    }

    /// Takes the next chunk of the current file.
    ///
    /// # Errors
    /// What is wrong with the file; the run is then over.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ModuleError> {
        if chunk.is_empty() {
            return Ok(());
        }
        match self.file.take() {
            Some(File::Flowing(mut flow)) => {
                self.flow(&mut flow, chunk)?;
                self.file = Some(File::Flowing(flow));
            }
            earlier => {
                let mut bytes = match earlier {
                    Some(File::Sampling { bytes }) => bytes,
                    _ => Vec::new(),
                };
                let room = SAMPLE_BYTES.saturating_sub(bytes.len()).min(chunk.len());
                let (sampled, rest) = chunk.split_at(room);
                bytes.extend_from_slice(sampled);
                if bytes.len() < SAMPLE_BYTES {
                    self.file = Some(File::Sampling { bytes });
                } else {
                    let mut flow = self.begin(&bytes, false)?;
                    if !rest.is_empty() {
                        self.flow(&mut flow, rest)?;
                    }
                    self.file = Some(File::Flowing(flow));
                }
            }
        }
        Ok(())
    }

    /// Ends the current file and makes the clear slots ready; the next chunk begins another file.
    ///
    /// # Errors
    /// What is wrong with the file as a whole.
    pub fn end_file(&mut self) -> Result<(), ModuleError> {
        let mut flow = match self.file.take() {
            Some(File::Flowing(flow)) => flow,
            Some(File::Sampling { bytes }) => self.begin(&bytes, true)?,
            None => return Ok(()),
        };
        self.flow_end(&mut flow)?;
        flow.damage.judge()?;
        if flow.rows == 0 {
            return Err(ModuleError::new("empty_file", "file", "no rows below the heading"));
        }
        self.counts.files.push(FileCount { bytes: flow.bytes, rows: flow.rows });
        self.counts.encoding = Some(flow.layout.encoding);
        self.counts.grain = flow.layout.grain;
        for role in &flow.layout.columns.roles {
            layout::insert_once(&mut self.counts.columns, role.clone());
        }
        if flow.layout.columns.balance_date.is_none() && self.options.balance_date.is_none() {
            self.counts.warn("no_balance_date");
        }
        if flow.layout.columns.amounts.is_empty() {
            self.counts.warn("no_amount_column");
        }
        if flow.layout.columns.name.is_none() {
            self.counts.warn("no_name_column");
        }
        self.findings.close();
        Ok(())
    }

    /// Ends the run.
    ///
    /// # Errors
    /// `empty_file` when no file was read, and those of [`Matching::end_file`].
    pub fn finish(mut self) -> Result<(Coverage, Vec<Warning>, Vec<String>, Findings), ModuleError> {
        self.end_file()?;
        let counts = self.counts;
        let Some(encoding) = counts.encoding else {
            return Err(ModuleError::new("empty_file", "file", "no file was given"));
        };
        let warnings = counts.warnings.into_iter().map(|(code, count)| Warning { code, count }).collect();
        let coverage = Coverage {
            balance_date: self.options.balance_date,
            columns: counts.columns,
            encoding,
            files: counts.files,
            grain: counts.grain,
            normalised: counts.normalised,
            not_personal: counts.not_personal,
            quarantined: counts.quarantined,
            rows: counts.rows,
            skipped: counts.skipped,
            valid: counts.valid,
        };
        Ok((coverage, warnings, counts.unknown_products, self.findings))
    }

    /// Rows so far.
    pub fn progress(&self) -> Progress {
        Progress {
            rows: self.counts.rows,
            valid: self.counts.valid,
            quarantined: self.counts.quarantined.values().sum(),
        }
    }

    /// Finds out how a file lies and reads the rows of its first bytes.
    fn begin(&mut self, sample: &[u8], complete: bool) -> Result<Box<Flow>, ModuleError> {
        let layout = Layout::find(sample, complete, &self.options)?;
        let mut flow = Box::new(Flow {
            stage: Stage::new(layout.encoding, layout.delimiter),
            records: Records::new(layout.delimiter),
            damage: Damage::default(),
            bytes: 0,
            seen_records: 0,
            rows: 0,
            last_hint: (Vec::new(), Hint::None),
            layout,
        });
        let mark = sample.len() - text::without_mark(flow.layout.encoding, sample).len();
        flow.bytes = u64::try_from(mark).unwrap_or(0);
        self.flow(&mut flow, sample.get(mark..).unwrap_or_default())?;
        Ok(flow)
    }

    fn flow(&mut self, flow: &mut Flow, chunk: &[u8]) -> Result<(), ModuleError> {
        let Flow { layout, stage, records, damage, bytes, seen_records, rows, last_hint } = flow;
        *bytes += u64::try_from(chunk.len()).unwrap_or(0);
        let text = stage.next(chunk, false);
        if text.is_empty() {
            return Ok(());
        }
        let stage = &*stage;
        let mut view = View { layout, stage, damage, seen_records, rows, last_hint };
        records.feed(&text, |record| self.record(&mut view, record))
    }

    fn flow_end(&mut self, flow: &mut Flow) -> Result<(), ModuleError> {
        let Flow { layout, stage, records, damage, seen_records, rows, last_hint, .. } = flow;
        let tail = stage.next(&[], true).into_owned();
        let stage = &*stage;
        let mut view = View { layout, stage, damage, seen_records, rows, last_hint };
        if !tail.is_empty() {
            records.feed(&tail, |record| self.record(&mut view, record))?;
        }
        records.end(|record| self.record(&mut view, record))
    }

    /// One record: heading, footer, or a data row.
    fn record(&mut self, view: &mut View<'_>, record: &Record<'_>) -> Result<(), ModuleError> {
        *view.seen_records += 1;
        if *view.seen_records <= view.layout.data_from {
            return Ok(());
        }
        if record.fields().all(|f| f.trim_ascii().is_empty()) {
            self.counts.skip("blank");
            return Ok(());
        }
        if layout::is_heading(&view.layout.heading, record) {
            self.counts.skip("repeated_header");
            return Ok(());
        }
        let ragged = record.width() < view.layout.width
            || (view.layout.width..record.width()).any(|i| !record.field(i).trim_ascii().is_empty());
        let id = record.field(view.layout.columns.id_number);
        if (ragged || id.iter().filter(|b| b.is_ascii_digit()).count() < 6)
            && is_footer(view.stage, record, id)
        {
            self.counts.skip("footer");
            return Ok(());
        }
        self.counts.rows += 1;
        *view.rows += 1;
        if ragged {
            self.counts.quarantine("ragged");
            return Ok(());
        }
        if *view.rows <= LOOKED_AT {
            self.look(view, record);
        }
        self.row(view, record, id)
    }

    /// A full row: its identity, and when that is on the roster, the rest.
    fn row(&mut self, view: &mut View<'_>, record: &Record<'_>, id: &[u8]) -> Result<(), ModuleError> {
        let hint = view.hint(record);
        if let Some(number) = subject::read_plain(id).filter(|_| hint != Hint::Company) {
            if let [.., a, b, c, d @ b'0'..=b'9'] = *number {
                view.damage.digits([a, b, c, d]);
            }
            view.damage.valid();
            self.counts.valid += 1;
            let token = self.prf.token_of(Kind::Resident, number);
            if let Some(entry) = self.lookup.find(&token).copied() {
                self.found(view, record, &[(token, entry)]);
            }
        } else {
            self.odd_row(view, record, id, hint);
        }
        if view.damage.early_look() { view.damage.judge() } else { Ok(()) }
    }

    /// A row whose identity is not a plain 18-character number.
    fn odd_row(&mut self, view: &mut View<'_>, record: &Record<'_>, id: &[u8], hint: Hint) {
        let Some(text) = view.stage.field(id) else {
            self.counts.quarantine("undecodable");
            return;
        };
        let (outcome, normalised) = subject::read(&text, hint);
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
        if let ([.., a, b, c, d], 18) = (digits.as_slice(), digits.len()) {
            view.damage.digits([*a, *b, *c, *d]);
        }
        match outcome {
            Outcome::NotPersonal => self.counts.not_personal += 1,
            Outcome::Quarantine(reason) => {
                view.damage.quarantined(reason, record.line);
                self.counts.quarantine(reason.name());
            }
            Outcome::Subjects((first, second)) => {
                view.damage.valid();
                self.counts.valid += 1;
                self.counts.normalise(normalised);
                let mut entries: Vec<(Token, Entry)> = Vec::new();
                for subject in [Some(first), second].into_iter().flatten() {
                    let token = self.prf.token(&subject);
                    let entry = self.lookup.find(&token).copied();
                    // Both readings of an old number may stand in one slot: the row counts once there.
                    if let Some(entry) = entry
                        && !entries.iter().any(|(_, e)| e.slot == entry.slot)
                    {
                        entries.push((token, entry));
                    }
                }
                if !entries.is_empty() {
                    self.found(view, record, &entries);
                }
            }
        }
    }

    /// A row of someone on the roster.
    fn found(&mut self, view: &View<'_>, record: &Record<'_>, entries: &[(Token, Entry)]) {
        let assets = self.assets(view, record);
        let name = view.layout.columns.name.map(|i| view.stage.field_lossy(record.field(i)));
        let name = name.and_then(|name| Name::read(&name));
        for (token, entry) in entries {
            let ours = NameTags { folded: entry.folded_tag, exact: [entry.exact_tag] };
            let theirs = name.as_ref().map(|name| self.prf.name_tags(token, name));
            self.findings.add(entry.slot, entry.ordinal, ours.compare(theirs), &assets);
        }
    }

    /// What a row says of assets: one for each amount column that says something.
    fn assets(&self, view: &View<'_>, record: &Record<'_>) -> Vec<Asset> {
        let columns = &view.layout.columns;
        let text = |index: Option<usize>| index.map(|i| view.stage.field_lossy(record.field(i)));
        let mut notes = 0;
        let product_text = text(columns.product).unwrap_or_default();
        let product = match cell::product(&product_text) {
            Cell::Value(kind) => kind,
            Cell::Empty => self.default_kind,
            Cell::Unreadable => {
                notes |= note::PRODUCT_UNKNOWN;
                AssetKind::Other
            }
        };
        let currency = match cell::currency(&text(columns.currency).unwrap_or_default()) {
            Cell::Value(currency) => currency,
            Cell::Empty => self.options.currency.unwrap_or(Currency::CNY),
            Cell::Unreadable => {
                notes |= note::CURRENCY_UNKNOWN;
                Currency::UNKNOWN
            }
        };
        let date = match cell::date(&text(columns.balance_date).unwrap_or_default()) {
            Cell::Empty => self.options.balance_date.map_or(Cell::Empty, |d| Cell::Value(d.number())),
            date => date,
        };
        let accounts = match (view.layout.grain, text(columns.account_count)) {
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
            |index: usize, unit| cell::amount(&view.stage.field_lossy(record.field(index)), unit, currency);
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
    fn look(&mut self, view: &View<'_>, record: &Record<'_>) {
        let columns = &view.layout.columns;
        for asset in self.assets(view, record) {
            if asset.amount == Cell::Unreadable {
                self.counts.warn("amount_unreadable");
            }
            if asset.notes & note::CURRENCY_UNKNOWN != 0 {
                self.counts.warn("currency_unknown");
            }
            match asset.date {
                Cell::Unreadable => self.counts.warn("date_unreadable"),
                Cell::Value(date) => {
                    let old =
                        Date::from_number(date).is_some_and(|d| self.as_of.days() - d.days() > OLD_DAYS);
                    if old {
                        self.counts.warn("balance_date_old");
                    }
                }
                Cell::Empty => {}
            }
            if asset.notes & note::PRODUCT_UNKNOWN != 0 {
                self.counts.warn("product_unknown");
                let name = columns.product.map(|i| view.stage.field_lossy(record.field(i)).trim().to_owned());
                if let Some(name) = name
                    && self.counts.unknown_products.len() < 20
                    && !self.counts.unknown_products.contains(&name)
                {
                    self.counts.unknown_products.push(name);
                }
            }
        }
    }
}

/// The parts of a [`Flow`] that reading a record needs, apart from its cutter.
struct View<'a> {
    layout: &'a Layout,
    stage: &'a Stage,
    damage: &'a mut Damage,
    seen_records: &'a mut usize,
    rows: &'a mut u64,
    last_hint: &'a mut (Vec<u8>, Hint),
}

impl View<'_> {
    /// The row's document kind; most rows repeat the one before.
    fn hint(&mut self, record: &Record<'_>) -> Hint {
        let Some(index) = self.layout.columns.id_kind else { return Hint::None };
        let cell = record.field(index);
        if self.last_hint.0 != cell {
            self.last_hint.0 = cell.to_vec();
            self.last_hint.1 = Hint::read(&self.stage.field_lossy(cell));
        }
        self.last_hint.1
    }
}

impl Counts {
    fn quarantine(&mut self, reason: &str) {
        bump(&mut self.quarantined, reason);
    }

    fn skip(&mut self, what: &str) {
        bump(&mut self.skipped, what);
    }

    fn warn(&mut self, code: &str) {
        bump(&mut self.warnings, code);
    }

    fn normalise(&mut self, set: NormalisedSet) {
        for step in set.iter() {
            bump(&mut self.normalised, step.name());
        }
    }
}

fn bump(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
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
