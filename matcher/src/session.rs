//! One session: open, push, finish, read; or a table that is sealed. A state is consumed by the step that leaves it, so
//! no step can be skipped or repeated.

use protocol::agreement::AgreementInForce;
use protocol::answer::Shape;
use protocol::answer_seal::{Maker, SealedAnswer};
use protocol::coverage::Coverage;
use protocol::hedge::{Stream, Use};
use protocol::key_file::Keys;
use protocol::label::Label;
use protocol::roster::{AcceptedRoster, Field, Level, Line, Roster, RosterContext};
use protocol::secret::{Entropy, TokenKey};
use protocol::token::Prf;
use protocol::value::{Date, Digest, ReleaseNumber, RosterId, SealingKey, Time};
use protocol::{CheckError, Document, seal};
use zeroize::Zeroizing;

use crate::base_data::Sealing;
use crate::counts::Warning;
use crate::error::ModuleError;
use crate::findings::ClearSlots;
use crate::keys;
use crate::layout::TableOptions;
use crate::matching::{Finished, Matching};
use crate::part::{PartTaker, SealedPart};
use crate::preview;
use crate::request::{self, Op, Request};
use crate::set_aside::SetAside;

/// Where a session stands.
#[derive(Default)]
pub enum Session {
    /// Nothing opened.
    #[default]
    Idle,
    /// Files are coming in.
    Open(Box<Open>),
    /// A part is going out; then the session takes files again.
    HandingOver(Box<Open>, Box<SealedPart>),
    /// The answer is going out.
    Sealed(Box<Sealed>),
    /// A department's table is being sealed.
    SealingTable(Sealing),
    /// An error ended it; everything it held is gone.
    Over,
}

/// A session that takes files.
pub struct Open {
    keys: Keys,
    agreement: AgreementInForce,
    roster: AcceptedRoster,
    entropy: Entropy,
    options: Options,
    created: Time,
    matching: Matching,
}

/// A session whose answer is made.
pub struct Sealed {
    /// Until its last piece has been read.
    answer: Option<SealedAnswer<ClearSlots>>,
    /// Its slots from then on: wiped.
    spent: Option<ClearSlots>,
    /// The answer's copy, where a compliance key was given.
    copy: Option<Vec<u8>>,
    /// Until the list has been read.
    set_aside: Option<SetAside>,
}

protocol::json_options! {
    /// Options of `open`, SPEC §10.
    #[derive(Debug)]
    struct Options {
        answer_version: u32,
        compliance_key: Option<SealingKey>,
        last_serial: u64,
        module_sha256: Digest,
        now: u64,
        table: Option<TableOptions>,
    }
}

protocol::json_reply! {
    /// What `open` says of the task.
    struct Task<'a> {
        answer_bytes: u64,
        approval_required: bool,
        as_of: Date,
        centre: &'a str,
        expires: Time,
        fields: &'a [Field],
        id: RosterId,
        institution: &'a str,
        legal_basis: &'a str,
        level: Level,
        line: Option<Line>,
        purpose: &'a str,
        release: ReleaseNumber,
        roster: Digest,
        slot_count: u32,
        slot_size: u32,
    }
}

protocol::json_reply! {
    /// What `finish` says.
    struct Report {
        answer_bytes: u64,
        answer_digest: Digest,
        coverage: Coverage,
        unknown_products: Vec<String>,
        warnings: Vec<Warning>,
    }
}

/// This module's release: the package version.
pub const RELEASE: ReleaseNumber = {
    const fn number(digits: &str) -> u16 {
        match u16::from_str_radix(digits, 10) {
            Ok(number) => number,
            Err(_) => panic!("a package version is three numbers"),
        }
    }
    ReleaseNumber::new(
        number(env!("CARGO_PKG_VERSION_MAJOR")),
        number(env!("CARGO_PKG_VERSION_MINOR")),
        number(env!("CARGO_PKG_VERSION_PATCH")),
    )
};

impl Session {
    /// Carries out one request.
    ///
    /// # Errors
    /// What is wrong, by code. An error of `push`, `next file` or `finish` ends the session.
    pub fn run(&mut self, request: &Request) -> Result<Vec<u8>, ModuleError> {
        let (op, rest) = request.split()?;
        match op {
            Op::Open => match self {
                Self::Idle => {
                    let (open, task) = Open::new(rest)?;
                    *self = Self::Open(open);
                    Ok(task)
                }
                _ => Err(busy()),
            },
            Op::BaseData => match self {
                Self::Idle => {
                    *self = Self::SealingTable(Sealing::begin(rest)?);
                    Ok(Vec::new())
                }
                _ => Err(busy()),
            },
            Op::BaseDataFirst | Op::BaseDataSecond | Op::BaseDataHead => self.table_step(op, rest),
            Op::Push => self.open_step(|open| open.matching.push(rest)),
            Op::Part => {
                let [sample] = request::parts(rest)?;
                self.open_step(|open| open.matching.begin_part(sample))
            }
            Op::HandOver => self.hand_over(rest),
            Op::TakeOver => self.take_over(rest),
            Op::NextFile if rest.is_empty() => self.open_step(|open| open.matching.end_file()),
            Op::NextFile => {
                let [table] = request::parts(rest)?;
                let table = keys::options(table)?;
                self.open_step(|open| {
                    open.matching.end_file()?;
                    open.matching.read_next_as(table)
                })
            }
            Op::Finish => match std::mem::replace(self, Self::Over) {
                Self::Open(open) => {
                    let (sealed, report) = open.finish()?;
                    *self = Self::Sealed(sealed);
                    Ok(report)
                }
                other => {
                    *self = other;
                    Err(not_open())
                }
            },
            Op::Read => match self {
                Self::Sealed(sealed) => Ok(sealed.read()),
                _ => Err(not_finished()),
            },
            Op::SetAside => match self {
                Self::Sealed(sealed) => {
                    Ok(sealed.set_aside.take().map(|rows| rows.list()).unwrap_or_default())
                }
                _ => Err(not_finished()),
            },
            Op::Copy => match self {
                Self::Sealed(sealed) => sealed.copy.clone().ok_or_else(|| {
                    ModuleError::new(
                        "no_copy",
                        "compliance_key",
                        "the session was opened without a compliance key",
                    )
                }),
                _ => Err(not_finished()),
            },
            Op::Preview => {
                let [bytes, options] = request::parts(rest)?;
                Ok(keys::reply(&preview::preview(bytes, &keys::options(options)?)?))
            }
            Op::NewKey => keys::new_key(rest),
            Op::SignIn => keys::sign_in(rest),
            Op::CoSign => keys::co_sign(rest),
            Op::Inspect => keys::inspect(rest),
            Op::Approve => keys::approve(rest),
        }
    }

    fn open_step(
        &mut self,
        step: impl FnOnce(&mut Open) -> Result<(), ModuleError>,
    ) -> Result<Vec<u8>, ModuleError> {
        let Self::Open(open) = self else { return Err(not_open()) };
        match step(open) {
            Ok(()) => Ok(keys::reply(&open.matching.progress())),
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    /// A step of sealing a table. The head ends the session, and so does an error.
    fn table_step(&mut self, op: Op, rest: &[u8]) -> Result<Vec<u8>, ModuleError> {
        match std::mem::replace(self, Self::Over) {
            Self::SealingTable(sealing) => {
                let (next, reply) = sealing.step(op, rest)?;
                *self = next.map_or(Self::Over, Self::SealingTable);
                Ok(reply)
            }
            other => {
                *self = other;
                Err(not_open())
            }
        }
    }

    /// The next piece of a part; the first request ends the part.
    fn hand_over(&mut self, rest: &[u8]) -> Result<Vec<u8>, ModuleError> {
        match std::mem::replace(self, Self::Over) {
            Self::Open(mut open) => {
                let [last] = request::parts(rest)?;
                let (head, beside, findings) = open.matching.end_part(last == [1])?;
                let Open { keys, roster, entropy, .. } = &*open;
                let mut part =
                    SealedPart::make(&head, &beside, findings, roster.digest, entropy, &keys.signing)?;
                let piece = part.read();
                *self = Self::HandingOver(open, Box::new(part));
                Ok(piece)
            }
            Self::HandingOver(open, mut part) => {
                let piece = part.read();
                *self = if piece.is_empty() { Self::Open(open) } else { Self::HandingOver(open, part) };
                Ok(piece)
            }
            other => {
                *self = other;
                Err(not_open())
            }
        }
    }

    /// Takes a piece of another instance's part. One that does not join on leaves the session as it is.
    fn take_over(&mut self, piece: &[u8]) -> Result<Vec<u8>, ModuleError> {
        let Self::Open(open) = self else { return Err(not_open()) };
        let Open { keys, roster, entropy, matching, .. } = &mut **open;
        let taken =
            matching.take_over(piece, |first| PartTaker::begin(first, roster.digest, entropy, &keys.signing));
        match taken {
            Ok(joined) => joined.map(|()| keys::reply(&matching.progress())),
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    /// Drops all that the session holds. Out of line: dropping is long.
    #[cold]
    #[inline(never)]
    fn end(&mut self) {
        *self = Self::Over;
    }
}

fn busy() -> ModuleError {
    ModuleError::new("busy", "session", "this instance has had its session")
}

fn not_open() -> ModuleError {
    ModuleError::new("not_open", "session", "no session is open")
}

fn not_finished() -> ModuleError {
    ModuleError::new("not_finished", "session", "there is no answer to read yet")
}

impl Open {
    /// Unlocks, checks, and opens the token key: everything before the first row.
    #[inline(never)]
    fn new(bytes: &[u8]) -> Result<(Box<Self>, Vec<u8>), ModuleError> {
        let [key_file, passphrase, agreement, roster, entropy, options] = request::parts(bytes)?;
        let options: Options = keys::options(options)?;
        let created = keys::time(options.now)?;
        let entropy = Entropy::new(entropy)?;
        let agreement = keys::agreement(agreement, created.date())?;
        let roster = Document::<Roster>::read(roster).map_err(|e| ModuleError::decode("roster", &e))?;
        let context =
            RosterContext { now: created, last_serial: options.last_serial, release: Some(RELEASE) };
        let roster = roster.check(&agreement, &context)?;
        let (_, keys) = keys::unlock(key_file, passphrase)?;
        if keys.signing.public() != agreement.terms.institution.signing_key {
            return Err(CheckError::WrongInstitution("key file").into());
        }
        if !(1..=999).contains(&options.answer_version) {
            return Err(ModuleError::new("bad_option", "answer_version", "outside 1 to 999"));
        }
        if let Some(key) = &options.compliance_key {
            // A key that nothing can be sealed to would show only at the end.
            let mut probe = Stream::new(Use::AnswerCopy, &entropy, &Digest::of(key.as_bytes()), b"probe");
            seal::seal(key, b"", b"", &mut probe, "compliance_key")?;
        }

        let info = Label::TokenKey.bytes(&[&roster.roster.id.0, agreement.digest.as_bytes()]);
        let sealed = &roster.roster.token_key.0;
        let key = seal::open(&keys.opening, &info, sealed, "roster.token_key")?;
        let key: Zeroizing<[u8; 32]> =
            Zeroizing::new(key.as_slice().try_into().map_err(|_| CheckError::Seal("roster.token_key"))?);
        let prf = Prf::new(roster.roster.prf, TokenKey::from_bytes(&key));
        let matching = Matching::new(&roster, &agreement, prf, options.table.clone().unwrap_or_default())?;

        let (header, terms) = (&roster.roster, &agreement.terms);
        let task = keys::reply(&Task {
            answer_bytes: Shape::of(header, &agreement).body_bytes(),
            approval_required: terms.approval_required,
            as_of: header.as_of,
            centre: terms.centre.name.as_str(),
            expires: header.expires,
            fields: &header.fields,
            id: header.id,
            institution: terms.institution.name.as_str(),
            legal_basis: header.legal_basis.as_str(),
            level: header.level,
            line: header.line,
            purpose: header.purpose.as_str(),
            release: RELEASE,
            roster: roster.digest,
            slot_count: header.slot_count,
            slot_size: header.slot_size,
        });
        Ok((Box::new(Self { keys, agreement, roster, entropy, options, created, matching }), task))
    }

    #[inline(never)]
    fn finish(self) -> Result<(Box<Sealed>, Vec<u8>), ModuleError> {
        let Self { keys, agreement, roster, entropy, options, created, matching } = self;
        let Finished { coverage, warnings, unknown_products, set_aside, slots } = matching.finish()?;
        let maker = Maker {
            key: &keys.signing,
            created,
            version: options.answer_version,
            module_release: RELEASE,
            module_sha256: options.module_sha256,
        };
        let answer = SealedAnswer::make(&roster, &agreement, &maker, &coverage, slots, &entropy)?;
        let institution = &agreement.terms.institution.code;
        let copy = options
            .compliance_key
            .as_ref()
            .map(|key| answer.copy(key, &roster, institution, &maker, &entropy));
        let copy = copy.transpose()?;
        let report = keys::reply(&Report {
            answer_bytes: answer.total_bytes(),
            answer_digest: answer.digest(),
            coverage,
            unknown_products,
            warnings,
        });
        Ok((Box::new(Sealed { answer: Some(answer), spent: None, copy, set_aside: Some(set_aside) }), report))
    }
}

impl Sealed {
    /// The next piece of the answer; empty at the end. What was found is wiped with the last one.
    fn read(&mut self) -> Vec<u8> {
        let piece = self.answer.as_mut().map(SealedAnswer::read).unwrap_or_default();
        if let Some(answer) = self.answer.take_if(|answer| answer.is_read()) {
            let mut slots = answer.into_slots();
            slots.wipe();
            self.spent = Some(slots);
        }
        piece
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_package_version_is_a_release() {
        assert_eq!(super::RELEASE.to_string(), env!("CARGO_PKG_VERSION"));
    }
}
