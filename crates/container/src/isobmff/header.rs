//! The small boxes of a movie header: times, matrices, edit lists. ISO/IEC 14496-12, section 8.

use mediaprep_media::Orientation;

use crate::window::Fields;

/// Edits kept of one track; a list that is longer is cut here.
const MAX_EDITS: usize = 10_000;

/// `mvhd`: the movie's clock and length.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MovieHeader {
    pub(super) timescale: u32,
    /// `None` where the field says that the length is unknown, or is zero.
    pub(super) duration: Option<u64>,
    pub(super) matrix: Matrix,
}

impl MovieHeader {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        let clock = Clock::parse(&mut fields)?;
        // Rate, volume and reserved fields lie before the matrix.
        let matrix = fields.skip(16).and_then(|()| Matrix::parse(&mut fields));
        let matrix = matrix.unwrap_or_default();
        Some(Self { timescale: clock.timescale, duration: clock.duration, matrix })
    }
}

/// The creation and change times, timescale and duration that `mvhd` and `mdhd` start with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    pub(super) timescale: u32,
    pub(super) duration: Option<u64>,
}

impl Clock {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        let (version, _) = fields.full_box()?;
        fields.skip(if version == 0 { 8 } else { 16 })?;
        let timescale = fields.u32()?;
        let duration = fields.sized(version)?;
        let unknown = if version == 0 { u64::from(u32::MAX) } else { u64::MAX };
        Some(Self { timescale, duration: Some(duration).filter(|&d| d != unknown && d != 0) })
    }
}

/// `tkhd`: number, switches, matrix and size of a track.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TrackHeader {
    pub(super) id: u32,
    pub(super) enabled: bool,
    pub(super) matrix: Matrix,
    /// Presentation size in whole pixels; zero where none is stated.
    pub(super) size: (u32, u32),
}

impl TrackHeader {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        let (version, flags) = fields.full_box()?;
        fields.skip(if version == 0 { 8 } else { 16 })?;
        let id = fields.u32()?;
        // Reserved, duration, reserved, layer, group, volume, reserved.
        fields.skip(if version == 0 { 24 } else { 28 })?;
        let matrix = Matrix::parse(&mut fields)?;
        let size = (fields.u32()? >> 16, fields.u32()? >> 16);
        Some(Self { id, enabled: flags & 1 != 0, matrix, size })
    }
}

/// The four numbers of a display matrix that turn and mirror, in 16.16 fixed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Matrix {
    a: i32,
    b: i32,
    c: i32,
    d: i32,
}

impl Default for Matrix {
    fn default() -> Self {
        Self { a: 1 << 16, b: 0, c: 0, d: 1 << 16 }
    }
}

impl Matrix {
    fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        let (a, b) = (fields.i32()?, fields.i32()?);
        fields.skip(4)?;
        let (c, d) = (fields.i32()?, fields.i32()?);
        fields.skip(16)?;
        let matrix = Self { a, b, c, d };
        // Writers that leave the matrix empty mean the identity.
        Some(if matrix == (Self { a: 0, b: 0, c: 0, d: 0 }) { Self::default() } else { matrix })
    }

    /// First `self`, then `outer`.
    pub(super) fn then(self, outer: Self) -> Self {
        let cell = |x: i32, p: i32, y: i32, q: i32| {
            let sum = i64::from(x) * i64::from(p) + i64::from(y) * i64::from(q);
            let bounded = (sum >> 16).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
            i32::try_from(bounded).unwrap_or_default()
        };
        Self {
            a: cell(self.a, outer.a, self.b, outer.c),
            b: cell(self.a, outer.b, self.b, outer.d),
            c: cell(self.c, outer.a, self.d, outer.c),
            d: cell(self.c, outer.b, self.d, outer.d),
        }
    }

    /// The clockwise turn in degrees: where the matrix sends the picture's upper edge.
    pub(super) fn rotation(self) -> u16 {
        let size = |x: i32| i64::from(x).abs();
        match (size(self.b) > size(self.a), self.a < 0, self.b < 0) {
            (true, _, false) => 90,
            (true, _, true) => 270,
            (false, true, _) => 180,
            (false, false, _) => 0,
        }
    }

    /// The nearest of the eight ways to turn a picture.
    pub(super) fn orientation(self) -> Orientation {
        let size = |x: i32| i64::from(x).abs();
        if size(self.b) + size(self.c) > size(self.a) + size(self.d) {
            return match (self.b < 0, self.c < 0) {
                (false, true) => Orientation::Rotate90,
                (true, false) => Orientation::Rotate270,
                (false, false) => Orientation::Transpose,
                (true, true) => Orientation::Transverse,
            };
        }
        match (self.a < 0, self.d < 0) {
            (false, false) => Orientation::Upright,
            (true, false) => Orientation::FlipHorizontal,
            (true, true) => Orientation::Rotate180,
            (false, true) => Orientation::FlipVertical,
        }
    }
}

/// One row of an edit list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// Length in the movie's timescale; zero means the rest of the media.
    pub(super) duration: u64,
    /// Where the edit starts, in the media's timescale; `None` shows nothing.
    pub(super) media_time: Option<u64>,
}

/// `elst`.
pub(super) fn edit_list(body: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut fields = Fields(body);
    let Some((version, _)) = fields.full_box() else { return edits };
    let Some(count) = fields.u32() else { return edits };
    for _ in 0..count {
        let Some(edit) = edit(&mut fields, version).filter(|_| edits.len() < MAX_EDITS) else {
            break;
        };
        edits.push(edit);
    }
    edits
}

fn edit(fields: &mut Fields<'_>, version: u8) -> Option<Edit> {
    let duration = fields.sized(version)?;
    let media_time = if version == 0 {
        u64::try_from(fields.i32()?).ok()
    } else {
        u64::try_from(i64::from_be_bytes(fields.take()?)).ok()
    };
    fields.skip(4)?;
    Some(Edit { duration, media_time })
}
