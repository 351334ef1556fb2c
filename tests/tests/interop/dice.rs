//! Random cells, names and bytes, the same in every run.

use protocol::value::Date;

/// SplitMix64 (Steele, Lea and Flood; Vigna's public-domain code).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.bits() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    pub(crate) fn digits(&mut self, n: usize) -> String {
        (0..n).map(|_| self.pick(b"0123456789") as char).collect()
    }

    pub(crate) fn letters(&mut self, n: usize) -> String {
        (0..n).map(|_| self.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ") as char).collect()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| u8::try_from(self.bits() >> 56).unwrap())
    }

    /// A character of one of the ranges that some rule speaks of.
    pub(crate) fn character(&mut self) -> char {
        const RANGES: [(u32, u32); 24] = [
            (0x09, 0x0D),
            (0x20, 0x7E),
            (0x20, 0x7E),
            (0x30, 0x39),
            (0x41, 0x5A),
            (0x80, 0xFF),
            (0x370, 0x3FF),
            (0x400, 0x45F),
            (0x1680, 0x1680),
            (0x2000, 0x206F),
            (0x2100, 0x218F),
            (0x2212, 0x2219),
            (0x22C5, 0x22C5),
            (0x25A1, 0x25A1),
            (0x2700, 0x271F),
            (0x3000, 0x30FF),
            (0x3400, 0x3410),
            (0x4E00, 0x9FFF),
            (0xA000, 0xA010),
            (0xE000, 0xE0FF),
            (0xF900, 0xF910),
            (0xFE63, 0xFEFF),
            (0xFF01, 0xFFFD),
            (0x1F600, 0x20100),
        ];
        let (first, last) = self.pick(&RANGES);
        let point = first + u32::try_from(self.below(usize::try_from(last - first).unwrap() + 1)).unwrap();
        char::from_u32(point).unwrap_or('?')
    }

    /// Gives `text` up to `most` small changes: of characters, of spelling, of what stands around it.
    pub(crate) fn change(&mut self, text: &str, most: usize) -> String {
        let mut text: Vec<char> = text.chars().collect();
        for _ in 0..self.below(most + 1) {
            let at = self.below(text.len() + 1);
            match self.below(12) {
                0 if at < text.len() => text[at] = char::from(self.pick(b"0123456789X")),
                1 if at < text.len() => {
                    text[at] = char::from(self.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ*.+E?,()"))
                }
                2 if at < text.len() => {
                    text.remove(at);
                }
                3 => text.insert(at, self.character()),
                4 => text.insert(
                    at,
                    self.pick(&[' ', '\t', '\u{A0}', '\u{3000}', '\u{200B}', '\u{FEFF}', '-', '\u{2013}']),
                ),
                5 if at < text.len() && text[at].is_ascii_graphic() => {
                    text[at] = char::from_u32(u32::from(text[at]) + 0xFEE0).unwrap();
                }
                6 => text.iter_mut().for_each(|c| c.make_ascii_lowercase()),
                7 => text = [&['=', '"'][..], &text, &['"'][..]].concat(),
                8 => text.insert(0, self.pick(&['\'', '’', '`', '＇', ' ', '='])),
                9 => text.iter_mut().filter(|c| **c == 'X').for_each(|c| *c = '\u{445}'),
                10 if at < text.len() => {
                    text[at] = self.pick(&['Х', 'Χ', 'Ⅹ', '×', '✕', 'ⅹ', '*', '＊', 'χ'])
                }
                _ if at + 1 < text.len() => text.swap(at, at + 1),
                _ => text.push('*'),
            }
        }
        text.into_iter().collect()
    }

    /// A resident number that is valid.
    pub(crate) fn resident(&mut self) -> String {
        let area = self.pick(&["110105", "440524", "810000", "830000", "911155", "310101"]);
        let date = Date::from_days(i64::try_from(self.below(60_000)).unwrap() - 25_567).unwrap();
        let body = format!("{area}{}{}", date.number(), self.digits(3));
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: usize = body.bytes().zip(weights).map(|(d, w)| usize::from(d - b'0') * w).sum();
        format!("{body}{}", char::from(b"10X98765432"[sum % 11]))
    }

    /// A text for an identity cell.
    pub(crate) fn cell(&mut self) -> String {
        let base = match self.below(16) {
            0..=3 => self.resident(),
            4 => {
                let new = self.resident();
                format!("{}{}{}", &new[..6], &new[8..14], self.pick(&["001", "996", "997", "999", "123"]))
            }
            5 => format!("{}{}", self.letters(3), self.digits(12)),
            6 => {
                let letters = self.below(3);
                let digits = 6 + self.below(4);
                format!("{}{}", self.letters(letters), self.digits(digits))
            }
            7 => {
                let reissue = self.below(4);
                format!("{}{}", self.pick(&["H", "M", "C", ""]), self.digits(8 + reissue))
            }
            8 => {
                let prefix = self.pick(&["军", "南海", "士", "", "空军装", "军官证", "\u{3400}"]);
                let digits = 5 + self.below(7);
                format!("{prefix}{}第{}号", self.pick(&["字", ""]), self.digits(digits))
            }
            9 => format!("{}.{}E{}{}", self.digits(1), self.digits(5), self.pick(&["+", ""]), self.digits(2)),
            10 => self.pick(&["0", "7", "1"]).repeat(1 + self.below(19)),
            11 => {
                let (body, code) = (self.digits(6), "0123456789ABCDEFGHJKLMNPQRTUWXY");
                let rest: String = (0..12).map(|_| char::from(self.pick(code.as_bytes()))).collect();
                format!("{body}{rest}")
            }
            12 => self.all_digit_credit_code(),
            13 => {
                let digits = 1 + self.below(22);
                format!("{}{}", self.digits(digits), self.pick(&["", "X", "XX", "*"]))
            }
            14 => self
                .pick(&["", "-", "无", "字", "123456789012345", "123456789012345678", "=\"", "=\"\"", "'"])
                .to_owned(),
            _ => (0..self.below(24)).map(|_| self.character()).collect(),
        };
        self.change(&base, 3)
    }

    /// 18 digits whose check character is that of GB 32100.
    pub(crate) fn all_digit_credit_code(&mut self) -> String {
        loop {
            let body = self.digits(17);
            let (mut sum, mut weight) = (0, 1);
            for digit in body.bytes() {
                sum += usize::from(digit - b'0') * weight;
                weight = weight * 3 % 31;
            }
            match (31 - sum % 31) % 31 {
                check @ 0..=9 => return format!("{body}{check}"),
                29 => return format!("{body}X"),
                _ => {}
            }
        }
    }

    /// A text for a document-kind cell.
    pub(crate) fn kind_cell(&mut self) -> String {
        const WORDS: [&str; 30] = [
            "营业执照",
            "信用代码",
            "机构代码",
            "工商",
            "企业",
            "护照",
            "PassPort",
            "passpor",
            "台胞",
            "台湾居民来往",
            "台湾",
            "通行证",
            "往来台湾",
            "回乡",
            "港澳居民来往",
            "港澳",
            "往来港澳",
            "军官",
            "士兵",
            "警官",
            "文职",
            "军人",
            "身份证",
            "户口簿",
            "居住证",
            "往来",
            "大陆",
            " ",
            "\u{3000}",
            "-",
        ];
        let cell: String = (0..1 + self.below(3)).map(|_| self.pick(&WORDS)).collect();
        if self.below(5) == 0 { self.change(&cell, 2) } else { cell }
    }

    /// A text for a name cell.
    pub(crate) fn name(&mut self) -> String {
        const PARTS: [&str; 32] = [
            "张",
            "三",
            "欧阳",
            "娜娜",
            "阿依古丽",
            "买买提",
            "·",
            "•",
            "‧",
            "・",
            "･",
            "．",
            ".",
            "⋅",
            "∙",
            "Smith",
            "JOHN",
            "von",
            "J.",
            " ",
            ",",
            "  ",
            "-",
            "（监护人）",
            "(x)",
            "(",
            ")",
            "\u{3000}",
            "ＬＥＥ",
            "é",
            "'",
            "\u{200B}",
        ];
        let name: String = (0..1 + self.below(5)).map(|_| self.pick(&PARTS)).collect();
        match self.below(8) {
            0 => self.change(&name, 2),
            1 => (0..self.below(8)).map(|_| self.character()).collect(),
            _ => name,
        }
    }

    /// Another spelling of `name`, or another name.
    pub(crate) fn other_name(&mut self, name: &str) -> String {
        match self.below(5) {
            0 => name.to_owned(),
            1 => format!(" {name}\u{3000}"),
            2 => name.replace(['·', '•', '.'], "・").to_lowercase(),
            3 => self.name(),
            _ => self.change(name, 1),
        }
    }
}
