//! One run over an institution's files: rows in, findings and counts out (SPEC §5.2–§5.5).

use protocol::agreement::AgreementInForce;
use protocol::coverage::{Coverage, FileCount};
use protocol::joining::InstitutionKind;
use protocol::roster::{AcceptedRoster, Roster};
use protocol::slot::AssetKind;
use protocol::token::Prf;
use rows::{CutError, Cutter, Flow, Lookup, Short};

use crate::counts::{Counts, Progress, Warning};
use crate::error::ModuleError;
use crate::findings::{ClearSlots, Findings};
use crate::layout::{self, Layout, TableOptions};
use crate::part::{Beside, PartHead, PartTaker};
use crate::row::{Defaults, Known, Table, TableRows, Yield};
use crate::set_aside::SetAside;
use crate::text::{self, SAMPLE_BYTES, Stage};

/// Rows of a full sheet, heading and titles included: a table that ends here was cut (BIFF8, and XLSX).
const FULL_SHEETS: [u64; 2] = [65_536, 1_048_576];

/// The run.
pub struct Matching {
    known: Known,
    defaults: Defaults,
    options: TableOptions,
    harvest: Yield,
    file: Option<File>,
    /// A part that is being taken over.
    taker: Option<PartTaker>,
    roster: Roster,
}

/// What a run gives.
pub struct Finished {
    /// What was looked at.
    pub coverage: Coverage,
    /// What the person at the page should know.
    pub warnings: Vec<Warning>,
    /// Product cells of early rows that are not known.
    pub unknown_products: Vec<String>,
    /// The rows that were set aside.
    pub set_aside: SetAside,
    /// The slots.
    pub slots: ClearSlots,
}

/// The file that is being read.
enum File {
    /// Not enough bytes yet to know how it lies.
    Sampling { bytes: Vec<u8> },
    /// Rows flow.
    Flowing(Box<Flowing>),
}

struct Flowing {
    stage: Stage,
    cutter: Cutter,
    table: Table,
    bytes: u64,
}

impl Flowing {
    /// Whether what follows may be read in parts: the beginning has been looked at, and a line break is a line break
    /// wherever one begins to read.
    fn may_split(&self) -> bool {
        self.stage.is_plain() && self.table.is_under_way()
    }
}

fn part_order() -> ModuleError {
    ModuleError::new("part_order", "part", "a part can't be begun, ended or taken over here")
}

impl Matching {
    /// A run for a roster that was accepted.
    ///
    /// # Errors
    /// `malformed` for a roster whose tokens were chosen to make looking them up slow.
    pub fn new(
        roster: &AcceptedRoster,
        agreement: &AgreementInForce,
        prf: Prf,
        options: TableOptions,
    ) -> Result<Self, ModuleError> {
        let lookup = Lookup::new(roster.entries.clone()).ok_or_else(|| {
            ModuleError::new("malformed", "roster.entries", "the roster's tokens are not those of a PRF")
        })?;
        let kind = match agreement.terms.institution.kind {
            InstitutionKind::Bank | InstitutionKind::Payment => AssetKind::Deposit,
            InstitutionKind::Securities => AssetKind::Cash,
            InstitutionKind::Insurance => AssetKind::Insurance,
            InstitutionKind::Department => AssetKind::Other,
        };
        let (currency, balance_date) = (options.currency, options.balance_date);
        Ok(Self {
            known: Known { lookup, prf },
            defaults: Defaults { kind, currency, balance_date, as_of: roster.roster.as_of },
            options,
            harvest: Yield { findings: Findings::new(&roster.roster), counts: Counts::default() },
            file: None,
            taker: None,
            roster: roster.roster.clone(),
        })
    }

    /// Takes the next chunk of the current file.
    ///
    /// # Errors
    /// What is wrong with the file; the run is then over.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ModuleError> {
        if chunk.is_empty() {
            return Ok(());
        }
        if self.taker.is_some() {
            return Err(part_order());
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

    /// Reads the next file by settings of its own.
    ///
    /// # Errors
    /// `bad_option` for another balance date: there is one in the coverage statement.
    pub fn read_next_as(&mut self, options: TableOptions) -> Result<(), ModuleError> {
        if options.balance_date != self.options.balance_date {
            return Err(ModuleError::new("bad_option", "balance_date", "one balance date for all files"));
        }
        self.defaults.currency = options.currency;
        self.options = options;
        Ok(())
    }

    /// Ends the current file and makes the clear slots ready; the next chunk begins another file.
    ///
    /// # Errors
    /// What is wrong with the file as a whole.
    pub fn end_file(&mut self) -> Result<(), ModuleError> {
        if self.taker.is_some() {
            return Err(part_order());
        }
        let mut flow = match self.file.take() {
            Some(File::Flowing(flow)) => flow,
            Some(File::Sampling { bytes }) => self.begin(&bytes, true)?,
            None => return Ok(()),
        };
        self.flow_end(&mut flow)?;
        flow.table.damage.judge()?;
        if flow.table.rows == 0 {
            return Err(ModuleError::new("empty_file", "file", "no rows below the heading"));
        }
        self.harvest.counts.files.push(FileCount { bytes: flow.bytes, rows: flow.table.rows });
        self.harvest.counts.encoding = Some(flow.table.layout.encoding);
        self.harvest.counts.grain = flow.table.layout.grain;
        for role in &flow.table.layout.columns.roles {
            layout::insert_once(&mut self.harvest.counts.columns, role.clone());
        }
        let records = u64::try_from(flow.table.layout.data_from).unwrap_or(0) + flow.table.rows;
        if FULL_SHEETS.contains(&records) {
            self.harvest.counts.warn("sheet_full");
        }
        if flow.table.layout.columns.balance_date.is_none() && self.options.balance_date.is_none() {
            self.harvest.counts.warn("no_balance_date");
        }
        if flow.table.layout.columns.amounts.is_empty() {
            self.harvest.counts.warn("no_amount_column");
        }
        if flow.table.layout.columns.name.is_none() {
            self.harvest.counts.warn("no_name_column");
        }
        self.harvest.findings.close();
        Ok(())
    }

    /// Ends the run.
    ///
    /// # Errors
    /// `empty_file` when no file was read, and those of [`Matching::end_file`].
    pub fn finish(mut self) -> Result<Finished, ModuleError> {
        self.end_file()?;
        let counts = self.harvest.counts;
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
        Ok(Finished {
            coverage,
            warnings,
            unknown_products: counts.unknown_products,
            set_aside: counts.set_aside,
            slots: self.harvest.findings.into_slots(),
        })
    }

    /// Rows so far.
    pub fn progress(&self) -> Progress {
        let may_split = matches!(&self.file, Some(File::Flowing(flow)) if flow.may_split());
        Progress {
            rows: self.harvest.counts.rows,
            valid: self.harvest.counts.valid,
            quarantined: self.harvest.counts.quarantined.values().sum(),
            may_split,
        }
    }

    /// Begins a part of a file: `sample` is the beginning of the file, as the other instance was given it.
    ///
    /// # Errors
    /// Those of [`Layout::find`], and `part_order` when a file is open.
    pub fn begin_part(&mut self, sample: &[u8]) -> Result<(), ModuleError> {
        if self.file.is_some() || self.harvest.counts.rows > 0 || sample.len() < SAMPLE_BYTES {
            return Err(part_order());
        }
        let layout = Layout::find(sample.get(..SAMPLE_BYTES).unwrap_or(sample), false, &self.options)?;
        let flow = Flowing {
            stage: Stage::new(layout.encoding, layout.delimiter),
            cutter: Cutter::new(layout.delimiter.byte()),
            table: Table::of_part(layout),
            bytes: 0,
        };
        if !flow.may_split() {
            return Err(part_order());
        }
        self.file = Some(File::Flowing(Box::new(flow)));
        Ok(())
    }

    /// Ends a part: what was counted and found in it. `last` says that the file ends with it.
    ///
    /// # Errors
    /// `part_order` when no part is open, and what is wrong with the file's end.
    pub fn end_part(&mut self, last: bool) -> Result<(PartHead, Beside, Findings), ModuleError> {
        let Some(File::Flowing(mut flow)) = self.file.take() else { return Err(part_order()) };
        if !flow.table.is_part || self.taker.is_some() {
            return Err(part_order());
        }
        if last {
            self.flow_end(&mut flow)?;
        }
        let counts = std::mem::take(&mut self.harvest.counts);
        let findings = std::mem::replace(&mut self.harvest.findings, Findings::new(&self.roster));
        let head = PartHead {
            at_border: flow.cutter.at_border(),
            bytes: flow.bytes,
            damage: flow.table.damage.clone(),
            line_feeds: flow.cutter.line_feeds(),
            normalised: counts.normalised,
            not_personal: counts.not_personal,
            quarantined: counts.quarantined,
            rows: counts.rows,
            skipped: counts.skipped,
            valid: counts.valid,
        };
        Ok((head, Beside { set_aside: counts.set_aside, density: counts.density }, findings))
    }

    /// Takes the next piece of another instance's part. The outer result is `part_border` when the part does not
    /// join on: nothing has changed then, and the stretch may be pushed instead.
    ///
    /// # Errors
    /// `part_broken`; the run is then over.
    pub fn take_over(
        &mut self,
        piece: &[u8],
        open: impl FnOnce(&[u8]) -> Result<(PartTaker, PartHead, Beside), ModuleError>,
    ) -> Result<Result<(), ModuleError>, ModuleError> {
        if let Some(mut taker) = self.taker.take() {
            if !taker.add(piece, &mut self.harvest.findings)? {
                self.taker = Some(taker);
            }
            return Ok(Ok(()));
        }
        let Some(File::Flowing(flow)) = &mut self.file else { return Err(part_order()) };
        let (taker, head, beside) = open(piece)?;
        if !(head.at_border && flow.may_split() && flow.cutter.at_border()) {
            let message = "the part does not begin and end between two records";
            return Ok(Err(ModuleError::new("part_border", "part", message)));
        }
        flow.table.add(&head, flow.cutter.line_feeds());
        let file = self.harvest.counts.file();
        self.harvest.counts.set_aside.append(&beside.set_aside, file, flow.cutter.line_feeds());
        flow.cutter.skip_lines(head.line_feeds);
        flow.bytes += head.bytes;
        self.harvest.counts.add(&head);
        self.harvest.counts.density.append(&beside.density);
        self.harvest.counts.judge_density()?;
        self.taker = Some(taker);
        Ok(Ok(()))
    }

    /// Finds out how a file lies and reads the rows of its first bytes.
    fn begin(&mut self, sample: &[u8], complete: bool) -> Result<Box<Flowing>, ModuleError> {
        let layout = Layout::find(sample, complete, &self.options)?;
        let body = text::without_mark(layout.encoding, sample);
        let mut flow = Box::new(Flowing {
            stage: Stage::new(layout.encoding, layout.delimiter),
            cutter: Cutter::new(layout.delimiter.byte()),
            table: Table::new(layout),
            bytes: u64::try_from(sample.len() - body.len()).unwrap_or(0),
        });
        self.flow(&mut flow, body)?;
        Ok(flow)
    }

    fn flow(&mut self, flow: &mut Flowing, chunk: &[u8]) -> Result<(), ModuleError> {
        let Flowing { stage, cutter, table, bytes } = flow;
        *bytes += u64::try_from(chunk.len()).unwrap_or(0);
        let text = stage.next(chunk, false);
        self.rows(table, stage, |short, rows| cutter.feed(&text, short, rows))
    }

    fn flow_end(&mut self, flow: &mut Flowing) -> Result<(), ModuleError> {
        let Flowing { stage, cutter, table, .. } = flow;
        let tail = stage.next(&[], true).into_owned();
        self.rows(table, stage, |short, rows| cutter.feed(&tail, short, rows))?;
        self.rows(table, stage, |_, rows| cutter.end(rows))
    }

    /// Lets `cut` hand its rows over, and counts those that went the short way.
    fn rows(
        &mut self,
        table: &mut Table,
        stage: &Stage,
        cut: impl FnOnce(Option<&mut Short<'_>>, &mut TableRows<'_>) -> Result<Flow, CutError>,
    ) -> Result<(), ModuleError> {
        let Self { known, defaults, harvest, .. } = self;
        let mut short = table.short(known, harvest.counts.density.mask());
        let mut rows = TableRows { known, defaults, stage, table, harvest, refused: None };
        let done = cut(short.as_mut(), &mut rows);
        let refused = rows.refused;
        if let Some(short) = short {
            let tally = short.tally();
            harvest.counts.rows += tally.rows;
            harvest.counts.valid += tally.rows;
            table.count(&tally);
        }
        match (refused, done) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(_)) if table.is_part => Ok(()), // the leader judges, over all that was read
            (None, Ok(_)) => harvest.counts.judge_density(),
        }
    }
}

#[cfg(test)]
mod tests;
