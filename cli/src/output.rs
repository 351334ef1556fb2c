//! What a command says: lines for a person, one JSON object for a program.

use serde_json::Value;

use crate::failure::Failure;

/// How to say it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result.
    pub(crate) fn say(&self, text: &str, json: &Value) {
        if self.json {
            println!("{json:#}");
        } else {
            println!("{}", text.trim_end());
        }
    }

    /// Prints a remark beside the result.
    pub(crate) fn note(&self, text: &str) {
        eprintln!("note: {text}");
    }

    /// Prints a failure.
    pub(crate) fn fail(&self, failure: &Failure) {
        if self.json {
            eprintln!("{}", serde_json::json!({ "error": failure }));
        } else {
            eprintln!("{failure}");
        }
    }
}
