//! Searching what a host wrote for anything it must not know: numbers, names, accounts, amounts, keys.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use encoding_rs::GB18030;

use crate::world::{Institution, World};

/// What to look for, in every spelling that a program might store it in.
#[derive(Debug, Default)]
pub struct Words {
    /// By their first four bytes, which are looked up at every place.
    by_beginning: HashMap<[u8; 4], HashSet<Vec<u8>>>,
}

/// Bytes of the beginning of a word; a shorter one stands in random bytes by chance and is no use.
const BEGINNING: usize = 4;

/// Words shorter than this (a name of two characters in GB18030 or UTF-16 has four bytes) stand in
/// megabytes of sealed bytes now and then; see [`Search::by_chance`].
const CERTAIN: usize = 6;

impl Words {
    /// The applicants' names and numbers, and at these institutions their accounts, each amount, and
    /// the totals.
    pub fn of(world: &World, institutions: &[&Institution]) -> Self {
        let mut words = Self::default();
        for applicant in world.applicants() {
            words.text(&applicant.name);
            applicant.numbers().for_each(|number| words.text(&number.text));
        }
        for institution in institutions {
            for (account, amounts) in institution.accounts_of_applicants() {
                words.text(&account);
                amounts.into_iter().for_each(|minor| words.amount(minor));
            }
            for total in institution.truth.holdings.iter().flat_map(|holding| &holding.totals) {
                words.amount(total.minor);
            }
        }
        words
    }

    /// Looks for these bytes, and for them in hexadecimal.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.add(bytes.to_vec());
        self.add(hex::encode(bytes).into_bytes());
    }

    /// Looks for a text as UTF-8, GB18030 and UTF-16.
    pub fn text(&mut self, text: &str) {
        self.add(text.as_bytes().to_vec());
        self.add(GB18030.encode(text).0.into_owned());
        self.add(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        self.add(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }

    /// Looks for an amount of six digits or more as a person writes it, with its point, and for one that
    /// nothing else is by chance also as a number: in figures and as a slot holds it (SPEC §4.3.1). A
    /// digest in hexadecimal holds runs of six or seven figures, and an empty page of a database zeros.
    fn amount(&mut self, minor: i64) {
        let plain = minor.unsigned_abs();
        if plain >= 100_000 {
            self.text(&format!("{}.{:02}", plain / 100, plain % 100));
        }
        if plain >= 100_000_000 {
            self.text(&plain.to_string());
            self.add(minor.to_be_bytes().to_vec());
            self.add(minor.to_le_bytes().to_vec());
        }
    }

    fn add(&mut self, word: Vec<u8>) {
        if let Some(beginning) = word.first_chunk::<BEGINNING>() {
            self.by_beginning.entry(*beginning).or_default().insert(word);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_beginning.values().map(HashSet::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_beginning.is_empty()
    }

    /// The words that begin at a place.
    fn at<'w>(&'w self, rest: &[u8]) -> impl Iterator<Item = &'w Vec<u8>> {
        let words = rest.first_chunk::<BEGINNING>().and_then(|beginning| self.by_beginning.get(beginning));
        words.into_iter().flatten().filter(move |word| rest.starts_with(word))
    }

    /// Searches every file under `folder`, a database's log among them.
    pub fn search(&self, folder: &Path) -> Search {
        let short = self.by_beginning.values().flatten().filter(|word| word.len() < CERTAIN).count();
        let mut search = Search { words: self.len(), short, ..Search::default() };
        walk(folder, &mut |path, bytes| {
            search.files.push(path);
            search.bytes += bytes.len();
            for at in 0..bytes.len() {
                for word in self.at(&bytes[at..]) {
                    if word.len() < CERTAIN {
                        search.short_hits += 1;
                    } else {
                        search.hits += 1;
                    }
                }
            }
        });
        search
    }
}

/// What a search looked through and what it found.
#[derive(Debug, Default, Clone)]
pub struct Search {
    /// The files read.
    pub files: Vec<PathBuf>,
    /// Bytes read.
    pub bytes: usize,
    /// Different words looked for.
    pub words: usize,
    /// Places where one of them stands.
    pub hits: usize,
    /// How many of the words have four or five bytes.
    pub short: usize,
    /// Places where one of those stands.
    pub short_hits: usize,
}

impl Search {
    /// How many short words chance may put into so many bytes: what is to be expected of random ones, and
    /// six deviations more. A host that stored names would hold hundreds.
    pub fn by_chance(&self) -> usize {
        let expected = self.short as f64 * self.bytes as f64 / 2_f64.powi(32);
        (expected + 6.0 * expected.sqrt() + 3.0) as usize
    }

    /// Whether nothing was found that is more than chance.
    pub fn found_nothing(&self) -> bool {
        self.hits == 0 && self.short_hits <= self.by_chance()
    }
}

fn walk(folder: &Path, each: &mut impl FnMut(PathBuf, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, each);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            each(path, &bytes);
        }
    }
}
