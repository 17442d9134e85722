//! The command line, declared.

use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser, Subcommand};

/// Looks into pickles, those of capers above all, without loading them.
///
/// Nothing of a payload is imported or run. Exit codes: 0 where all is well; 1 where two payloads differ, or one is damaged;
/// 2 where the command line or a file cannot be read.
#[derive(Parser)]
#[command(name = "capers", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Whether to use colours: `auto` uses them on a terminal, unless `NO_COLOR` is set.
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Tell what is in a payload: functions, classes, data by size, globals.
    Show(Show),
    /// List the instructions of a payload in the manner of `pickletools.dis`.
    Dis(Dis),
    /// Tell in which functions, captures and constants two payloads differ.
    Diff(Diff),
    /// Write a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual page.
    Man,
}

#[derive(Args)]
pub(crate) struct Show {
    /// The payload; `-` is the standard input.
    pub(crate) file: PathBuf,
    /// Write everything that is known as JSON.
    #[arg(long, conflicts_with = "tree")]
    pub(crate) json: bool,
    /// Write the tree of all that travels, with bytes.
    #[arg(long)]
    pub(crate) tree: bool,
    /// Leave nothing out of the tree or the lists.
    #[arg(long)]
    pub(crate) all: bool,
    /// Write one page with a map of the bytes, which needs nothing from the network.
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Dis {
    /// The payload; `-` is the standard input.
    pub(crate) file: PathBuf,
    /// Show the bytecode of the functions in it, too.
    #[arg(long)]
    pub(crate) code: bool,
    /// Write just what `pickletools.dis` writes, arguments of any length included.
    #[arg(long, conflicts_with = "code")]
    pub(crate) plain: bool,
}

#[derive(Args)]
pub(crate) struct Diff {
    /// One payload; `-` is the standard input.
    pub(crate) first: PathBuf,
    /// The other one.
    pub(crate) second: PathBuf,
}
