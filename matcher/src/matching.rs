//! One run over an institution's files: rows in, findings and counts out (SPEC §5.2–§5.5).

use protocol::agreement::AgreementInForce;
use protocol::coverage::{Coverage, FileCount};
use protocol::joining::InstitutionKind;
use protocol::roster::AcceptedRoster;
use protocol::slot::AssetKind;
use protocol::token::Prf;
use rows::{CutError, Cutter, Flow, Lookup, Short};

use crate::counts::{Counts, Progress, Warning};
use crate::error::ModuleError;
use crate::findings::Findings;
use crate::layout::{self, Layout, TableOptions};
use crate::row::{Defaults, Known, Table, TableRows, Yield};
use crate::text::{self, SAMPLE_BYTES, Stage};

/// The run.
pub struct Matching {
    known: Known,
    defaults: Defaults,
    options: TableOptions,
    harvest: Yield,
    file: Option<File>,
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

impl Matching {
    /// A run for a roster that was accepted.
    pub fn new(
        roster: &AcceptedRoster,
        agreement: &AgreementInForce,
        prf: Prf,
        options: TableOptions,
    ) -> Self {
        let kind = match agreement.terms.institution.kind {
            InstitutionKind::Bank | InstitutionKind::Payment => AssetKind::Deposit,
            InstitutionKind::Securities => AssetKind::Cash,
            InstitutionKind::Insurance => AssetKind::Insurance,
            InstitutionKind::Department => AssetKind::Other,
        };
        let (currency, balance_date) = (options.currency, options.balance_date);
        Self {
            known: Known { lookup: Lookup::new(roster.entries.clone()), prf },
            defaults: Defaults { kind, currency, balance_date, as_of: roster.roster.as_of },
            options,
            harvest: Yield { findings: Findings::new(&roster.roster), counts: Counts::default() },
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
    pub fn finish(mut self) -> Result<(Coverage, Vec<Warning>, Vec<String>, Findings), ModuleError> {
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
        Ok((coverage, warnings, counts.unknown_products, self.harvest.findings))
    }

    /// Rows so far.
    pub fn progress(&self) -> Progress {
        Progress {
            rows: self.harvest.counts.rows,
            valid: self.harvest.counts.valid,
            quarantined: self.harvest.counts.quarantined.values().sum(),
        }
    }

    /// Finds out how a file lies and reads the rows of its first bytes.
    fn begin(&mut self, sample: &[u8], complete: bool) -> Result<Box<Flowing>, ModuleError> {
        let layout = Layout::find(sample, complete, &self.options)?;
        let body = text::without_mark(layout.encoding, sample);
        let mut flow = Box::new(Flowing {
            stage: Stage::new(layout.encoding, layout.delimiter),
            cutter: Cutter::new(layout.delimiter),
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
        let mut short = table.short(known);
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
            (None, Ok(_)) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
