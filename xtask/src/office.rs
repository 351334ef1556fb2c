//! LibreOffice, which writes spreadsheets for the tests as institutions' computers do.

use crate::debian;
use crate::shell::works;
use anyhow::Result;
use std::process::Command;

/// Makes sure that LibreOffice's spreadsheet program is there.
pub(crate) fn present() -> Result<()> {
    debian::present("LibreOffice", &["libreoffice-calc"], || works(Command::new("soffice").arg("--version")))
}
