//! Reading files: in chunks by one instance, or in parts by several (SPEC §10.1).
//!
//! The leader reads the beginning of a file, until it says that the rest may be split. The rest is cut behind line
//! breaks into stretches of about equal length; the leader reads the first, each helper one of the others, and
//! the leader takes over what the helpers found. A stretch whose part does not join on (a line break inside
//! quotes stood at the border), or whose helper refused it, is read by the leader itself: so the answer, and the refusal of
//! a bad file, are those of one instance. A helper that stops while it hands its part over ends the run.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use serde::Deserialize;

use crate::{Instance, RunError, ask, ask_json, op, request};

/// Bytes of a file that are handed over at a time.
pub const CHUNK: usize = 1 << 20;

/// Bytes of a file that tell how it lies: helpers are given them.
const SAMPLE: usize = 65_536;

/// A stretch is worth a helper from this length on, in bytes, and from four times as much as its part has.
const SHORTEST_STRETCH: u64 = 4 << 20;

/// How far a line break is looked for.
const LONGEST_LINE: usize = 1 << 17;

/// Pieces of a part that may wait for the leader.
const WAITING_PIECES: usize = 4;

/// What `open` says of the task's size.
#[derive(Debug, Clone, Deserialize)]
pub struct Task {
    slot_count: u64,
    level: String,
}

impl Task {
    /// Bytes from which a stretch of a file is worth a helper: what it finds travels at the roster's size (SPEC §10.1).
    fn shortest_stretch(&self) -> u64 {
        let slot = match self.level.as_str() {
            "L0" => 32,
            "L1" => 896,
            _ => 2_944,
        };
        SHORTEST_STRETCH.max(4 * slot * self.slot_count)
    }
}

/// What `push` and `take over` say.
#[derive(Deserialize)]
struct Progress {
    may_split: bool,
}

/// Lets `leader` read the file at `path`, and `helpers`, opened as it was, share the work. `told` hears how many bytes
/// have been read, from any thread.
///
/// # Errors
/// What the leader refuses the file for, and what can't be read.
pub fn read(
    leader: &mut (impl Instance + ?Sized),
    helpers: &mut Vec<impl Instance + Send>,
    task: &Task,
    path: &Path,
    told: &(dyn Fn(u64) + Sync),
) -> Result<(), RunError> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let shortest = task.shortest_stretch();
    let mut at = 0;
    loop {
        let Some(request) = chunk(&mut file, CHUNK)? else { return Ok(()) };
        let read = bytes(&request);
        let progress: Progress = ask_json(leader, request)?;
        at += read;
        told(read);
        if progress.may_split && !helpers.is_empty() && length.saturating_sub(at) >= 2 * shortest {
            break;
        }
    }
    let most = usize::try_from((length - at) / shortest).unwrap_or(usize::MAX);
    let stretches = stretches(&mut file, at..length, most.min(helpers.len() + 1))?;
    share(leader, helpers, path, &stretches, told)
}

/// Whether any of the files is so long that helpers are worth their opening.
pub fn are_worth_helpers(paths: &[impl AsRef<Path>], task: &Task) -> bool {
    let least = 4 * task.shortest_stretch();
    paths.iter().any(|path| path.as_ref().metadata().is_ok_and(|file| file.len() >= least))
}

/// Lets the leader read the first stretch and the helpers the others.
fn share(
    leader: &mut (impl Instance + ?Sized),
    helpers: &mut Vec<impl Instance + Send>,
    path: &Path,
    stretches: &[Range<u64>],
    told: &(dyn Fn(u64) + Sync),
) -> Result<(), RunError> {
    let Some((own, others)) = stretches.split_first() else { return Ok(()) };
    let last = others.len();
    let outcome: Result<Vec<bool>, RunError> = thread::scope(|scope| {
        let parts: Vec<_> = helpers
            .iter_mut()
            .zip(others)
            .enumerate()
            .map(|(number, (helper, stretch))| {
                let (pieces, taken) = sync_channel(WAITING_PIECES);
                let stretch = stretch.clone();
                let helping = {
                    let stretch = stretch.clone();
                    scope.spawn(move || help(helper, path, stretch, number + 1 == last, told, &pieces))
                };
                (stretch, taken, helping)
            })
            .collect();
        push(leader, path, own.clone(), told)?;
        let mut failed = Vec::new();
        for (stretch, taken, helping) in parts {
            if !take_over(leader, &taken)? {
                drop(taken); // a helper that still sends stops
                push(leader, path, stretch, &|_| {})?;
            }
            failed.push(!helping.join().is_ok_and(|helped| helped.is_ok()));
        }
        Ok(failed)
    });
    // A helper that failed has ended its session.
    let mut failed = outcome?.into_iter().chain(std::iter::repeat(false));
    helpers.retain(|_| !failed.next().unwrap_or(false));
    Ok(())
}

/// A helper's work on one stretch.
fn help(
    helper: &mut impl Instance,
    path: &Path,
    stretch: Range<u64>,
    last: bool,
    told: &dyn Fn(u64),
    pieces: &SyncSender<Vec<u8>>,
) -> Result<(), RunError> {
    let mut sample = Vec::new();
    File::open(path)?.take(SAMPLE as u64).read_to_end(&mut sample)?;
    ask(helper, request(op::PART, &[&sample]))?;
    push(helper, path, stretch, told)?;
    loop {
        let piece = ask(helper, request(op::HAND_OVER, &[&[u8::from(last)]]))?;
        let ended = piece.is_empty();
        let gone = |_| RunError::Stopped("the part is not wanted".to_owned());
        pieces.send(piece).map_err(gone)?;
        if ended {
            return Ok(());
        }
    }
}

/// Lets the leader take a part over, piece by piece up to the empty one; says whether it did.
fn take_over(leader: &mut (impl Instance + ?Sized), pieces: &Receiver<Vec<u8>>) -> Result<bool, RunError> {
    let mut begun = false;
    for piece in pieces {
        if piece.is_empty() {
            return Ok(begun);
        }
        let request = [&[op::TAKE_OVER], piece.as_slice()].concat();
        match ask(leader, request) {
            Ok(_) => begun = true,
            Err(RunError::Refused(refusal)) if refusal.code == "part_border" => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    if begun {
        return Err(RunError::Stopped("a helper stopped while it handed its part over".to_owned()));
    }
    Ok(false)
}

/// Pushes a stretch of a file.
fn push(
    instance: &mut (impl Instance + ?Sized),
    path: &Path,
    stretch: Range<u64>,
    told: &dyn Fn(u64),
) -> Result<(), RunError> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(stretch.start))?;
    let mut left = stretch.end - stretch.start;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
        let Some(request) = chunk(&mut file, wanted)? else {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        };
        let read = bytes(&request);
        ask(instance, request)?;
        left -= read;
        told(read);
    }
    Ok(())
}

/// A push of at most `wanted` bytes; none at the end of the file.
fn chunk(file: &mut File, wanted: usize) -> io::Result<Option<Vec<u8>>> {
    let mut request = Vec::with_capacity(1 + wanted);
    request.push(op::PUSH);
    let read = file.by_ref().take(u64::try_from(wanted).unwrap_or(u64::MAX)).read_to_end(&mut request)?;
    Ok((read > 0).then_some(request))
}

/// Bytes of the file in a push.
fn bytes(request: &[u8]) -> u64 {
    u64::try_from(request.len()).unwrap_or(0).saturating_sub(1)
}

/// Cuts a range of the file into at most `count` stretches, each but the first beginning behind a line break.
fn stretches(file: &mut File, range: Range<u64>, count: usize) -> io::Result<Vec<Range<u64>>> {
    let count = u64::try_from(count.max(1)).unwrap_or(1);
    let share = (range.end - range.start) / count;
    let mut borders = vec![range.start];
    for number in 1..count {
        let from = range.start + number * share;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::with_capacity(LONGEST_LINE);
        file.by_ref().take(LONGEST_LINE as u64).read_to_end(&mut bytes)?;
        if let Some(line_feed) = bytes.iter().position(|b| *b == b'\n') {
            let border = from + u64::try_from(line_feed).unwrap_or(0) + 1;
            if border < range.end {
                borders.push(border);
            }
        }
    }
    borders.push(range.end);
    borders.dedup();
    Ok(borders.windows(2).filter_map(|pair| Some(*pair.first()?..*pair.last()?)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_the_range_and_begin_behind_line_breaks() {
        let text: Vec<u8> =
            (0..1_000).flat_map(|n| format!("{n},{}\n", "x".repeat(n % 50)).into_bytes()).collect();
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &text).unwrap();
        for count in 1..9 {
            let length = text.len() as u64;
            let cut = stretches(&mut file, 100..length, count).unwrap();
            assert_eq!(cut.len(), count);
            assert_eq!((cut[0].start, cut[count - 1].end), (100, length));
            assert!(cut.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(cut[1..].iter().all(|stretch| text[stretch.start as usize - 1] == b'\n'));
        }
    }

    #[test]
    fn a_text_without_line_breaks_is_one_stretch() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &vec![b'x'; 500_000]).unwrap();
        let cut = stretches(&mut file, 0..500_000, 4).unwrap();
        assert_eq!((cut.len(), cut[0].clone()), (1, 0..500_000));
    }
}
