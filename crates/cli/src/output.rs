//! Where a command writes: results to `data`, everything else to `notes`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mediaprep::Error;
use mediaprep::media::{Warning, Watch};

use crate::args::{Color, Common};
use crate::failure::Failure;
use crate::item::Row;
use crate::progress::Progress;
use crate::text::printable;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Everything was done.
    Done,
    /// It ran, but an input failed or a cap was exceeded.
    Failed,
    /// It could not run: bad option, no rule for the model.
    CouldNotRun,
}

impl Status {
    /// The exit status of the process.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::CouldNotRun => 2,
        }
    }
}

/// What is known of the streams' other ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terminal {
    pub(crate) data: bool,
    pub(crate) notes: bool,
    pub(crate) no_color: bool,
}

/// What is done on Ctrl-C before the process ends: half-written files are taken away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    folders: Arc<Mutex<Vec<PathBuf>>>,
    watch: Watch,
}

impl Interrupt {
    fn folders(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stops the engine's work when the process is interrupted.
    pub(crate) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Has `folder` removed when the process is interrupted.
    pub(crate) fn remove_on_interrupt(&self, folder: PathBuf) {
        self.folders().push(folder);
    }

    /// Stops the work and removes everything. Other threads may still be writing: a folder is renamed first, so that
    /// they find it gone.
    pub(crate) fn clean_up(&self) {
        self.watch.stop();
        for folder in self.folders().drain(..) {
            let gone = folder.with_extension("gone");
            let target = if std::fs::rename(&folder, &gone).is_ok() { gone } else { folder };
            let _ = std::fs::remove_dir_all(target);
        }
    }
}

/// The two streams of a command.
pub struct Output<'a> {
    pub(crate) data: &'a mut dyn Write,
    notes: &'a mut dyn Write,
    terminal: Terminal,
    quiet: bool,
    color: Color,
    progress: Progress,
    /// How often each code was met, where repetitions are folded.
    folded: Option<BTreeMap<&'static str, u64>>,
    /// Where all warnings are, when some of them are only counted.
    unfolded: &'static str,
    pub(crate) interrupt: Interrupt,
    /// The program that draws pages of PDFs as a process of its own: this one, when it runs as such.
    pub(crate) worker: Option<PathBuf>,
}

/// Warnings of one code that are shown before the rest is only counted.
const SHOWN_PER_CODE: u64 = 3;

impl<'a> Output<'a> {
    /// Two writers that are no terminals.
    pub fn plain(data: &'a mut dyn Write, notes: &'a mut dyn Write) -> Self {
        Self::new(data, notes, Terminal::default(), Interrupt::default())
    }

    pub(crate) const fn new(
        data: &'a mut dyn Write,
        notes: &'a mut dyn Write,
        terminal: Terminal,
        interrupt: Interrupt,
    ) -> Self {
        Self {
            data,
            notes,
            terminal,
            quiet: false,
            color: Color::Auto,
            progress: Progress::NONE,
            folded: None,
            unfolded: "",
            interrupt,
            worker: None,
        }
    }

    pub(crate) const fn configure(&mut self, common: &Common) {
        self.quiet = common.quiet;
        self.color = common.color;
    }

    /// Shows a progress bar over `total` inputs from here on, on a terminal. Where results stream
    /// to a terminal, they are the progress themselves.
    pub(crate) fn start_progress(&mut self, total: Option<usize>, streams: bool) {
        let rows_show = streams && self.terminal.data;
        if self.shows_progress() && !rows_show {
            self.progress = Progress::new(total);
        }
    }

    /// Whether there is somebody to see a bar.
    pub(crate) const fn shows_progress(&self) -> bool {
        self.terminal.notes && !self.quiet
    }

    /// A line for people beside the data, unless they want none.
    pub(crate) fn tell(&mut self, line: &str) {
        if !self.quiet {
            self.line(line);
        }
    }

    /// One more input is done.
    pub(crate) fn step(&self) {
        self.progress.step();
    }

    /// Removes the bar.
    pub(crate) fn finish_progress(&self) {
        self.progress.finish();
    }

    /// `text` in bold where the data stream takes colours.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.styled(text, "1", self.terminal.data)
    }

    fn styled(&self, text: &str, code: &str, is_terminal: bool) -> String {
        let on = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !self.terminal.no_color,
        };
        if on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Writes one line of notes. Failing to is no reason to stop the work.
    fn line(&mut self, line: &str) {
        let notes = &mut *self.notes;
        let _ = self.progress.aside(|| writeln!(notes, "{line}"));
    }

    /// Something worth knowing that is no trouble.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.quiet {
            self.line(&format!("note: {text}"));
        }
    }

    /// From here on shows the first warnings of each code only and counts the others: a table is
    /// for people, and every format for programs carries all of them with its items.
    pub(crate) fn fold_warnings(&mut self) {
        self.fold_warnings_of("--format json has every one");
    }

    /// The same, with where the others are to be seen.
    pub(crate) fn fold_warnings_of(&mut self, unfolded: &'static str) {
        self.folded = Some(BTreeMap::new());
        self.unfolded = unfolded;
    }

    fn is_folded(&mut self, warning: &Warning) -> bool {
        let Some(folded) = &mut self.folded else { return false };
        let count = folded.entry(warning.code.as_str()).or_default();
        *count += 1;
        *count > SHOWN_PER_CODE
    }

    /// Says how many warnings were only counted.
    pub(crate) fn report_folded(&mut self) {
        for (code, count) in self.folded.take().unwrap_or_default() {
            if count > SHOWN_PER_CODE {
                let more = count - SHOWN_PER_CODE;
                self.note(&format!("{code}: {more} more; {}", self.unfolded));
            }
        }
    }

    /// A warning about one input, or about the whole request when `input` is empty.
    pub(crate) fn warn(&mut self, input: &str, warning: &Warning) {
        if self.quiet || self.is_folded(warning) {
            return;
        }
        let label = self.styled("warning", "33", self.terminal.notes);
        let code = warning.code.as_str();
        let place =
            if input.is_empty() { String::new() } else { format!("{}: ", printable(input)) };
        self.line(&format!("{label}: {place}{code}: {}", warning.message));
        if let Some(hint) = &warning.hint {
            self.line(&format!("hint: {hint}"));
        }
    }

    /// An input's failure: `error: <input>: <stage>: <cause>`, a blank line, `hint: …`.
    pub(crate) fn report_error(&mut self, error: &Error) {
        let hints: Vec<_> = error.hint().map(|hint| hint.to_owned().into()).into_iter().collect();
        let message = printable(&format!("{error}: {}", error.cause()));
        self.report_failure(&Failure { message, hints });
    }

    /// A hard limit of the service that would be broken.
    pub(crate) fn report_breach(&mut self, input: &str, breach: &Warning) {
        let message =
            format!("{}: limits: {}: {}", printable(input), breach.code.as_str(), breach.message);
        let hints = breach.hint.clone().into_iter().collect();
        self.report_failure(&Failure { message, hints });
    }

    /// Everything that is to be said about one item.
    pub(crate) fn report_item(&mut self, row: &Row<'_>) {
        if let Some(error) = row.error() {
            self.report_error(error);
        }
        for breach in row.breaches() {
            self.report_breach(row.path(), breach);
        }
        for warning in row.warnings() {
            self.warn(row.path(), warning);
        }
    }

    pub(crate) fn report_failure(&mut self, failure: &Failure) -> Status {
        let label = self.styled("error", "31", self.terminal.notes);
        self.line(&format!("{label}: {}", failure.message));
        if !failure.hints.is_empty() {
            self.line("");
        }
        for hint in &failure.hints {
            self.line(&format!("hint: {hint}"));
        }
        Status::CouldNotRun
    }

    pub(crate) fn report_help(&mut self, help: &str) -> Status {
        self.line(help.trim_end());
        Status::CouldNotRun
    }

    /// A closed pipe is success: whoever read has what it wanted.
    pub(crate) fn report_io(&mut self, error: &io::Error) -> Status {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Status::Done;
        }
        let message = format!("output: write: {error}");
        self.report_failure(&Failure::option(message, "free some space or write elsewhere"));
        Status::Failed
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.data.flush()
    }
}
