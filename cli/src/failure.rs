//! What went wrong, for a person and for a program: a field, a code, a sentence. Never a value from a file.

use std::fmt;
use std::path::Path;

use desk::agreement_maker::AgreementError;
use desk::{CosignError, Defect, MakeError, OpenError};
use protocol::{CheckError, DecodeError};
use serde::Serialize;

/// Why a command failed.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    code: String,
    field: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    defects: Vec<Defect>,
}

impl Failure {
    pub(crate) fn new(code: &str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            field: field.into(),
            message: message.into(),
            file: None,
            defects: Vec::new(),
        }
    }

    /// Says which file it is about.
    pub(crate) fn of(mut self, file: &Path) -> Self {
        self.file = Some(file.display().to_string());
        self
    }

    pub(crate) fn defects(file: &Path, defects: Vec<Defect>) -> Self {
        let message = match defects.len() {
            1 => "there is a defect; nothing was made".to_owned(),
            n => format!("there are {n} defects; nothing was made"),
        };
        Self { defects, ..Self::new("defects", "applicants", message) }.of(file)
    }

    /// An option whose value can't be used.
    pub(crate) fn option(field: &str, message: &str) -> Self {
        Self::new("bad_option", field, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for defect in &self.defects {
            writeln!(f, "  {defect}")?;
        }
        write!(f, "error: {}: {}", self.field, self.message)?;
        match &self.file {
            Some(file) => write!(f, " ({file})"),
            None => Ok(()),
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(e: DecodeError) -> Self {
        Self::new(e.code(), e.field(), e.to_string())
    }
}

impl From<CheckError> for Failure {
    fn from(e: CheckError) -> Self {
        Self::new(e.code(), e.field(), e.to_string())
    }
}

impl From<MakeError> for Failure {
    fn from(e: MakeError) -> Self {
        Self::new(e.code(), e.field(), e.to_string())
    }
}

impl From<CosignError> for Failure {
    fn from(e: CosignError) -> Self {
        let failure = Self::new(e.code(), e.field(), e.to_string());
        match e {
            CosignError::Differs(found) => Self { defects: found.rows, ..failure },
            _ => failure,
        }
    }
}

impl From<AgreementError> for Failure {
    fn from(e: AgreementError) -> Self {
        Self::new(e.code(), e.field(), e.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(e: OpenError) -> Self {
        Self::new(e.code(), e.field(), e.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(_: serde_json::Error) -> Self {
        Self::new("json", "output", "the result can't be written as JSON")
    }
}
