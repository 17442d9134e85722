//! Standard output with colours where they are wanted, and how the command ends.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use clap::ColorChoice;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All is well.
    Well,
    /// Payloads differ, or one is damaged.
    Otherwise,
}

/// Why the command could not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file could not be read.
    Read(PathBuf, io::Error),
    /// A file could not be written.
    Write(PathBuf, io::Error),
    /// Standard output could not be written.
    Output(io::Error),
    /// The file is something else.
    NotAPickle(PathBuf, String),
    /// There is no room for what the payload holds.
    TooLarge(PathBuf, capers_pickle::Error),
}

impl Failure {
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// A path for messages.
pub(crate) fn name(path: &std::path::Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// What the system says, without the number in brackets and in lower case.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Read(path, error) => write!(f, "cannot read {}: {}", name(path), plain(error)),
            Failure::Write(path, error) => write!(f, "cannot write {}: {}", name(path), plain(error)),
            Failure::Output(error) => write!(f, "cannot write: {}", plain(error)),
            Failure::NotAPickle(path, what) => write!(f, "{} {what}", name(path)),
            Failure::TooLarge(path, error) => {
                write!(f, "{} holds more values at once than there is room for: {error}", name(path))
            }
        }
    }
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Heading,
    Name,
    Faint,
    Warning,
    Added,
    Removed,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Heading => "1",
            Style::Name => "36",
            Style::Faint => "2",
            Style::Warning => "33",
            Style::Added => "32",
            Style::Removed => "31",
        }
    }
}

/// Standard output.
pub(crate) struct Output {
    to: BufWriter<io::StdoutLock<'static>>,
    colors: bool,
    error: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(choice: ColorChoice) -> Self {
        let to = io::stdout().lock();
        let colors = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => to.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Output { to: BufWriter::with_capacity(1 << 16, to), colors, error: None }
    }

    /// Text in a style. What a payload holds must not steer the terminal: control characters are shown as pictures of them.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        let text = tame(text);
        if self.colors && style != Style::Plain { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.to.write_all(bytes).map_err(Failure::Output)
    }

    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.write(text.as_bytes())?;
        self.write(b"\n")
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        match self.error.take() {
            Some(error) => Err(Failure::Output(error)),
            None => self.to.flush().map_err(Failure::Output),
        }
    }

    /// The error that a write through `fmt::Write` met.
    pub(crate) fn failure(&mut self) -> Failure {
        Failure::Output(self.error.take().unwrap_or_else(|| io::ErrorKind::Other.into()))
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.to.write_all(text.as_bytes()).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

/// Control characters as their pictures, and those that turn the direction of text as replacement characters.
pub(crate) fn tame(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('?'),
            '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            _ => letter,
        })
        .collect()
}

/// A number with commas between thousands.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    for (unit, name) in [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= 10 * unit {
            return format!("{} {name}", number(bytes / unit));
        }
        if bytes >= unit {
            return format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit);
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_numbers_are_written_for_people() {
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(301 << 20), "301 MiB");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(12), "12");
    }

    #[test]
    fn a_payload_cannot_steer_the_terminal() {
        assert_eq!(tame("a\x1b[31m\u{202e}b\n"), "a␛[31m\u{fffd}b␊");
    }
}
