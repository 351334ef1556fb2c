//! Reads a module without running it: what it asks for, offers, needs and reveals.
//!
//! [`inspect`] gathers a [`Report`]; [`Report::deviations`] holds it against an [`Allow`] and returns
//! one [`Deviation`] for each thing a reviewer would have to ask about. `hedui audit` prints both.

mod allow;
mod deviation;
mod features;
mod text;

pub use allow::{Allow, AllowedExport};
pub use deviation::{Deviation, sentences};

use serde::Serialize;
use sha2::{Digest, Sha256};
use wasmparser::types::{EntityType, TypesRef};
use wasmparser::{MemoryType, Parser, Payload, Validator, WasmFeatures};

/// What a reviewer wants to know about a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// Size of the file, in bytes.
    pub size: usize,
    /// What the module asks its host for, in file order.
    pub imports: Vec<Import>,
    /// What the module offers its host, in file order.
    pub exports: Vec<Export>,
    /// Its linear memories.
    pub memories: Vec<MemoryLimits>,
    /// The WebAssembly features it needs beyond the first version, by their names in LLVM.
    pub features: Vec<String>,
    /// The names of its custom sections, in file order.
    pub custom_sections: Vec<String>,
    /// Whether it runs code of its own when it is instantiated.
    pub has_start: bool,
    /// Its data segments: how many, and how many bytes they hold together.
    pub data: DataSize,
    /// Texts in its data and custom sections that look like paths of the machine that built it.
    pub host_paths: Vec<Found>,
    /// Texts in its data and custom sections that look like addresses of machines. Without imports they are
    /// only text; but the matcher needs none, so that one is a question.
    pub addresses: Vec<Found>,
}

/// A text in a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The text, cut after 120 characters.
    pub text: String,
    /// Where it stands: `data segment 2`, `custom section "note"`.
    pub place: String,
    /// Its offset in the file, in bytes.
    pub offset: usize,
}

/// The extent of a module's data segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DataSize {
    /// How many there are.
    pub segments: usize,
    /// Bytes in all of them.
    pub bytes: usize,
}

/// Something a module asks its host for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Import {
    /// The first part of its name.
    pub module: String,
    /// The second part of its name.
    pub name: String,
    /// Its type in the WebAssembly text format.
    pub form: String,
}

/// Something a module offers its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Its type in the WebAssembly text format, such as `(func (result i32))`.
    pub form: String,
}

/// The bounds of a linear memory, in pages of 64 KiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryLimits {
    /// What the module starts with.
    pub min_pages: u64,
    /// What it can grow to, where it says.
    pub max_pages: Option<u64>,
}

/// Why a file could not be inspected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The file breaks WebAssembly's rules at this offset, whatever features are allowed.
    #[error("the file is not a valid WebAssembly module: {message} (at byte {offset})")]
    Invalid {
        /// Which rule.
        message: String,
        /// Where in the file, in bytes.
        offset: usize,
    },
}

/// Reads `bytes` and gathers what they hold.
///
/// # Errors
/// [`GateError::Invalid`] where the bytes are no core WebAssembly module.
pub fn inspect(bytes: &[u8]) -> Result<Report, GateError> {
    let features = features::needed(bytes)?;
    let types = Validator::new_with_features(features::core()).validate_all(bytes)?;
    let mut report = Report {
        sha256: hex::encode(Sha256::digest(bytes)),
        size: bytes.len(),
        imports: Vec::new(),
        exports: Vec::new(),
        memories: Vec::new(),
        features,
        custom_sections: Vec::new(),
        has_start: false,
        data: DataSize::default(),
        host_paths: Vec::new(),
        addresses: Vec::new(),
    };
    let mut parser = Parser::new(0);
    parser.set_features(WasmFeatures::all());
    for payload in parser.parse_all(bytes) {
        report.read(payload?, types.as_ref())?;
    }
    Ok(report)
}

/// The section that the byte at `offset` belongs to, as [`Deviation::place`] names sections; of the code, the
/// function with its index.
pub fn section_at(bytes: &[u8], offset: usize) -> Option<String> {
    let mut imported = 0;
    let mut bodies = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.ok()?;
        match &payload {
            Payload::ImportSection(section) => {
                let imports = section.clone().into_imports().flatten();
                imported = imports.filter(|import| matches!(import.ty, wasmparser::TypeRef::Func(_))).count();
            }
            Payload::CodeSectionEntry(body) => {
                if body.range().contains(&offset) {
                    return Some(format!("code section, function {}", imported + bodies));
                }
                bodies += 1;
                continue;
            }
            Payload::DataSection(section) if section.range().contains(&offset) => {
                let segments = section.clone().into_iter().flatten();
                let at = segments.enumerate().find(|(_, data)| data.range.contains(&offset));
                return Some(at.map_or("data section".into(), |(n, _)| format!("data segment {n}")));
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section()
            && range.contains(&offset)
            && !matches!(payload, Payload::CodeSectionStart { .. })
        {
            return Some(format!("{} section", section_name(id)));
        }
    }
    None
}

/// A section's name by its number (WebAssembly core specification, 5.5.2).
fn section_name(id: u8) -> &'static str {
    const NAMES: [&str; 14] = [
        "custom",
        "type",
        "import",
        "function",
        "table",
        "memory",
        "global",
        "export",
        "start",
        "element",
        "code",
        "data",
        "data count",
        "tag",
    ];
    NAMES.get(usize::from(id)).copied().unwrap_or("unknown")
}

impl Report {
    /// Everything in the module that `allow` does not list, in the order of this struct's fields.
    pub fn deviations(&self, allow: &Allow) -> Vec<Deviation> {
        deviation::find(self, allow)
    }

    /// Notes what one section holds. Types, functions, tables and code have been validated and hold
    /// nothing else that a reviewer would ask for.
    fn read(&mut self, payload: Payload<'_>, types: TypesRef<'_>) -> Result<(), GateError> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    self.imports.push(Import {
                        module: import.module.to_owned(),
                        name: import.name.to_owned(),
                        form: form(types.entity_type_from_import(&import), types),
                    });
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(MemoryLimits::from(memory?));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.exports.push(Export {
                        name: export.name.to_owned(),
                        form: form(types.entity_type_from_export(&export), types),
                    });
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let offset = data.range.end.saturating_sub(data.data.len());
                    self.read_text(data.data, &format!("data segment {}", self.data.segments), offset);
                    self.data.segments += 1;
                    self.data.bytes += data.data.len();
                }
            }
            Payload::StartSection { .. } => self.has_start = true,
            Payload::CustomSection(section) => {
                self.custom_sections.push(section.name().to_owned());
                let place = format!("custom section {:?}", section.name());
                self.read_text(section.data(), &place, section.data_offset());
            }
            _ => {}
        }
        Ok(())
    }

    /// `offset` is that of `data` in the file.
    fn read_text(&mut self, data: &[u8], place: &str, offset: usize) {
        let found =
            |(at, text): (usize, String)| Found { text, place: place.to_owned(), offset: offset + at };
        self.host_paths.extend(text::host_paths(data).into_iter().map(found));
        self.addresses.extend(text::addresses(data).into_iter().map(found));
    }
}

impl From<MemoryType> for MemoryLimits {
    fn from(memory: MemoryType) -> Self {
        Self { min_pages: memory.initial, max_pages: memory.maximum }
    }
}

impl From<wasmparser::BinaryReaderError> for GateError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Invalid { message: error.message().to_owned(), offset: error.offset() }
    }
}

/// A type in the WebAssembly text format. A memory's bounds stand in [`Report::memories`].
fn form(entity: Option<EntityType>, types: TypesRef<'_>) -> String {
    match entity {
        Some(EntityType::Func(id) | EntityType::FuncExact(id)) => {
            types.get(id).map_or_else(|| "(func)".into(), ToString::to_string)
        }
        Some(EntityType::Table(_)) => "(table)".into(),
        Some(EntityType::Memory(_)) => "(memory)".into(),
        Some(EntityType::Global(global)) if global.mutable => {
            format!("(global (mut {}))", global.content_type)
        }
        Some(EntityType::Global(global)) => format!("(global {})", global.content_type),
        Some(EntityType::Tag(_)) => "(tag)".into(),
        None => "(unknown)".into(),
    }
}

#[cfg(test)]
mod tests;
