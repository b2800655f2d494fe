//! Counting packets without decoding them.

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Error, Packet};

/// Most packets that one file is counted to.
const MAX_PACKETS: usize = 2_000_000;

/// The packets of every stream.
pub(super) struct Packets {
    streams: Vec<Counted>,
    /// Whether the file was read to its end.
    pub(super) complete: bool,
}

/// The packets of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) packets: u64,
    first: Option<i64>,
    end: i64,
}

impl Counted {
    /// From the first packet's time to the end of the last, in the stream's time base.
    pub(super) fn length(&self) -> i64 {
        self.first.map_or(0, |first| self.end.saturating_sub(first))
    }

    fn add(&mut self, packet: &Packet) {
        self.packets += 1;
        let Some(time) = packet.pts().or_else(|| packet.dts()) else { return };
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.end = self.end.max(time.saturating_add(packet.duration().max(0)));
    }
}

impl Packets {
    /// Reads every packet that is left.
    pub(super) fn count(input: &mut Input) -> Self {
        let mut counted = Self { streams: Vec::new(), complete: false };
        for _ in 0..MAX_PACKETS {
            // A new packet each time: reading into a used one does not free what it held.
            let mut packet = Packet::empty();
            match packet.read(input) {
                Ok(()) => counted.add(&packet),
                Err(error) => {
                    counted.complete = error == Error::Eof;
                    break;
                }
            }
        }
        counted
    }

    fn add(&mut self, packet: &Packet) {
        let at = packet.stream();
        if at >= self.streams.len() {
            self.streams.resize(at + 1, Counted::default());
        }
        self.streams[at].add(packet);
    }

    /// The packets of the stream with the given index.
    pub(super) fn of(&self, index: usize) -> Counted {
        self.streams.get(index).copied().unwrap_or_default()
    }
}
