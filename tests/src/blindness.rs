//! Searching what a host wrote for anything it must not know: numbers, names, amounts.

use std::collections::HashSet;
use std::path::Path;

use crate::world::World;

/// What a search looked through and what it found.
#[derive(Debug, Default, Clone, Copy)]
pub struct Search {
    /// Files read, the database and its log among them.
    pub files: usize,
    /// Bytes read.
    pub bytes: usize,
    /// Different words looked for.
    pub words: usize,
    /// Places where one of them stands.
    pub hits: usize,
}

/// Words shorter than this stand in random bytes by chance.
const SHORTEST: usize = 6;

/// Searches every file under `folder` for every number, name and total of the world's applicants.
pub fn search(folder: &Path, world: &World) -> Search {
    let mut words: HashSet<Vec<u8>> = HashSet::new();
    let mut add = |word: &str| {
        if word.len() >= SHORTEST {
            words.insert(word.as_bytes().to_vec());
        }
    };
    for applicant in world.applicants() {
        add(&applicant.name);
        applicant.numbers().for_each(|number| add(&number.text));
    }
    for institution in &world.institutions {
        for total in institution.truth.holdings.iter().flat_map(|holding| &holding.totals) {
            add(&total.minor.unsigned_abs().to_string());
            add(&format!("{}.{:02}", total.minor.unsigned_abs() / 100, total.minor.unsigned_abs() % 100));
        }
    }
    let mut search = Search { words: words.len(), ..Search::default() };
    let lengths: HashSet<usize> = words.iter().map(Vec::len).collect();
    walk(folder, &mut |bytes| {
        search.files += 1;
        search.bytes += bytes.len();
        for length in &lengths {
            search.hits += bytes.windows(*length).filter(|window| words.contains(*window)).count();
        }
    });
    search
}

fn walk(folder: &Path, each: &mut impl FnMut(&[u8])) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, each);
        } else {
            each(&std::fs::read(path).unwrap());
        }
    }
}
