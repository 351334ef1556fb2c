//! The letters of printed papers: Noto Serif CJK, which Debian's package `fonts-noto-cjk` puts on the machine.
//!
//! A paper embeds the letters it uses, so the machine that shows it needs none. Nothing is shaped: Chinese, Latin
//! letters and digits stand one behind the other, each as wide as the font says.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use krilla::Data;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::string::StringId;
use skrifa::{FontRef, MetadataProvider as _};

/// The package that has them.
pub const PACKAGE: &str = "fonts-noto-cjk";

/// Where distributions put them.
const FOLDERS: [&str; 4] = [
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-serif-cjk-vf-fonts",
    "/usr/local/share/fonts",
];
/// The family within a collection: the Chinese of the mainland.
const FAMILY: &str = "Noto Serif CJK SC";
/// Stands for a character that the font does not have, as printers' geta mark does.
pub(crate) const MISSING: char = '〓';

/// Why no paper can be printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FontError {
    /// A file is in none of the folders.
    #[error("{0} is missing: install the package {PACKAGE} (apt-get install {PACKAGE})")]
    Absent(&'static str),
    /// A file is there and has not what its name says.
    #[error("{0} can't be read as {FAMILY}: install the package {PACKAGE} again")]
    Unreadable(&'static str),
}

/// Text and headings.
#[derive(Clone)]
pub struct Fonts {
    pub(crate) text: Arc<Face>,
    pub(crate) bold: Arc<Face>,
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fonts(..)")
    }
}

impl Fonts {
    /// Those of this machine, read once.
    ///
    /// # Errors
    /// [`FontError`], with what to install.
    pub fn of_this_machine() -> Result<Self, FontError> {
        static FOUND: OnceLock<Fonts> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let found = Self::find(&FOLDERS.map(PathBuf::from))?;
        Ok(FOUND.get_or_init(|| found).clone())
    }

    /// Those in one of `folders`.
    ///
    /// # Errors
    /// [`FontError`].
    pub fn find(folders: &[PathBuf]) -> Result<Self, FontError> {
        Ok(Self {
            text: Arc::new(Face::find(folders, "NotoSerifCJK-Regular.ttc")?),
            bold: Arc::new(Face::find(folders, "NotoSerifCJK-Bold.ttc")?),
        })
    }
}

/// One font of a collection.
pub(crate) struct Face {
    pub(crate) font: Font,
    bytes: Arc<Vec<u8>>,
    index: u32,
}

impl Face {
    fn find(folders: &[PathBuf], name: &'static str) -> Result<Self, FontError> {
        let path = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        Self::read(&path.ok_or(FontError::Absent(name))?).ok_or(FontError::Unreadable(name))
    }

    fn read(path: &Path) -> Option<Self> {
        let bytes = Arc::new(std::fs::read(path).ok()?);
        // Collections number their fonts from 0; there are five or so.
        let index = (0..64).map_while(|index| Some((index, FontRef::from_index(&bytes, index).ok()?))).find(
            |(_, font)| {
                font.localized_strings(StringId::FAMILY_NAME).any(|name| name.chars().eq(FAMILY.chars()))
            },
        )?;
        let index = index.0;
        let font = Font::new(Data::from(Arc::clone(&bytes)), index)?;
        Some(Self { font, bytes, index })
    }

    /// The glyphs of a line, and its width in em. `text` has passed [`Letters::take`].
    pub(crate) fn glyphs(&self, text: &str) -> (Vec<KrillaGlyph>, f32) {
        let letters = self.letters();
        let (mut glyphs, mut width) = (Vec::with_capacity(text.len() / 2), 0.0);
        for (at, c) in text.char_indices() {
            let (id, advance) = letters.of(c);
            glyphs.push(KrillaGlyph::new(
                GlyphId::new(id),
                advance,
                0.0,
                0.0,
                0.0,
                at..at + c.len_utf8(),
                None,
            ));
            width += advance;
        }
        (glyphs, width)
    }

    pub(crate) fn letters(&self) -> Letters<'_> {
        Letters(FontRef::from_index(&self.bytes, self.index).ok())
    }
}

/// Widths and glyphs of a face.
pub(crate) struct Letters<'a>(Option<FontRef<'a>>);

impl Letters<'_> {
    /// What can be printed of a text: the rest becomes [`MISSING`] and is told to `missing`.
    pub(crate) fn take(&self, text: &str, missing: &mut std::collections::BTreeSet<char>) -> String {
        let printable = |c: char| {
            let known = !unseen(c) && self.has(c);
            if !known {
                missing.insert(c);
            }
            if known { c } else { MISSING }
        };
        text.chars().map(printable).collect()
    }

    /// Glyph and width in em; those of [`MISSING`] where there is none.
    pub(crate) fn of(&self, c: char) -> (u32, f32) {
        let Some(font) = &self.0 else { return (0, 1.0) };
        let charmap = font.charmap();
        let Some(glyph) = charmap.map(c).or_else(|| charmap.map(MISSING)) else { return (0, 1.0) };
        let metrics = font.glyph_metrics(Size::new(1.0), LocationRef::default());
        (glyph.to_u32(), metrics.advance_width(glyph).unwrap_or(1.0))
    }

    fn has(&self, c: char) -> bool {
        self.0.as_ref().is_some_and(|font| font.charmap().map(c).is_some_and(|glyph| glyph.to_u32() != 0))
    }
}

/// Characters that would be on the paper and not be seen, or turn what stands beside them; and those that mean
/// something else on each machine.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFC}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{E0000}'..='\u{E0FFF}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_machine_without_the_fonts_is_told_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let error = Fonts::find(&[folder.path().to_owned()]).err().unwrap();
        assert!(error.to_string().contains("apt-get install fonts-noto-cjk"), "{error}");
        std::fs::write(folder.path().join("NotoSerifCJK-Regular.ttc"), b"not a font").unwrap();
        let error = Fonts::find(&[folder.path().to_owned()]).err().unwrap();
        assert_eq!(error, FontError::Unreadable("NotoSerifCJK-Regular.ttc"));
    }

    #[test]
    fn what_can_t_be_seen_is_marked_and_told() {
        let fonts = Fonts::of_this_machine().unwrap();
        let mut missing = BTreeSet::new();
        let taken = fonts.text.letters().take("张\u{202E}三\u{E863}·A", &mut missing);
        assert_eq!(taken, "张〓三〓·A");
        assert_eq!(missing.into_iter().collect::<Vec<_>>(), ['\u{202E}', '\u{E863}']);
        let (glyphs, width) = fonts.text.glyphs("中12");
        assert_eq!(glyphs.len(), 3);
        assert!(width > 1.5 && width < 2.5, "{width}");
    }
}
