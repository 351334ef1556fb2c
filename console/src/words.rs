//! Every sentence a person reads, in `strings/zh.txt` and `strings/en.txt`: one key a line, `key = text`, with
//! `{name}` where a value goes. Chinese unless somebody asked for English.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A language, and its sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// 中文.
    Chinese,
    /// English.
    English,
}

type Dictionary = HashMap<&'static str, &'static str>;

static CHINESE: LazyLock<Dictionary> = LazyLock::new(|| read(include_str!("../strings/zh.txt")));
static ENGLISH: LazyLock<Dictionary> = LazyLock::new(|| read(include_str!("../strings/en.txt")));

fn read(text: &'static str) -> Dictionary {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).collect()
}

impl Words {
    /// The sentence of a key; the key itself where there is none, which a test forbids.
    pub fn t(self, key: &'static str) -> &'static str {
        self.dictionary().get(key).copied().unwrap_or(key)
    }

    /// The sentence of a key that is put together, such as `role.` and a role's name.
    pub fn of(self, group: &str, name: &str) -> &'static str {
        self.dictionary().get(format!("{group}.{name}").as_str()).copied().unwrap_or("?")
    }

    /// The sentence of a key that was handed on.
    pub fn of_key(self, key: &str) -> &'static str {
        self.dictionary().get(key).copied().unwrap_or("?")
    }

    /// The sentence with values in it.
    pub fn fill(self, key: &'static str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        let mut text = self.t(key).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }

    /// For `lang="…"`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    fn dictionary(self) -> &'static Dictionary {
        match self {
            Self::Chinese => &CHINESE,
            Self::English => &ENGLISH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn both_languages_say_the_same_things() {
        let keys = |dictionary: &Dictionary| dictionary.keys().copied().collect::<BTreeSet<_>>();
        assert!(CHINESE.len() > 50);
        let (zh, en) = (keys(&CHINESE), keys(&ENGLISH));
        assert_eq!(zh.difference(&en).collect::<Vec<_>>(), [&""; 0], "not in English");
        assert_eq!(en.difference(&zh).collect::<Vec<_>>(), [&""; 0], "not in Chinese");
        let holes = |text: &str| {
            let mut names: Vec<String> =
                text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect();
            names.sort();
            names
        };
        for (key, text) in CHINESE.iter() {
            assert_eq!(holes(text), holes(ENGLISH[key]), "{key}");
        }
    }

    /// `t("…")`, `fill("…")` and keys handed on as `"group.name"` literals of known groups.
    #[test]
    fn every_key_of_the_code_is_in_the_dictionary() {
        let mut files = Vec::new();
        collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
        let mut seen = 0;
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.split("mod tests").next().unwrap();
            for marker in [".t(\"", ".fill(\"", "Key(\"", "refuse(\"", "Rule(\""] {
                for rest in text.split(marker).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(CHINESE.contains_key(key), "{key} of {}", file.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 50, "only {seen} keys seen");
    }

    fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
}
