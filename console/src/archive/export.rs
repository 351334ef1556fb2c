//! A closed file as a folder that needs nothing of ours to be read: PDF, JSON, CSV and scans, `SHA256SUMS` for
//! `sha256sum -c`, and the signed list `archive.hedui` for `hedui inspect`. Put together in memory, as a ZIP whose
//! members are stored as they are.

use std::io::{Cursor, Write as _};

use zeroize::Zeroizing;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::ArchiveError;
use super::file::{Archive, Opened};
use crate::store::Fault;

/// The signed list within the folder.
pub const LIST: &str = "archive.hedui";
/// Its body, once more.
pub const SUMS: &str = "SHA256SUMS";

/// The folder as a ZIP.
///
/// # Errors
/// [`ArchiveError::Fault`] when the ZIP can't be written.
pub fn zip(archive: &Archive, opened: &Opened) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
    let wrong = |_| Fault::Stored("export");
    // All at once: a buffer that grows leaves copies behind.
    let papers: usize = opened.papers.values().map(|bytes| bytes.len() + 512).sum();
    let room = papers + opened.document.len() + opened.sums.len() + 4_096;
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(room)));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let folder = archive.folder();
    let fixed = [(LIST, opened.document.as_slice()), (SUMS, opened.sums.as_bytes())];
    let papers = opened.papers.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in papers.chain(fixed) {
        writer.start_file(format!("{folder}/{name}"), options).map_err(wrong)?;
        writer.write_all(bytes).map_err(Fault::from)?;
    }
    Ok(Zeroizing::new(writer.finish().map_err(wrong)?.into_inner()))
}
