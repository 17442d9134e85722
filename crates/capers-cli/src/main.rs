//! `capers`: looks into payloads without loading them.
//!
//! The command links no Python and runs nothing of what it reads; `capers-pickle` and `capers-code` do the reading. This file
//! owns the exit codes: 0 where all is well, 1 where two payloads differ or one is damaged, 2 where the command line or a file
//! cannot be read.

#![forbid(unsafe_code)]

mod arguments;
mod diff;
mod dis;
mod input;
mod output;
mod show;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};
use output::{Ended, Output};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut output = Output::new(arguments.color);
    let ended = run(&arguments.command, &mut output).and_then(|ended| output.flush().map(|()| ended));
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Otherwise) => ExitCode::from(1),
        // Whoever reads the output has seen enough, as `head` has.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("capers: {failure}");
            ExitCode::from(2)
        }
    }
}

fn run(command: &Command, output: &mut Output) -> Result<Ended, output::Failure> {
    match command {
        Command::Show(options) => show::show(options, output),
        Command::Dis(options) => dis::dis(options, output),
        Command::Diff(options) => diff::diff(options, output),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "capers", &mut text);
            output.write(&text).map(|()| Ended::Well)
        }
        Command::Man => {
            let mut text = Vec::new();
            manual(&mut text).map_err(output::Failure::Output)?;
            output.write(&text).map(|()| Ended::Well)
        }
    }
}

/// The manual page: the command's own, and below it what belongs to each subcommand.
fn manual(text: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Arguments::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(text)?;
    for each in command.get_subcommands().filter(|each| each.get_name() != "help") {
        let page = clap_mangen::Man::new(each.clone());
        page.render_synopsis_section(text)?;
        page.render_description_section(text)?;
        page.render_options_section(text)?;
    }
    Ok(())
}
