//! Finding out that a spreadsheet has damaged the column of identity numbers (SPEC §5.4).
//!
//! A spreadsheet keeps 15 digits of a number, other programs 53 bits. The damaged file still looks
//! whole: numbers ending in X survive as text, one in eleven of the others still has a fitting check
//! character, and nine hits in ten are lost in silence. So the column as a whole is judged.

use crate::error::ModuleError;
use protocol::subject::Reason;
use rows::Tally;

/// Rows after which a bad column is refused without reading the rest.
const EARLY: u64 = 2_000;

protocol::json_object! {
    /// Counts over the identity column of one file, or of a part of it.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct Damage {
        /// Rows whose check character or date does not fit.
        check_digit: u64,
        /// Rows with 18 digits.
        eighteen_digits: u64,
        /// Line of the first masked row.
        first_masked: u64,
        /// Line of the first row in scientific notation.
        first_scientific: u64,
        /// Rows with too few or too many digits.
        length: u64,
        /// Masked rows.
        masked: u64,
        /// Rows of 18 digits that are multiples of 16.
        multiples: u64,
        /// Rows.
        rows: u64,
        /// Rows in scientific notation.
        scientific: u64,
        /// Rows of 18 digits that end in 000.
        trailing_zeros: u64,
        /// Rows with a valid number.
        valid: u64,
    }
}

impl Damage {
    /// Takes note of an identity cell that held 18 digits.
    pub fn digits(&mut self, last_four: [u8; 4]) {
        let mut ends = Tally::default();
        ends.digits(last_four);
        self.ends(&ends);
    }

    /// Takes note of valid rows.
    pub fn valid(&mut self, rows: u64) {
        self.rows += rows;
        self.valid += rows;
    }

    /// Takes note of the rows that went the short way.
    pub fn tally(&mut self, tally: &Tally) {
        self.valid(tally.rows);
        self.ends(tally);
    }

    fn ends(&mut self, tally: &Tally) {
        self.eighteen_digits += tally.eighteen_digits;
        self.trailing_zeros += tally.trailing_zeros;
        self.multiples += tally.multiples;
    }

    /// Takes note of a row set aside.
    pub fn quarantined(&mut self, reason: Reason, row: u64) {
        self.rows += 1;
        match reason {
            Reason::Scientific => {
                self.scientific += 1;
                self.first_scientific = if self.scientific == 1 { row } else { self.first_scientific };
            }
            Reason::Masked => {
                self.masked += 1;
                self.first_masked = if self.masked == 1 { row } else { self.first_masked };
            }
            Reason::CheckDigit | Reason::Date => self.check_digit += 1,
            Reason::Length => self.length += 1,
            _ => {}
        }
    }

    /// Adds the counts of a part of the file, whose first line was behind `line_feeds` others.
    pub fn add(&mut self, part: &Self, line_feeds: u64) {
        if self.scientific == 0 && part.scientific > 0 {
            self.first_scientific = line_feeds + part.first_scientific;
        }
        if self.masked == 0 && part.masked > 0 {
            self.first_masked = line_feeds + part.first_masked;
        }
        self.check_digit += part.check_digit;
        self.eighteen_digits += part.eighteen_digits;
        self.length += part.length;
        self.masked += part.masked;
        self.multiples += part.multiples;
        self.rows += part.rows;
        self.scientific += part.scientific;
        self.trailing_zeros += part.trailing_zeros;
        self.valid += part.valid;
    }

    /// Whether it is time for an early look.
    pub fn early_look(&self) -> bool {
        self.rows == EARLY
    }

    /// Whether that time has passed.
    pub fn has_had_its_early_look(&self) -> bool {
        self.rows >= EARLY
    }

    /// Refuses the column when its numbers can't be trusted.
    ///
    /// # Errors
    /// One code for each kind of damage, with counts and, where it helps, the first row.
    pub fn judge(&self) -> Result<(), ModuleError> {
        let refuse = |code, message: &str, rows: u64| {
            Err(ModuleError::new(code, "id_number", message).with("rows", rows).with("of", self.rows))
        };
        if self.scientific > 0 {
            let error = refuse(
                "column_scientific",
                "scientific notation: a spreadsheet has thrown digits away; export the column as text",
                self.scientific,
            );
            return error.map_err(|e: ModuleError| e.with("first_row", self.first_scientific));
        }
        if self.masked >= 3 && self.masked * 50 > self.rows || (self.masked > 0 && self.valid == 0) {
            let error = refuse("column_masked", "masked numbers: export them without masking", self.masked);
            return error.map_err(|e: ModuleError| e.with("first_row", self.first_masked));
        }
        let n = self.eighteen_digits;
        let share =
            |k: u64, least: u64, percent: u64| (k >= least && k * 100 > n * percent) || (k == n && n >= 5);
        // One true number in a thousand ends in 000.
        if share(self.trailing_zeros, 3, 2) {
            return refuse(
                "column_trailing_zeros",
                "numbers end in 000: a spreadsheet has cut them to 15 digits; export the column as text",
                self.trailing_zeros,
            );
        }
        // One true number in sixteen is a multiple of 16.
        if share(self.multiples, 12, 25) {
            return refuse(
                "column_multiples",
                "numbers have lost their last digits in a program that keeps 53 bits; export the column as text",
                self.multiples,
            );
        }
        if self.check_digit >= 20 && self.check_digit > self.valid {
            return refuse(
                "column_check_digit",
                "most check digits do not fit: the wrong column, or a damaged one",
                self.check_digit,
            );
        }
        if self.length >= 20 && self.length > self.valid {
            return refuse(
                "column_length",
                "most numbers have the wrong length: they may have been cut; export the column as text",
                self.length,
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(numbers: impl IntoIterator<Item = u64>) -> Damage {
        let mut damage = Damage::default();
        for n in numbers {
            let text = format!("{n:018}");
            damage.digits(text.as_bytes()[14..].try_into().unwrap());
            damage.valid(1);
        }
        damage
    }

    fn code(damage: &Damage) -> &'static str {
        damage.judge().map_or_else(|e| e.code, |()| "good")
    }

    /// Plain numbers with every ending, as a true column has.
    fn plain(count: u64) -> impl Iterator<Item = u64> + Clone {
        (0..count).map(|i| 110_105_199_001_010_011 + i * 7_919)
    }

    #[test]
    fn a_damaged_column_is_refused_and_a_true_one_is_not() {
        assert_eq!(code(&column(plain(50_000))), "good");
        assert_eq!(code(&column(plain(6))), "good");
        assert_eq!(code(&column(plain(5_000).map(|n| n / 1_000 * 1_000))), "column_trailing_zeros");
        let half: Vec<u64> = plain(500).chain(plain(500).map(|n| n / 1_000 * 1_000)).collect();
        assert_eq!(code(&column(half)), "column_trailing_zeros");
        assert_eq!(code(&column(plain(5_000).map(|n| n as f64 as u64))), "column_multiples");
        assert_eq!(code(&column(plain(6).map(|n| n as f64 as u64))), "column_multiples");
    }

    #[test]
    fn one_scientific_cell_is_enough() {
        let mut damage = column(plain(10_000));
        damage.quarantined(Reason::Scientific, 77);
        let error = damage.judge().unwrap_err();
        assert_eq!((error.code, error.numbers["first_row"]), ("column_scientific", 77));
    }

    #[test]
    fn a_column_of_cut_numbers_is_refused() {
        let mut cut = column(plain(19));
        (0..20).for_each(|row| cut.quarantined(Reason::Length, row));
        assert_eq!(code(&cut), "column_length");
        cut.valid(1);
        assert_eq!(code(&cut), "good");
    }

    #[test]
    fn one_masked_cell_among_many_is_set_aside_only() {
        let mut damage = column(plain(10_000));
        damage.quarantined(Reason::Masked, 5);
        assert_eq!(code(&damage), "good");
        let mut all = Damage::default();
        all.quarantined(Reason::Masked, 1);
        assert_eq!(code(&all), "column_masked");
    }
}
