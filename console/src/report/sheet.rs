//! A4 pages for print: titles, paragraphs, tables that go on over pages, places to sign; written as PDF/A-2u, so
//! that an archive can read them later.
//!
//! There is no markup anywhere: whatever stands in a text is printed as it is. Measures are points, from the
//! upper left corner.

use std::collections::BTreeSet;

use krilla::color::luma;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::{Document, SerializeSettings};
use protocol::Time;

use super::font::{Face, Fonts, Letters};

const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const LEFT: f32 = 62.0;
const RIGHT: f32 = 58.0;
const TOP: f32 = 62.0;
const BOTTOM: f32 = 64.0;
const TEXT: f32 = 10.5;
const SMALL: f32 = 9.0;
const HEADING: f32 = 12.0;
const TITLE: f32 = 20.0;
/// Height of a line to size of its letters.
const LEADING: f32 = 1.55;
const CELL: f32 = 4.0;

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
#[error("the PDF can't be written: {0}")]
pub struct SheetError(String);

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Figures.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// What stands above it.
    pub head: &'a str,
    /// Its share of the width.
    pub share: f32,
    /// How its cells stand.
    pub align: Align,
}

impl<'a> Column<'a> {
    /// A column of texts.
    pub fn text(head: &'a str, share: f32) -> Self {
        Self { head, share, align: Align::Left }
    }

    /// A column of figures.
    pub fn figures(head: &'a str, share: f32) -> Self {
        Self { head, share, align: Align::Right }
    }
}

/// Pages being filled from top to bottom.
pub struct Sheet {
    fonts: Fonts,
    pages: Vec<Vec<Mark>>,
    y: f32,
    missing: BTreeSet<char>,
}

/// What stands on a page.
enum Mark {
    Text { x: f32, y: f32, size: f32, bold: bool, text: String },
    Line { x: f32, y: f32, to_x: f32, to_y: f32, width: f32 },
    Box { x: f32, y: f32, width: f32, height: f32 },
}

impl Sheet {
    /// An empty first page.
    pub fn new(fonts: Fonts) -> Self {
        Self { fonts, pages: vec![Vec::new()], y: TOP, missing: BTreeSet::new() }
    }

    /// The paper's title, in the middle.
    pub fn title(&mut self, text: &str) {
        self.middle(text, TITLE, true);
        self.y += 4.0;
    }

    /// A line below the title, in the middle.
    pub fn subtitle(&mut self, text: &str) {
        self.middle(text, TEXT, false);
        self.y += 6.0;
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) {
        // A heading never stands last on a page.
        self.need(HEADING * LEADING + 60.0);
        self.y += 9.0;
        self.lines(text, HEADING, true, LEFT, inner());
        self.y += 2.0;
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.lines(text, TEXT, false, LEFT, inner());
        self.y += 2.0;
    }

    /// A paragraph in smaller letters.
    pub fn note(&mut self, text: &str) {
        self.lines(text, SMALL, false, LEFT, inner());
        self.y += 2.0;
    }

    /// Names and values, two pairs in a row.
    pub fn facts(&mut self, facts: &[(&str, String)]) {
        let (label, value) = (72.0, inner() / 2.0 - 72.0);
        for pair in facts.chunks(2) {
            let cells: Vec<(String, bool)> = pair
                .iter()
                .flat_map(|(name, text)| [((*name).to_owned(), true), (text.clone(), false)])
                .collect();
            let widths: &[f32] = match pair {
                [_] => &[label, inner() - label],
                _ => &[label, value, label, value],
            };
            let shaded: Vec<bool> = cells.iter().map(|(_, is_label)| *is_label).collect();
            let cells: Vec<String> = cells.into_iter().map(|(text, _)| text).collect();
            self.row(&cells, widths, &vec![Align::Left; cells.len()], &shaded, &[]);
        }
        self.y += 4.0;
    }

    /// A table. Its head stands on each page that it goes on over.
    pub fn table(&mut self, columns: &[Column<'_>], rows: &[Vec<String>]) {
        let shares: f32 = columns.iter().map(|column| column.share).sum();
        let widths: Vec<f32> = columns.iter().map(|column| inner() * column.share / shares).collect();
        let aligns: Vec<Align> = columns.iter().map(|column| column.align).collect();
        let head: Vec<String> = columns.iter().map(|column| column.head.to_owned()).collect();
        let all = vec![true; columns.len()];
        // The head and a first row stand together.
        self.need(70.0);
        self.row(&head, &widths, &aligns, &all, &[]);
        for row in rows {
            self.row(row, &widths, &aligns, &vec![false; columns.len()], &head);
        }
        self.y += 4.0;
    }

    /// Places for signatures side by side, each with a line for the date, and one for the seal below them.
    pub fn signatures(&mut self, who: &[&str], seal: &str, date: &str) {
        self.need(190.0);
        self.y += 16.0;
        let width = inner() / count(who.len());
        for (n, name) in who.iter().enumerate() {
            let x = LEFT + width * count(n);
            self.text(x, self.y + TEXT, TEXT, false, name);
            let from = x + self.width(name, TEXT, false) + 4.0;
            self.mark(Mark::Line {
                x: from,
                y: self.y + TEXT + 3.0,
                to_x: x + width - 18.0,
                to_y: self.y + TEXT + 3.0,
                width: 0.6,
            });
        }
        self.y += 36.0;
        let (side, x) = (118.0, LEFT + inner() - 118.0);
        let (top, right, bottom) = (self.y, x + side, self.y + side);
        for (x, y, to_x, to_y) in [
            (x, top, right, top),
            (right, top, right, bottom),
            (right, bottom, x, bottom),
            (x, bottom, x, top),
        ] {
            self.mark(Mark::Line { x, y, to_x, to_y, width: 0.3 });
        }
        let (label_x, label_y) =
            (x + (side - self.width(seal, SMALL, false)) / 2.0, self.y + side / 2.0 + 3.0);
        self.text(label_x, label_y, SMALL, false, seal);
        self.text(LEFT, self.y + side - 4.0, TEXT, false, date);
        self.y += side + 8.0;
    }

    /// Writes the PDF. `foot` stands below each page, with the page's number; `salt` goes into the PDF's own
    /// identifier, so that nobody can try its digest with guesses.
    ///
    /// # Errors
    /// [`SheetError`] when krilla refuses: then it is this program's fault.
    pub fn finish(
        mut self,
        title: &str,
        author: &str,
        foot: &str,
        salt: &str,
        made: Time,
    ) -> Result<Vec<u8>, SheetError> {
        if !self.missing.is_empty() {
            let codes: Vec<String> =
                self.missing.iter().map(|c| format!("U+{:04X}", u32::from(*c))).collect();
            self.note(&format!(
                "〓 表示字库中没有、或不能显示的字符：{}。以机读副本为准。",
                codes.join("、")
            ));
        }
        let all = self.pages.len();
        for n in 0..all {
            let number = format!("第 {} 页  共 {all} 页", n + 1);
            let x = WIDTH - RIGHT - self.width(&number, SMALL, false);
            let y = HEIGHT - BOTTOM + 26.0;
            let foot = self.fonts.text.letters().take(foot, &mut self.missing);
            let marks = [
                Mark::Line { x: LEFT, y: y - 14.0, to_x: WIDTH - RIGHT, to_y: y - 14.0, width: 0.4 },
                Mark::Text { x: LEFT, y, size: SMALL, bold: false, text: foot },
                Mark::Text { x, y, size: SMALL, bold: false, text: number },
            ];
            if let Some(page) = self.pages.get_mut(n) {
                page.extend(marks);
            }
        }
        self.write(title, author, salt, made)
    }

    fn write(self, title: &str, author: &str, salt: &str, made: Time) -> Result<Vec<u8>, SheetError> {
        let wrong = |what: &dyn std::fmt::Debug| SheetError(format!("{what:?}"));
        let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A2_U).finish();
        let configuration = configuration.map_err(|error| wrong(&error))?;
        let mut document =
            Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
        document.set_metadata(
            Metadata::new()
                .title(title.to_owned())
                .authors(vec![author.to_owned()])
                .creator("Hedui".to_owned())
                .language("zh-CN".to_owned())
                .document_id(salt.to_owned())
                .creation_date(date_time(made)),
        );
        for marks in &self.pages {
            let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| wrong(&"page"))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for mark in marks {
                match mark {
                    Mark::Text { x, y, size, bold, text } => {
                        let face = self.face(*bold);
                        surface.set_stroke(None);
                        surface.set_fill(Some(Fill::default()));
                        let (glyphs, _) = face.glyphs(text);
                        surface.draw_glyphs(
                            Point::from_xy(*x, *y),
                            &glyphs,
                            face.font.clone(),
                            text,
                            *size,
                            false,
                        );
                    }
                    Mark::Line { x, y, to_x, to_y, width } => {
                        let mut path = PathBuilder::new();
                        path.move_to(*x, *y);
                        path.line_to(*to_x, *to_y);
                        surface.set_fill(None);
                        surface.set_stroke(Some(Stroke { width: *width, ..Stroke::default() }));
                        if let Some(path) = path.finish() {
                            surface.draw_path(&path);
                        }
                    }
                    Mark::Box { x, y, width, height } => {
                        let grey = Fill {
                            paint: luma::Color::new(240).into(),
                            opacity: NormalizedF32::ONE,
                            rule: FillRule::default(),
                        };
                        let mut path = PathBuilder::new();
                        path.move_to(*x, *y);
                        path.line_to(x + width, *y);
                        path.line_to(x + width, y + height);
                        path.line_to(*x, y + height);
                        path.close();
                        surface.set_stroke(None);
                        surface.set_fill(Some(grey));
                        if let Some(path) = path.finish() {
                            surface.draw_path(&path);
                        }
                    }
                }
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| wrong(&error))
    }

    fn row(
        &mut self,
        cells: &[String],
        widths: &[f32],
        aligns: &[Align],
        shaded: &[bool],
        head_again: &[String],
    ) {
        let broken: Vec<Vec<String>> = cells
            .iter()
            .zip(widths)
            .map(|(text, width)| self.broken(text, TEXT - 0.5, false, width - 2.0 * CELL))
            .collect();
        let line = (TEXT - 0.5) * 1.4;
        let mut from = 0;
        let most = broken.iter().map(Vec::len).max().unwrap_or(1).max(1);
        // A row higher than what is left goes on over the page's end, line by line.
        while from < most {
            let fits = |y: f32| ((HEIGHT - BOTTOM - y - 2.0 * CELL) / line).floor();
            let left = fits(self.y);
            let whole = fits(TOP);
            if left < 1.0 || (left < count(most - from) && count(most - from) <= whole) {
                self.turn();
                if !head_again.is_empty() {
                    self.row(head_again, widths, aligns, &vec![true; widths.len()], &[]);
                }
            }
            let room = fits(self.y).max(1.0);
            let lines = (most - from).min(to_count(room));
            let height = count(lines) * line + 2.0 * CELL;
            let mut x = LEFT;
            for (((text, width), align), shade) in broken.iter().zip(widths).zip(aligns).zip(shaded) {
                if *shade {
                    self.mark(Mark::Box { x, y: self.y, width: *width, height });
                }
                for (n, part) in text.iter().skip(from).take(lines).enumerate() {
                    let size = TEXT - 0.5;
                    let at = match align {
                        Align::Left => x + CELL,
                        Align::Right => x + width - CELL - self.width(part, size, false),
                    };
                    let y = self.y + CELL + line * count(n) + size + 1.2;
                    self.pages_mark(at, y, size, part.clone());
                }
                x += width;
            }
            self.frame(widths, height);
            self.y += height;
            from += lines;
        }
    }

    fn pages_mark(&mut self, x: f32, y: f32, size: f32, text: String) {
        self.mark(Mark::Text { x, y, size, bold: false, text });
    }

    fn frame(&mut self, widths: &[f32], height: f32) {
        let (y, mut x) = (self.y, LEFT);
        let right = LEFT + widths.iter().sum::<f32>();
        for line in [y, y + height] {
            self.mark(Mark::Line { x: LEFT, y: line, to_x: right, to_y: line, width: 0.5 });
        }
        for width in std::iter::once(&0.0).chain(widths) {
            x += width;
            self.mark(Mark::Line { x, y, to_x: x, to_y: y + height, width: 0.5 });
        }
    }

    fn middle(&mut self, text: &str, size: f32, bold: bool) {
        for line in self.broken(text, size, bold, inner()) {
            self.need(size * LEADING);
            let x = LEFT + (inner() - self.width(&line, size, bold)) / 2.0;
            self.mark(Mark::Text { x, y: self.y + size, size, bold, text: line });
            self.y += size * LEADING;
        }
    }

    fn lines(&mut self, text: &str, size: f32, bold: bool, x: f32, width: f32) {
        for line in self.broken(text, size, bold, width) {
            self.need(size * LEADING);
            self.mark(Mark::Text { x, y: self.y + size, size, bold, text: line });
            self.y += size * LEADING;
        }
    }

    fn text(&mut self, x: f32, y: f32, size: f32, bold: bool, text: &str) {
        let fonts = self.fonts.clone();
        let text = fonts.text.letters().take(text, &mut self.missing);
        self.mark(Mark::Text { x, y, size, bold, text });
    }

    /// A text as lines that are no wider than `width`.
    fn broken(&mut self, text: &str, size: f32, bold: bool, width: f32) -> Vec<String> {
        let fonts = self.fonts.clone();
        let face = if bold { &fonts.bold } else { &fonts.text };
        let letters = face.letters();
        text.split('\n')
            .flat_map(|part| wrap(&letters, &letters.take(part, &mut self.missing), width / size))
            .collect()
    }

    fn width(&self, text: &str, size: f32, bold: bool) -> f32 {
        self.face(bold).glyphs(text).1 * size
    }

    fn face(&self, bold: bool) -> &Face {
        if bold { &self.fonts.bold } else { &self.fonts.text }
    }

    /// Goes to the next page unless `height` fits on this one.
    fn need(&mut self, height: f32) {
        if self.y + height > HEIGHT - BOTTOM {
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }
}

fn inner() -> f32 {
    WIDTH - LEFT - RIGHT
}

#[expect(clippy::cast_precision_loss, reason = "numbers of lines and columns")]
fn count(n: usize) -> f32 {
    n as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of lines of a page"
)]
fn to_count(n: f32) -> usize {
    n as usize
}

/// Marks that do not begin a line (避头).
const NOT_FIRST: &str = "，。、；：！？）》」』】〉”’…％%),.:;!?]}";
/// Marks that do not end one (避尾).
const NOT_LAST: &str = "（《「『【〈“‘([{";

/// Breaks between Han characters and at spaces; words and numbers stay whole unless they are longer than a line.
fn wrap(letters: &Letters<'_>, text: &str, width: f32) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for c in text.chars() {
        let joins = |before: char| {
            let word = |c: char| c.is_ascii_graphic() || ('\u{C0}'..='\u{24F}').contains(&c);
            (word(before) && word(c)) || NOT_FIRST.contains(c) || NOT_LAST.contains(before)
        };
        match pieces.last_mut() {
            Some(piece) if piece.chars().next_back().is_some_and(joins) => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    let measure = |text: &str| text.chars().map(|c| letters.of(c).1).sum::<f32>();
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0.0);
    for piece in pieces {
        let wide = measure(&piece);
        if used + wide > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0.0;
        }
        if line.is_empty() && piece == " " {
            continue;
        }
        if wide <= width {
            line.push_str(&piece);
            used += wide;
            continue;
        }
        for c in piece.chars() {
            let wide = letters.of(c).1;
            if used + wide > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            line.push(c);
            used += wide;
        }
    }
    lines.push(line);
    lines
}

fn date_time(at: Time) -> DateTime {
    let (date, seconds) = at.china();
    let date = date.number();
    let part = |n: u32| u8::try_from(n).unwrap_or(0);
    DateTime::new(u16::try_from(date / 10_000).unwrap_or(1970))
        .month(part(date / 100 % 100))
        .day(part(date % 100))
        .hour(part(seconds / 3_600))
        .minute(part(seconds / 60 % 60))
        .second(part(seconds % 60))
        .utc_offset_hour(8)
        .utc_offset_minute(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: f32) -> Vec<String> {
        let fonts = Fonts::of_this_machine().unwrap();
        wrap(&fonts.text.letters(), text, width)
    }

    #[test]
    fn lines_break_where_a_reader_expects_it() {
        assert_eq!(lines("一二三四五", 3.0), ["一二三", "四五"]);
        assert_eq!(lines("一二三，四", 3.0), ["一二", "三，四"], "no comma begins a line");
        assert_eq!(lines("一二（三四", 3.0), ["一二", "（三四"], "no bracket ends one");
        assert_eq!(lines("甲 HD2026 乙", 5.0), ["甲", "HD2026", "乙"], "a number stays whole");
        assert_eq!(lines("", 3.0), [""]);
        assert!(lines(&"A".repeat(100), 5.0).len() > 8, "what is longer than a line is cut");
    }
}
