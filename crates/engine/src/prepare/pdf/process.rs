//! A worker process, from the engine's side.

use std::io::{self, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration as WallTime;

use mediaprep_media::{Error as MediaError, Watch};
use mediaprep_pdf::raster::Contents;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::draw::Drawn;
use super::options::PdfLibrary;
use super::wire::{Answer, Opening, Order, PageOrder, read_bytes, receive, send};
use crate::engine::PdfWorker;
use crate::error::ErrorKind;

/// Why a worker did not do what it was told.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It says why; it can go on.
    Refused { kind: ErrorKind, message: String },
    /// It is gone.
    Died(Option<ExitStatus>),
    /// It took too long, or everything is to stop. It has been ended.
    Late(MediaError),
    /// The document could not be read or the process not be started.
    Io(io::Error),
}

/// A running worker. Dropping it ends the process.
pub(super) struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<Patient>,
    /// The item whose document is open, and the library that has it.
    pub(super) open: Option<(usize, PdfLibrary)>,
}

impl Process {
    pub(super) fn start(worker: &PdfWorker) -> Result<Self, Trouble> {
        let mut child = Command::new(&worker.program)
            .args(&worker.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a crashing library prints is no news to anybody.
            .stderr(Stdio::null())
            .spawn()
            .map_err(Trouble::Io)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Trouble::Io(io::ErrorKind::BrokenPipe.into()));
        };
        let from = BufReader::new(Patient { from, watches: Vec::new() });
        Ok(Self { child, to, from, open: None })
    }

    /// Opens a document from its bytes.
    pub(super) fn open(
        &mut self,
        opening: &Opening,
        bytes: &mut dyn Read,
        watches: &[Watch; 2],
    ) -> Result<(), Trouble> {
        self.open = None;
        let sent = send(&mut self.to, &Order::Open(opening.clone()))
            .and_then(|()| self.pour(&mut bytes.take(opening.bytes), watches));
        match sent {
            Ok(count) if count == opening.bytes => {}
            Ok(_) => return Err(Trouble::Io(io::ErrorKind::UnexpectedEof.into())),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(self.died()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.from.get_mut().watches = watches.to_vec();
                return Err(self.broken(error));
            }
            Err(error) => return Err(Trouble::Io(error)),
        }
        match self.answer(watches)? {
            Answer::Opened => Ok(()),
            other => Err(self.unexpected(other)),
        }
    }

    /// Sends a document's bytes for as long as the watches allow: a program that does not read fills
    /// the pipe, and a write would wait for ever.
    fn pour(&mut self, bytes: &mut dyn Read, watches: &[Watch; 2]) -> io::Result<u64> {
        let mut buffer = [0; PIPE];
        let mut sent = 0;
        loop {
            let count = match bytes.read(&mut buffer) {
                Ok(0) => return Ok(sent),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            wait(&self.to, PollFlags::OUT, watches)?;
            self.to.write_all(&buffer[..count])?;
            sent += count as u64;
        }
    }

    /// Draws a page of the open document.
    pub(super) fn draw(
        &mut self,
        order: &PageOrder,
        watches: &[Watch; 2],
    ) -> Result<Drawn, Trouble> {
        self.order(&Order::Draw(order.clone()))?;
        match self.answer(watches)? {
            Answer::Drawn { bytes, text } => {
                let bytes =
                    read_bytes(&mut self.from, bytes).map_err(|error| self.broken(error))?;
                Ok(Drawn { bytes, text })
            }
            other => Err(self.unexpected(other)),
        }
    }

    /// Reads a page of the open document.
    pub(super) fn read(&mut self, page: u64, watches: &[Watch; 2]) -> Result<String, Trouble> {
        self.order(&Order::Read { page })?;
        match self.answer(watches)? {
            Answer::Text(text) => Ok(text),
            other => Err(self.unexpected(other)),
        }
    }

    /// Tells what a page of the open document holds.
    pub(super) fn look(&mut self, page: u64, watches: &[Watch; 2]) -> Result<Contents, Trouble> {
        self.order(&Order::Look { page })?;
        match self.answer(watches)? {
            Answer::Contents(contents) => Ok(contents),
            other => Err(self.unexpected(other)),
        }
    }

    fn order(&mut self, order: &Order) -> Result<(), Trouble> {
        send(&mut self.to, order).and_then(|()| self.to.flush()).map_err(|error| self.broken(error))
    }

    fn answer(&mut self, watches: &[Watch; 2]) -> Result<Answer, Trouble> {
        self.from.get_mut().watches = watches.to_vec();
        match receive(&mut self.from) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(self.died()),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn unexpected(&mut self, answer: Answer) -> Trouble {
        match answer {
            Answer::Failed { kind, message } => Trouble::Refused { kind, message },
            _ => self.died(),
        }
    }

    fn broken(&mut self, error: io::Error) -> Trouble {
        let over = self.from.get_ref().watches.iter().find_map(|watch| watch.check().err());
        match over {
            Some(reason) if error.kind() == io::ErrorKind::TimedOut => {
                self.end();
                Trouble::Late(reason)
            }
            _ => self.died(),
        }
    }

    /// Whatever it did, it is of no more use.
    fn died(&mut self) -> Trouble {
        Trouble::Died(self.end())
    }

    fn end(&mut self) -> Option<ExitStatus> {
        self.open = None;
        // It may be on its way out by itself, and the reason is worth knowing.
        for _ in 0..20 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(WallTime::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The worker's output, waited for only as long as the watches allow.
struct Patient {
    from: ChildStdout,
    watches: Vec<Watch>,
}

/// How long it waits before it looks at the watches again.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// What a pipe that is ready takes without waiting: `PIPE_BUF` on Linux.
const PIPE: usize = 4096;

/// Waits until a pipe can be read or written, or a watch is over.
fn wait(pipe: &impl AsFd, ready: PollFlags, watches: &[Watch]) -> io::Result<()> {
    loop {
        match poll(&mut [PollFd::new(pipe, ready)], Some(&LOOK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if watches.iter().any(Watch::is_over) {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        wait(&self.from, PollFlags::IN, &self.watches)?;
        self.from.read(buffer)
    }
}
