//! Every input of the fuzzers' corpora, through the same functions, on the stable compiler.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// `fuzz/corpus/TARGET`: what is found worth keeping, and what once made a target panic.
fn corpora() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

/// The file that a target panics over is the last one that is named.
#[test]
fn no_input_of_a_corpus_makes_its_target_panic() {
    for (name, target) in fuzzed::TARGETS {
        let folder = corpora().join(name);
        let mut files: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap_or_else(|_| panic!("a corpus {}", folder.display()))
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        assert!(files.len() >= 10, "{name}: {} inputs are too few to be a corpus", files.len());
        for file in files {
            println!("{}", file.display());
            target(&fs::read(&file).unwrap());
        }
    }
}

/// A corpus without a target would be replayed by nobody, and a target without a binary is run by nobody.
#[test]
fn targets_binaries_and_corpora_have_the_same_names() {
    let names = |folder: PathBuf| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let targets: BTreeSet<String> = fuzzed::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(corpora()), targets);
    assert_eq!(names(corpora().join("../fuzz_targets")), targets);
}
