//! The page's ES modules as one classic script: a page from `file://` may load no modules.
//!
//! Each module becomes a function that returns what it exports, in the order in which they need each other; its lines
//! stay as they are but for imports and exports. Only the forms that the page uses are known, each at the beginning
//! of a line, and anything else is an error that names file and line:
//!
//! ```text
//! import name from './file.js';          export const name = …      export function name(…
//! import { a, b as c } from './file.js'; export class Name …        export async function name(…
//! import * as name from './file.js';     export default expression;
//! ```

use super::code;
use anyhow::{Result, anyhow, bail, ensure};
use std::collections::HashMap;

/// Links the modules that `entries` need, each read by its name. An entry becomes an async function of its own
/// (`$page_js` for `page.js`), so that it may wait and runs only when called; every other module runs at once.
pub(super) fn link(entries: &[&str], read: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut linker = Linker { read, linked: HashMap::new(), open: Vec::new(), script: String::new() };
    for entry in entries {
        linker.add(entry, true)?;
    }
    Ok(linker.script)
}

struct Linker<R> {
    read: R,
    /// What each module exports.
    linked: HashMap<String, Vec<String>>,
    /// Modules whose imports are being linked, outermost first.
    open: Vec<String>,
    script: String,
}

impl<R: Fn(&str) -> Result<String>> Linker<R> {
    fn add(&mut self, name: &str, entry: bool) -> Result<()> {
        if self.linked.contains_key(name) {
            return Ok(());
        }
        ensure!(
            !self.open.iter().any(|open| open == name),
            "{} and {name} import each other",
            self.open.join(", ")
        );
        let module = Module::read(name, &(self.read)(name)?)?;
        self.open.push(name.to_owned());
        let mut head = String::new();
        for import in &module.imports {
            self.add(&import.from, false)?;
            let exported = self.linked.get(&import.from).map(Vec::as_slice).unwrap_or_default();
            for (name_there, _) in &import.names {
                let line = import.line;
                ensure!(
                    exported.contains(name_there),
                    "{name}:{line}: {} exports no {name_there}",
                    import.from
                );
            }
            head += &import.as_const();
        }
        self.open.pop();
        let (function, call) = if entry { ("async () =>", "") } else { ("(() =>", ")()") };
        let exports: Vec<String> =
            module.exports.iter().map(|(outer, inner)| format!("{outer}: {inner}")).collect();
        self.script += &format!(
            "// {name}\nconst {} = {function} {{\n{head}{}return {{ {} }};\n}}{call};\n\n",
            variable(name),
            module.body,
            exports.join(", "),
        );
        self.linked.insert(name.to_owned(), module.exports.into_iter().map(|(outer, _)| outer).collect());
        Ok(())
    }
}

/// Where a module's exports are kept: a name that nobody would write.
fn variable(module: &str) -> String {
    format!("${}", module.replace(['.', '-'], "_"))
}

/// A module, taken apart.
struct Module {
    imports: Vec<Import>,
    /// What each export is called outside and inside.
    exports: Vec<(String, String)>,
    /// The lines, without imports and the word `export`.
    body: String,
}

struct Import {
    line: usize,
    from: String,
    /// What each is called there and here; empty for the whole module.
    names: Vec<(String, String)>,
    /// The name of the whole module, where that is taken.
    whole: Option<String>,
}

impl Import {
    fn as_const(&self) -> String {
        let module = variable(&self.from);
        match &self.whole {
            Some(name) => format!("const {name} = {module};\n"),
            None => {
                let names: Vec<String> =
                    self.names.iter().map(|(there, here)| format!("{there}: {here}")).collect();
                format!("const {{ {} }} = {module};\n", names.join(", "))
            }
        }
    }
}

impl Module {
    fn read(name: &str, source: &str) -> Result<Self> {
        ensure!(!source.contains('\r'), "{name}: line breaks must be single line feeds");
        let code = code::only(source).map_err(|line| {
            anyhow!("{name}:{line}: a text, comment, pattern or brace that the linker cannot follow")
        })?;
        let mut module = Self { imports: Vec::new(), exports: Vec::new(), body: String::new() };
        let mut done = 0;
        for (at, word) in words(&code) {
            if !matches!(word, "import" | "export") {
                continue;
            }
            let line = code::line_of(source, at);
            let wrong = || anyhow!("{name}:{line}: a form of `{word}` that the linker does not know");
            let starts_line = at == 0 || code.as_bytes().get(at - 1) == Some(&b'\n');
            ensure!(starts_line && at >= done, wrong());
            module.body += source.get(done..at).unwrap_or_default();
            if word == "import" {
                let length = code.get(at..).and_then(|rest| rest.find(';')).ok_or_else(wrong)? + 1;
                let statement = source.get(at..at + length).unwrap_or_default();
                module.imports.push(import(statement, line).ok_or_else(wrong)?);
                done = at + length;
            } else {
                let rest = code.get(at..).unwrap_or_default();
                if let Some(expression) = rest.strip_prefix("export default ") {
                    ensure!(
                        !["function", "class", "async"].iter().any(|w| expression.starts_with(w)),
                        wrong()
                    );
                    module.exports.push(("default".into(), "$default".into()));
                    module.body += "const $default = ";
                    done = at + "export default ".len();
                } else {
                    let exported = declared(rest).ok_or_else(wrong)?;
                    module.exports.push((exported.to_owned(), exported.to_owned()));
                    done = at + "export ".len();
                }
            }
        }
        module.body += source.get(done..).unwrap_or_default();
        if !module.body.ends_with('\n') {
            module.body.push('\n');
        }
        for text in ["</script", "<script", "<!--"] {
            // The page's parser would take it for its own.
            if let Some(at) = source.to_ascii_lowercase().find(text) {
                bail!("{name}:{}: holds {text}", code::line_of(source, at));
            }
        }
        Ok(module)
    }
}

/// The words of a script, and where each begins. One behind a dot is a member's name, none of its own.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let pieces = code.split_inclusive(|c: char| !c.is_ascii() || !code::in_name(c as u8));
    let placed = pieces.map(move |piece| {
        let begin = at;
        at += piece.len();
        (begin, piece.trim_end_matches(|c: char| !c.is_ascii() || !code::in_name(c as u8)))
    });
    placed.filter(move |(begin, word)| {
        !word.is_empty() && begin.checked_sub(1).and_then(|before| code.as_bytes().get(before)) != Some(&b'.')
    })
}

/// The name in `export const name =`, `export function name(`, `export async function name(`, `export class Name `.
fn declared(statement: &str) -> Option<&str> {
    let ends = [
        ("export const ", " ="),
        ("export function ", "("),
        ("export async function ", "("),
        ("export class ", " "),
    ];
    ends.iter().find_map(|(begin, end)| {
        let rest = statement.strip_prefix(begin)?;
        let name = rest.get(..rest.find(|c: char| !c.is_ascii() || !code::in_name(c as u8))?)?;
        let follows = rest.get(name.len()..)?;
        (is_name(name) && follows.starts_with(end)).then_some(name)
    })
}

/// One of the three forms of an import, up to its semicolon.
fn import(statement: &str, line: usize) -> Option<Import> {
    let (what, from) = statement.strip_prefix("import ")?.rsplit_once(" from ")?;
    let from = from.strip_prefix("'./")?.strip_suffix("';")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !from.ends_with(".js") || from.starts_with('.') || !from.chars().all(plain) {
        return None;
    }
    let mut import = Import { line, from: from.to_owned(), names: Vec::new(), whole: None };
    if let Some(name) = what.strip_prefix("* as ") {
        import.whole = Some(name.to_owned()).filter(|name| is_name(name));
        import.whole.as_ref()?;
    } else if let Some(list) = what.strip_prefix('{').and_then(|what| what.strip_suffix('}')) {
        let list = list.trim().trim_end_matches(',');
        for item in list.split(',').map(str::trim) {
            let (there, here) = item.split_once(" as ").unwrap_or((item, item));
            if !is_name(there) || !is_name(here) {
                return None;
            }
            import.names.push((there.to_owned(), here.to_owned()));
        }
    } else {
        if !is_name(what) {
            return None;
        }
        import.names.push(("default".into(), what.to_owned()));
    }
    Some(import)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(code::in_name) && !text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(files: &[(&str, &str)]) -> Result<String> {
        let read = |name: &str| {
            let file = files.iter().find(|(file, _)| *file == name);
            file.map(|(_, text)| (*text).to_owned()).ok_or_else(|| anyhow!("no {name}"))
        };
        link(&[files[0].0], read)
    }

    #[test]
    fn modules_become_functions_in_the_order_in_which_they_need_each_other() {
        let files = [
            (
                "page.js",
                "// @ts-check\nimport * as all from './b.js';\nimport words from './a.js';\nimport {\n  one,\n  two as second,\n} from './b.js';\nawait one(words, second, all);\n",
            ),
            (
                "a.js",
                "/** @type {import('./b.js').X} */ export\nexport default { a: 'import' };"
                    .trim_start_matches("/** @type {import('./b.js').X} */ export\n"),
            ),
            (
                "b.js",
                "import text from './a.js';\nexport const one = (x) => x.import;\nexport async function two() {}\nexport class Three {}\nconst hidden = text;\n",
            ),
        ];
        assert_eq!(
            linked(&files).unwrap(),
            "// a.js\nconst $a_js = (() => {\nconst $default = { a: 'import' };\nreturn { default: $default };\n})();\n\n\
             // b.js\nconst $b_js = (() => {\nconst { default: text } = $a_js;\n\nconst one = (x) => x.import;\n\
             async function two() {}\nclass Three {}\nconst hidden = text;\nreturn { one: one, two: two, Three: Three };\n})();\n\n\
             // page.js\nconst $page_js = async () => {\nconst all = $b_js;\nconst { default: words } = $a_js;\n\
             const { one: one, two: second } = $b_js;\n// @ts-check\n\n\n\nawait one(words, second, all);\nreturn {  };\n};\n\n"
        );
    }

    #[test]
    fn comments_texts_and_members_may_say_what_they_like() {
        let text = "/** @type {import('./b.js').X} */ let x;\n// export let y\nconst z = `\nimport a from './a.js';\n`;\nz.export();\n";
        assert!(linked(&[("page.js", text)]).unwrap().contains(text));
    }

    #[test]
    fn every_other_form_is_refused_with_file_and_line() {
        for form in [
            "export let a = 1;",
            "export { a };",
            "export * from './b.js';",
            "export default function a() {}",
            "export default class A {}",
            "export const { a } = b;",
            "export  const a = 1;",
            " export const a = 1;",
            "import './b.js';",
            "import a, { b } from './b.js';",
            "import { a } from \"./b.js\";",
            "import { a } from '../b.js';",
            "import { a } from './../b.js';",
            "import { a } from 'https://example.org/b.js';",
            "import { 'a-b' as c } from './b.js';",
            "import { a } from './b.js' with { type: 'json' };",
            "import { a } from './b.js'",
            "const a = import('./b.js');",
            "const a = import.meta.url;",
            "if (a) import('./b.js');",
        ] {
            let text = format!("const first = 1;\n{form}\n");
            let error =
                linked(&[("page.js", &text), ("b.js", "export const a = 1;\n")]).unwrap_err().to_string();
            assert!(error.starts_with("page.js:2: "), "{form}: {error}");
        }
    }

    #[test]
    fn what_is_not_exported_and_what_goes_round_is_refused() {
        let missing = [("page.js", "\nimport { a } from './b.js';\n"), ("b.js", "const a = 1;\n")];
        assert_eq!(linked(&missing).unwrap_err().to_string(), "page.js:2: b.js exports no a");
        let round = [
            ("page.js", "import { a } from './b.js';\n"),
            ("b.js", "import { p } from './page.js';\nexport const a = 1;\n"),
        ];
        assert_eq!(linked(&round).unwrap_err().to_string(), "page.js, b.js and page.js import each other");
        let gone = [("page.js", "import { a } from './b.js';\n")];
        assert_eq!(linked(&gone).unwrap_err().to_string(), "no b.js");
    }

    #[test]
    fn what_would_end_the_script_early_is_refused() {
        let error = linked(&[("page.js", "\nconst a = '</SCRIPT>';\n")]).unwrap_err().to_string();
        assert_eq!(error, "page.js:2: holds </script");
    }
}
