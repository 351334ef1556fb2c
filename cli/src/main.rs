//! `hedui`: every step of an exchange from a command line, without a question where files and flags
//! answer it. No logic lives here: `desk` makes and opens, the module matches, `host` serves. What does
//! live here is the edge: files (`files.rs`), passphrases (`keys.rs`), the clock and the system's
//! randomness (`edge.rs`), and how a failure is told (`failure.rs`). A command is a file of `commands/`.

#![expect(clippy::print_stdout, reason = "results go to standard output")]

mod commands;
mod edge;
mod failure;
mod files;
mod keys;
mod modules;
mod output;
mod parse;
mod relay;
mod serials;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{
    account, agreement, audit, cosign, desk, exchange, host, inspect, key, matching, open, roster, seal_file,
};
use output::Output;

/// 核对: household economic-status checks by tokens instead of names.
#[derive(Debug, Parser)]
#[command(name = "hedui", version, max_term_width = 100)]
struct Cli {
    /// Print results, and errors, as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make and show keys.
    #[command(subcommand)]
    Key(key::Command),
    /// Propose and countersign agreements (保密协议).
    #[command(subcommand)]
    Agreement(agreement::Command),
    /// Make rosters (核对名册).
    #[command(subcommand)]
    Roster(roster::Command),
    /// Compare a customer export with a roster, in the sandboxed module.
    Match(matching::Arguments),
    /// Sign an answer once more, as its approver.
    Cosign(cosign::Arguments),
    /// Seal a department's own table to the centre, for the centre's desk to match.
    SealFile(seal_file::Arguments),
    /// Open answers and show who was found where.
    Open(open::Arguments),
    /// Read what an answer disclosed, with its copy, as the institution's compliance office.
    Account(account::Arguments),
    /// Say what a document or key file is, and who signed it.
    Inspect(inspect::Arguments),
    /// Say what a module imports, exports and needs; fail on anything off the allow-list.
    Audit(audit::Arguments),
    /// Hand agreements and rosters to a host, as a centre.
    Post(exchange::Post),
    /// Fetch from a host what is new: an institution its agreements and rosters, a centre the answers.
    Fetch(exchange::Fetch),
    /// Send an answer to a host, as an institution, and keep its receipt.
    Send(exchange::Send),
    /// Run the relay between a centre and its institutions; `hedui-host` is the same without the desk linked in.
    Host(host::Arguments),
    /// The centre's console: staff, cases, dispatch; its data folder and backups.
    #[command(subcommand)]
    Desk(desk::Command),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    let done = match cli.command {
        Command::Key(command) => key::run(command, &output),
        Command::Agreement(command) => agreement::run(command, &output),
        Command::Roster(command) => roster::run(command, &output),
        Command::Match(arguments) => matching::run(&arguments, &output),
        Command::Cosign(arguments) => cosign::run(&arguments, &output),
        Command::SealFile(arguments) => seal_file::run(&arguments, &output),
        Command::Open(arguments) => open::run(&arguments, &output),
        Command::Account(arguments) => account::run(&arguments, &output),
        Command::Inspect(arguments) => inspect::run(&arguments, &output),
        Command::Audit(arguments) => audit::run(&arguments, &output),
        Command::Post(arguments) => exchange::post(&arguments, &output),
        Command::Fetch(arguments) => exchange::fetch(&arguments, &output),
        Command::Send(arguments) => exchange::send(&arguments, &output),
        Command::Host(arguments) => host::run(arguments, &output),
        Command::Desk(command) => desk::run(command, &output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.fail(&failure);
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn arguments_fit_each_other_and_every_example_is_one() {
        fn check(command: &clap::Command) {
            command.get_subcommands().for_each(check);
            if command.has_subcommands() {
                return;
            }
            let (name, help) = (command.get_name(), command.get_after_help().map(ToString::to_string));
            let help = help.unwrap_or_else(|| panic!("{name} has no example"));
            let example = help.strip_prefix("Example:\n  ").unwrap();
            let words: Vec<&str> = example.split_whitespace().collect();
            assert!(words[0] == "hedui" && words.contains(&name), "{example}");
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{example}\n{error}");
            }
            assert!(Cli::try_parse_from(words.iter().chain(&["--no-such-flag"])).is_err());
        }
        Cli::command().debug_assert();
        check(&Cli::command());
    }
}
