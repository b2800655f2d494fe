//! A decoder and the place in the file that it has come to.

use ffmpeg_next::codec::context::Context;
use ffmpeg_next::codec::threading;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Dictionary, Discard, Packet, decoder};
use mediaprep_container::ffmpeg::{Opened, open};
use mediaprep_media::{Error, Limits, MimeType, Source, Watch};

use super::plan::{Key, Plan};
use super::raw;

/// A gap of more bytes than this is jumped over rather than read through.
const JUMP: i64 = 1 << 20;

/// A file, its decoder, and the number of the next packet of its video.
pub(super) struct Walker {
    opened: Opened,
    decoder: decoder::Video,
    stream: usize,
    /// The number of the next packet.
    next: u64,
    position: i64,
    /// Whether the container has an index to jump by.
    jumps: bool,
    /// Whether the decoder has been given anything since it was last emptied.
    fed: bool,
    /// A packet that was read and not used yet.
    waiting: Option<Packet>,
    watch: Watch,
    /// How many packets the decoder refused.
    pub(super) refused: u64,
}

impl Walker {
    pub(super) fn open(
        source: Box<dyn Source>,
        plan: &Plan,
        limits: &Limits,
        watch: &Watch,
    ) -> Result<Self, Error> {
        let mut opened = open(source, plan.mime, watch)?;
        raw::discard_others(opened.input_mut(), plan.stream);
        let decoder = decoder_of(&opened, plan.stream, limits)?;
        Ok(Self {
            opened,
            decoder,
            stream: plan.stream,
            next: 0,
            position: 0,
            jumps: has_index(plan.mime),
            fed: false,
            waiting: None,
            watch: watch.clone(),
            refused: 0,
        })
    }

    /// What a file that yields nothing is said to be.
    pub(super) fn malformed(&self, reason: &'static str) -> Error {
        self.opened.malformed(reason)
    }

    /// The next packet of the video and its number; `None` at the end.
    pub(super) fn packet(&mut self) -> Result<Option<(u64, Packet)>, Error> {
        self.watch.check()?;
        let packet = match self.waiting.take() {
            Some(packet) => packet,
            None => match self.read()? {
                Some(packet) => packet,
                None => return Ok(None),
            },
        };
        let ordinal = self.next;
        self.next += 1;
        Ok(Some((ordinal, packet)))
    }

    fn read(&mut self) -> Result<Option<Packet>, Error> {
        loop {
            let mut packet = Packet::empty();
            if packet.read(self.opened.input_mut()).is_err() {
                self.opened.check()?;
                return Ok(None);
            }
            if packet.stream() == self.stream {
                self.position = i64::try_from(packet.position()).unwrap_or(self.position);
                return Ok(Some(packet));
            }
        }
    }

    /// Goes to a keyframe, so that its packet is the next, with an empty decoder. `false` where the
    /// file does not lead there.
    pub(super) fn go_to(&mut self, key: Key) -> Result<bool, Error> {
        self.empty();
        let far = key.position.saturating_sub(self.position) > JUMP;
        if key.ordinal < self.next || (self.jumps && far) {
            if self.jump(key)? {
                return Ok(true);
            }
            self.rewind()?;
        }
        while self.next < key.ordinal {
            if self.packet()?.is_none() {
                return Ok(false);
            }
        }
        Ok(self.next == key.ordinal)
    }

    /// Jumps by the container's index; `false` when it leads elsewhere.
    fn jump(&mut self, key: Key) -> Result<bool, Error> {
        self.waiting = None;
        if !self.jumps || !raw::seek(self.opened.input_mut(), self.stream, key.dts) {
            return Ok(false);
        }
        while let Some(packet) = self.read()? {
            if packet.is_key() && packet.pts() == Some(key.pts) {
                self.next = key.ordinal;
                self.waiting = Some(packet);
                return Ok(true);
            }
            if packet.dts().is_some_and(|dts| dts > key.dts) {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Back to the first packet, with an empty decoder.
    pub(super) fn rewind(&mut self) -> Result<(), Error> {
        self.empty();
        if self.next == 0 {
            return Ok(());
        }
        self.waiting = None;
        if !raw::seek(self.opened.input_mut(), self.stream, i64::MIN + 1)
            && !raw::seek(self.opened.input_mut(), self.stream, 0)
        {
            return Err(self.malformed("FFmpeg cannot go back to its start"));
        }
        self.next = 0;
        Ok(())
    }

    /// Gives the decoder a packet. `wanted` says whether its frame has to come out even if no other
    /// frame refers to it.
    pub(super) fn feed(&mut self, packet: &Packet, wanted: bool) {
        let skipped = if wanted { Discard::Default } else { Discard::NonReference };
        self.decoder.skip_frame(skipped);
        self.fed = true;
        if self.decoder.send_packet(packet).is_err() {
            self.refused += 1;
        }
    }

    /// Tells the decoder that nothing follows, so that it lets go of what it holds.
    pub(super) fn close(&mut self) {
        // What an emptied decoder thinks of a second end does not matter.
        let _ = self.decoder.send_eof();
    }

    /// The next frame that the decoder has ready.
    pub(super) fn frame(&mut self, frame: &mut Video) -> bool {
        match self.decoder.receive_frame(frame) {
            Ok(()) => true,
            Err(ffmpeg_next::Error::Other { .. } | ffmpeg_next::Error::Eof) => false,
            // A damaged frame; the decoder goes on with the next packet.
            Err(_) => {
                self.refused += 1;
                false
            }
        }
    }

    fn empty(&mut self) {
        if self.fed {
            self.decoder.flush();
            self.fed = false;
        }
    }
}

/// Formats whose index leads to a keyframe's packet exactly.
const fn has_index(mime: MimeType) -> bool {
    matches!(
        mime,
        MimeType::Mp4
            | MimeType::QuickTime
            | MimeType::ThreeGpp
            | MimeType::Webm
            | MimeType::Matroska
    )
}

fn decoder_of(opened: &Opened, stream: usize, limits: &Limits) -> Result<decoder::Video, Error> {
    let failed = || opened.malformed("FFmpeg cannot set up a decoder for the video track");
    let stream = opened.input().stream(stream).ok_or_else(failed)?;
    let mut context = Context::from_parameters(stream.parameters()).map_err(|_| failed())?;
    // One thread takes in one packet at a time, so that each can be treated as it deserves.
    let mut alone = threading::Config::count(1);
    alone.kind = threading::Type::Slice;
    context.set_threading(alone);
    let codec = decoder::find(context.id())
        .ok_or(Error::Unsupported("decoding this video codec with the FFmpeg on this machine"))?;
    let mut options = Dictionary::new();
    // FFmpeg refuses larger pictures before it allocates them.
    options.set("max_pixels", &limits.max_decoded_pixels.min(i32::MAX as u64).to_string());
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(stream.time_base());
    decoder.open_as_with(codec, options).and_then(|opened| opened.video()).map_err(|_| failed())
}
