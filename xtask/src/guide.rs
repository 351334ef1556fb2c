//! `cargo xtask guide`: runs the commands of `docs/AUDIT.md` and compares what they print with what it says.
//!
//! A block of `console` is one command behind `$ ` and its output. `...` as a line stands for any lines, `…` in one
//! for any text, and `[exit N]` as the last line for a command that fails so. `hedui` is the one in target/debug.

use crate::shell::{FIRST_BUILD, cargo, forget_package, run, say, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const GUIDE: &str = "docs/AUDIT.md";

/// Builds `hedui`, and runs the guide.
///
/// # Errors
/// Where a command prints something else, or ends otherwise.
pub(crate) fn run_guide() -> Result<()> {
    let root = workspace()?;
    say(&format!("builds hedui; {FIRST_BUILD}"));
    run(cargo(&root).args(["build", "--workspace", "--exclude", "xtask", "--locked", "--bin", "hedui"]))?;
    say(&format!("runs the commands of {GUIDE}"));
    let text = fs::read_to_string(root.join(GUIDE)).with_context(|| format!("{GUIDE} is missing"))?;
    let blocks = blocks(&text)?;
    ensure!(blocks.len() >= 8, "{GUIDE} has only {} commands", blocks.len());
    let target = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    for block in &blocks {
        say(&format!("$ {}", block.command));
        block.check(&root, &target.join("debug"))?;
    }
    say(&format!("{} commands print what the guide says", blocks.len()));
    Ok(())
}

/// A command and what comes of it.
#[derive(Debug, PartialEq)]
struct Block<'a> {
    command: &'a str,
    output: Vec<&'a str>,
    exit: i32,
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.by_ref().any(|line| line == "```console") {
        let mut inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        ensure!(!inside.is_empty(), "a block of the guide is empty");
        let command = inside.remove(0).strip_prefix("$ ").context("a block begins with `$ `")?;
        ensure!(!inside.iter().any(|line| line.starts_with("$ ")), "one block, one command: {command}");
        let exit =
            inside.last().and_then(|last| last.strip_prefix("[exit ")?.strip_suffix(']')?.parse().ok());
        if exit.is_some() {
            inside.pop();
        }
        blocks.push(Block { command, output: inside, exit: exit.unwrap_or(0) });
    }
    Ok(blocks)
}

impl Block<'_> {
    fn check(&self, root: &Path, programs: &Path) -> Result<()> {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([programs.to_owned()].into_iter().chain(env::split_paths(&path)))?;
        let mut bash = Command::new("bash");
        forget_package(&mut bash);
        let output = bash
            .args(["-c", self.command])
            .current_dir(root)
            .env("PATH", path)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run bash")?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = printed.lines().collect();
        if output.status.code() != Some(self.exit) || !alike(&self.output, &lines) {
            bail!(
                "$ {}\nprints ({}):\n{printed}\nand the guide says (exit {}):\n{}",
                self.command,
                output.status,
                self.exit,
                self.output.join("\n")
            );
        }
        Ok(())
    }
}

/// Whether `found` is what `said` says: line by line, with `...` for any number of lines.
fn alike(said: &[&str], found: &[&str]) -> bool {
    match said.split_first() {
        None => found.is_empty(),
        Some((&"...", rest)) => {
            (0..=found.len()).any(|skip| alike(rest, found.get(skip..).unwrap_or_default()))
        }
        Some((line, rest)) => found.split_first().is_some_and(|(first, found)| {
            line_alike(line.trim_end(), first.trim_end()) && alike(rest, found)
        }),
    }
}

/// Whether a line is what the guide says, with `…` for any text.
fn line_alike(said: &str, found: &str) -> bool {
    match said.split_once('…') {
        None => said == found,
        Some((before, after)) => found.strip_prefix(before).is_some_and(|found| {
            let ends = found.char_indices().map(|(at, _)| at).chain([found.len()]);
            ends.into_iter().any(|at| line_alike(after, found.get(at..).unwrap_or_default()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read() {
        let text = "a\n```console\n$ ls x\nfirst\n...\n[exit 2]\n```\n```sh\n$ not this\n```\n```console\n$ true\n```\n";
        let expected = [
            Block { command: "ls x", output: vec!["first", "..."], exit: 2 },
            Block { command: "true", output: vec![], exit: 0 },
        ];
        assert_eq!(blocks(text).unwrap(), expected);
        assert!(blocks("```console\nls\n```\n").is_err());
        assert!(blocks("```console\n$ ls\n$ ls\n```\n").is_err());
    }

    #[test]
    fn placeholders_stand_for_what_they_say() {
        assert!(alike(&["a …, c", "...", "end"], &["a b, c", "x", "y", "end"]));
        assert!(alike(&["...", "end"], &["end"]));
        assert!(!alike(&["a …, c"], &["a b, d"]));
        assert!(!alike(&["end"], &["end", "more"]));
        assert!(!alike(&["...", "end"], &["x"]));
        assert!(!alike(&[], &["x"]));
    }

    #[test]
    fn a_command_that_says_otherwise_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let check = |command, output: Vec<&'static str>, exit| {
            Block { command, output, exit }.check(folder.path(), folder.path()).is_ok()
        };
        assert!(check("echo one", vec!["one"], 0) && check("echo one; exit 3", vec!["one"], 3));
        assert!(!check("echo two", vec!["one"], 0) && !check("echo one; exit 1", vec!["one"], 0));
    }
}
