//! MP4, QuickTime, 3GP and M4A: ISO/IEC 14496-12 and the QuickTime File Format.

mod codec;
mod fragment;
mod header;
mod movie;
mod sample_entry;
mod samples;
mod shown;
mod track;
mod walk;

pub(crate) use self::codec::advanced_audio_coding;

use mediaprep_media::bmff::BoxHeader;
use mediaprep_media::{Error, Source, Warned, Warning, WarningCode};

use self::movie::Movie;
use self::walk::Walk;
use crate::ContainerInfo;
use crate::window::Window;

pub(crate) const FORMAT: &str = "ISO base media file";

/// Reads the facts of an ISO base media file.
pub(crate) fn probe(source: &mut dyn Source) -> Result<Warned<ContainerInfo>, Error> {
    let mut window = Window::new(source)?;
    let length = window.length();
    let mut file = File::default();
    let mut walk = Walk::between(0, length);
    while let Some((child, end)) = walk.next_uncut(&mut window)? {
        file.take(&mut window, &child, end)?;
    }
    if walk.stands_before_the_end() {
        file.damaged("bytes that are no box end the file");
    }
    file.finish()
}

/// What the boxes of the file's top level gave so far.
#[derive(Default)]
struct File {
    movie: Option<Movie>,
    fragments: u64,
    has_media_data: bool,
    warnings: Vec<Warning>,
}

impl File {
    fn take(&mut self, window: &mut Window<'_>, child: &BoxHeader, end: u64) -> Result<(), Error> {
        let cut = child.end > end;
        let inside = BoxHeader { end, ..*child };
        match &child.kind {
            b"moov" if cut => {
                return Err(Error::malformed(FORMAT, child.start, "movie header cut short"));
            }
            b"moov" if self.movie.is_none() => {
                self.movie = Some(Movie::read(window, &inside)?);
            }
            b"moof" => {
                self.fragments += 1;
                if let Some(movie) = &mut self.movie {
                    fragment::movie_fragment(window, &inside, &mut movie.fragments)?;
                }
            }
            b"mdat" => self.has_media_data = true,
            _ => {}
        }
        if cut {
            self.damaged("the last box claims more bytes than the file has");
        }
        Ok(())
    }

    fn damaged(&mut self, message: &'static str) {
        self.warnings.push(Warning::new(WarningCode::Damaged, message));
    }

    fn finish(mut self) -> Result<Warned<ContainerInfo>, Error> {
        let Some(movie) = self.movie else {
            return Err(Error::malformed(FORMAT, 0, "no movie header (moov)"));
        };
        if !self.has_media_data {
            self.warnings.push(no_media_data());
        }
        let fragmented = self.fragments > 0 || !movie.fragments.is_empty();
        let value = movie.info(fragmented, &mut self.warnings)?;
        Ok(Warned { value, warnings: self.warnings })
    }
}

fn no_media_data() -> Warning {
    Warning::new(WarningCode::Damaged, "the file has no media data, only the header that names it")
}
