//! One deviation, for a person and for a program.

use serde::Serialize;
use std::fmt;

/// One way in which something differs from what it has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable code, such as `import_present`.
    pub code: &'static str,
    /// Where: a file of the release, a section or data segment of a module, a vector.
    pub place: String,
    /// One English sentence.
    pub message: String,
}

impl Finding {
    /// A deviation at `place`.
    pub fn new(code: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.place, self.message)
    }
}
