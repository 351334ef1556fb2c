//! A customer file: cut anywhere, whole, and row by row on both ways.

use matcher::counts::Warning;
use matcher::error::ModuleError;
use matcher::keys;
use matcher::layout::TableOptions;
use matcher::matching::{Finished, Matching};
use matcher::preview;
use protocol::answer_seal::Slots as _;
use protocol::coverage::Coverage;
use protocol::roster::{Entry, Level};
use protocol::slot::{self, Slot};
use protocol::subject::{self, ResidentNumber};
use rows::{CutError, Cutter, Flow, Lookup, Record, Rest, Short};
use std::ops::ControlFlow;

use crate::input::Input;
use crate::world;

/// Options, the length of a chunk, then the file. The low bits of the first byte choose: a file as it stands, one
/// with options, one behind so many rows that the short way is open, or the rows alone.
///
/// # Panics
/// When the cuts or the way of a row change anything.
pub fn customer_file(data: &[u8]) {
    let mut input = Input(data);
    let first = input.byte();
    let chunk = usize::from(input.byte()) + 1;
    let level = [Level::L0, Level::L1, Level::L2][usize::from(first >> 4) % 3];
    // Bit 7 makes mode 2, which is slow, rare.
    match (first & 3, first >> 7) {
        (1, _) => {
            let json = input.piece();
            let Ok(options) = keys::options::<TableOptions>(json) else { return };
            session(input.0, chunk, level, &options);
        }
        (2, 1) => {
            let file = [BEGINNING.with(|rows| rows.clone()).as_bytes(), input.0].concat();
            session(&file, chunk, level, &TableOptions::default());
        }
        (3, _) => row_by_row(input.0, chunk),
        _ => session(input.0, chunk, level, &TableOptions::default()),
    }
}

thread_local! {
    /// More rows than are looked at closely, so that the short way is open behind them.
    static BEGINNING: String = {
        let rows = (0..2_100).map(|i| format!("某人,身份证,11010519491231002X,6217{i:04},{i}.25,2026-10-31\n"));
        std::iter::once("姓名,证件类型,证件号码,账号,余额,日期\n".to_owned()).chain(rows).collect()
    };
}

fn session(file: &[u8], chunk: usize, level: Level, options: &TableOptions) {
    let whole = run(file, usize::MAX, level, options);
    assert_eq!(run(file, chunk, level, options), whole, "cuts change something");
    let shown = preview::preview(file, options);
    if let Ok((coverage, ..)) = &whole {
        let aside: u64 = coverage.quarantined.values().sum();
        assert_eq!(coverage.rows, coverage.valid + coverage.not_personal + aside, "every row is placed");
        let padded = coverage.encode().unwrap();
        assert_eq!(Coverage::decode(&padded).as_ref(), Ok(coverage));
        assert!(shown.is_ok(), "what is matched can be looked at");
    }
}

type Outcome = Result<(Coverage, Vec<Warning>, Vec<String>, Vec<Vec<u8>>), ModuleError>;

fn run(file: &[u8], chunk: usize, level: Level, options: &TableOptions) -> Outcome {
    let roster = world::roster(level);
    let agreement = world::in_force(roster.roster.agreement);
    let mut matching = Matching::new(&roster, &agreement, world::prf(), options.clone())?;
    for piece in file.chunks(chunk) {
        matching.push(piece)?;
    }
    let Finished { coverage, warnings, unknown_products, slots, .. } = matching.finish()?;
    let written = (0..4).map(|index| {
        let mut slot = vec![0; slot::size(level)];
        slots.write(index, &mut slot);
        Slot::decode(level, &slot).expect("whatever is found can be read");
        slot
    });
    Ok((coverage, warnings, unknown_products, written.collect()))
}

/// The cutter with the short way in one piece, and without it in chunks: the same people on the same lines.
fn row_by_row(file: &[u8], chunk: usize) {
    let roster = world::roster(Level::L0);
    let lookup = Lookup::new(roster.entries).unwrap();
    let prf = world::prf();
    let table = Table { prf: &prf, lookup: &lookup };
    let mut seen = [Seen::new(table), Seen::new(table)];
    let [short_way, long_way] = &mut seen;

    let mut short = Short::new(&prf, &lookup, WIDTH, ID, Some(KIND), 0);
    let mut cutter = Cutter::new(b',');
    let fed = cutter.feed(file, Some(&mut short), short_way);
    short_way.ended = fed.and_then(|_| cutter.end(short_way)).err();
    short_way.valid += short.tally().rows;

    let mut cutter = Cutter::new(b',');
    let fed = file.chunks(chunk).try_for_each(|piece| cutter.feed(piece, None, long_way).map(drop));
    long_way.ended = fed.and_then(|()| cutter.end(long_way)).err();

    let [short_way, long_way] = seen;
    assert_eq!(short_way.ended, long_way.ended);
    assert_eq!((short_way.valid, short_way.sorted()), (long_way.valid, long_way.sorted()), "the ways differ");
}

/// Fields of a row, and where its document kind and number are.
const WIDTH: usize = 3;
const KIND: usize = 0;
const ID: usize = 1;

#[derive(Clone, Copy)]
struct Table<'a> {
    prf: &'a protocol::token::Prf,
    lookup: &'a Lookup,
}

/// What came of the rows.
struct Seen<'a> {
    table: Table<'a>,
    valid: u64,
    found: Vec<(u64, u32)>,
    ended: Option<CutError>,
}

impl<'a> Seen<'a> {
    fn new(table: Table<'a>) -> Self {
        Self { table, valid: 0, found: Vec::new(), ended: None }
    }

    /// People of the short way are looked up four at a time, after rows that came later.
    fn sorted(&self) -> Vec<(u64, u32)> {
        let mut found = self.found.clone();
        found.sort_unstable();
        found
    }
}

impl Rest for Seen<'_> {
    fn record(&mut self, record: &Record<'_>) -> Flow {
        let number = subject::read_plain(record.field(ID));
        if record.width() == WIDTH
            && self.is_for_short(record.field(KIND))
            && let Some(number) = number
        {
            self.valid += 1;
            if let Some(entry) = self.table.lookup.find(&self.table.prf.resident_token(number)) {
                self.found.push((record.line, entry.slot));
            }
        }
        ControlFlow::Continue(())
    }

    fn is_for_short(&mut self, kind: &[u8]) -> bool {
        kind != b"x"
    }

    fn sampled(&mut self, _: &ResidentNumber) -> u64 {
        0
    }

    fn found(&mut self, record: &Record<'_>, entry: &Entry) {
        assert_eq!(record.width(), WIDTH);
        self.found.push((record.line, entry.slot));
    }
}
