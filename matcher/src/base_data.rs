//! A department's own table, sealed to the centre piece by piece (SPEC §4.10, §6.7, §10.4). The file is read twice: its
//! content decides the key, and what was sealed decides the head.

use protocol::CheckError;
use protocol::answer_seal::SealError;
use protocol::base_data::{FirstPass, SecondPass};
use protocol::key_file::Role;
use protocol::secret::{Entropy, SigningKey};
use protocol::value::Date;

use crate::error::ModuleError;
use crate::keys;
use crate::request::{self, Op};

protocol::json_options! {
    /// Options of `base data`.
    #[derive(Debug)]
    struct Options {
        day: Date,
        length: u64,
        now: u64,
    }
}

/// What a session goes on with, nothing behind the head, and the result of a step.
pub type Step = (Option<Sealing>, Vec<u8>);

/// A table that is being sealed.
pub enum Sealing {
    /// Its digest is taken.
    First(Box<FirstPass<SigningKey>>, Entropy),
    /// Its chunks are sealed.
    Second(Box<SecondPass<SigningKey>>),
}

impl Sealing {
    /// Unlocks and checks: everything before the first byte.
    ///
    /// # Errors
    /// What is wrong, by code.
    #[inline(never)]
    pub fn begin(bytes: &[u8]) -> Result<Self, ModuleError> {
        let [key_file, passphrase, agreement, entropy, options] = request::parts(bytes)?;
        let Options { day, length, now } = keys::options(options)?;
        let now = keys::time(now)?;
        let entropy = Entropy::new(entropy)?;
        let agreement = keys::agreement(agreement, now.date())?;
        let (file, keys) = keys::unlock(key_file, passphrase)?;
        if file.role != Role::Institution {
            return Err(ModuleError::new("wrong_role", "key file", "the key is not an institution's"));
        }
        if file.code != agreement.terms.institution.code {
            return Err(CheckError::WrongInstitution("key file").into());
        }
        let first = FirstPass::begin(&agreement, keys.signing, day, now, length).map_err(refused)?;
        Ok(Self::First(Box::new(first), entropy))
    }

    /// One step: the next piece of the file for the first or for the second time, or the head.
    ///
    /// # Errors
    /// `file_changed` when the file is not as long as was said, or another one at the second time; `bad_request` for a
    /// step that is not due; `truncated` when the body has not been given whole.
    pub fn step(self, op: Op, file: &[u8]) -> Result<Step, ModuleError> {
        self.step_if_due(op, file).map_err(refused)?.ok_or_else(request::malformed)
    }

    fn step_if_due(self, op: Op, file: &[u8]) -> Result<Option<Step>, SealError> {
        Ok(Some(match (self, op) {
            (Self::First(mut first, entropy), Op::BaseDataFirst) => {
                first.push(file)?;
                (Some(Self::First(first, entropy)), Vec::new())
            }
            (Self::First(first, entropy), Op::BaseDataSecond) => {
                Self::second_pass(Box::new(first.finish(&entropy)?), file)?
            }
            (Self::Second(second), Op::BaseDataSecond) => Self::second_pass(second, file)?,
            (Self::Second(second), Op::BaseDataHead) => (None, second.finish()?),
            _ => return Ok(None),
        }))
    }

    /// The next piece of the body; behind the file's end, for no bytes, the next piece of what pads it, and at last none.
    fn second_pass(mut second: Box<SecondPass<SigningKey>>, file: &[u8]) -> Result<Step, SealError> {
        let piece = if file.is_empty() { second.pad()? } else { second.push(file)? };
        Ok((Some(Self::Second(second)), piece))
    }
}

fn refused(error: SealError) -> ModuleError {
    match error {
        SealError::Decode(error) => ModuleError::decode("table", &error),
        SealError::Check(error) => error.into(),
    }
}
