//! What libjpeg-turbo needs to be told apart or put right, since `turbojpeg` takes its warnings for
//! errors.

use super::{SOS, Segment, segments};

const APP0: u8 = 0xe0;
const APP14: u8 = 0xee;

impl Segment<'_> {
    /// Whether it is a JFIF or Adobe marker, which say how the components make colours.
    pub(crate) fn is_colour_marker(&self) -> bool {
        match self.code {
            APP0 => self.body.starts_with(b"JFIF\0"),
            APP14 => self.body.starts_with(b"Adobe"),
            _ => false,
        }
    }

    /// Whether decoding depends on it.
    fn is_needed(&self) -> bool {
        // SOF, DHT and DAC; DQT to EXP, without DNL, whose place is behind the scan.
        matches!(self.code, 0xc0..=0xcf | SOS | 0xdb | 0xdd..=0xdf) || self.is_colour_marker()
    }
}

/// The file with a clean header: no stray bytes, no metadata, and colour markers of the versions
/// that every decoder knows. libjpeg-turbo reports each of these as a warning, and `turbojpeg`
/// takes a warning on the header for an error.
pub(crate) fn tidied(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Vec::with_capacity(bytes.len());
    copy.extend_from_slice(&[0xff, 0xd8]);
    let components =
        segments(bytes).last().filter(|last| last.code == SOS)?.body.first().copied()?;
    for segment in segments(bytes).filter(Segment::is_needed) {
        let at = copy.len();
        copy.extend_from_slice(segment.bytes);
        match segment.code {
            // The major version of JFIF, behind marker, length and name: there is only 1.
            APP0 => set(&mut copy, at + 9, 1),
            // The colour transform of Adobe's marker: 0 none, 1 for three components, 2 for four.
            APP14 if copy.get(at + 15).is_some_and(|&transform| transform > 2) => {
                set(&mut copy, at + 15, if components == 4 { 2 } else { 1 });
            }
            _ => {}
        }
        if segment.code == SOS {
            copy.extend_from_slice(&bytes[segment.end..]);
        }
    }
    Some(copy)
}

fn set(bytes: &mut [u8], at: usize, value: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

/// Whether the file is a single scan of all its components that lacks only its end marker, as far
/// as the markers tell: some cameras that stream single frames leave it out.
pub(crate) fn lacks_end_only(bytes: &[u8]) -> bool {
    let Some(scan) = segments(bytes).last().filter(|last| last.code == SOS) else { return false };
    let is_single = segments(bytes).any(|segment| {
        matches!(segment.code, 0xc0 | 0xc1 | 0xc9) && segment.body.get(5) == scan.body.first()
    });
    is_single && !has_marker_after(bytes, scan.end)
}

/// Whether anything but a restart follows in the picture data.
fn has_marker_after(bytes: &[u8], from: usize) -> bool {
    let data = bytes.get(from..).unwrap_or_default();
    memchr::memchr_iter(0xff, data)
        .filter_map(|at| data.get(at + 1))
        .any(|&next| !matches!(next, 0x00 | 0xd0..=0xd7 | 0xff))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = &[0xff, 0xd8];

    /// A segment with its marker and length.
    fn marked(code: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        [&[0xff, code][..], &length, body].concat()
    }

    #[test]
    fn a_tidied_file_has_only_what_decoding_needs() {
        let scan = marked(SOS, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
        let jfif = marked(APP0, b"JFIF\0\x07\x02\0\0\x01\0\x01\0\0");
        let adobe = marked(APP14, b"Adobe\0\x64\0\0\0\0\x09");
        let file = [START, &jfif, b"stray", &marked(0xe1, b"Exif"), &adobe, &scan, b"data\xff\xd9"]
            .concat();
        let wanted = [
            START,
            &marked(APP0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
            &marked(APP14, b"Adobe\0\x64\0\0\0\0\x01"),
            &scan,
            b"data\xff\xd9",
        ];
        assert_eq!(tidied(&file).unwrap(), wanted.concat());
        assert_eq!(tidied(&file[..40]), None);
    }

    #[test]
    fn a_single_scan_may_lack_its_end() {
        let frame = marked(0xc0, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
        let scan = marked(SOS, &[1, 1, 0, 0, 63, 0]);
        let open = [START, &frame, &scan, b"da\xff\0ta\xff\xd3"].concat();
        assert!(lacks_end_only(&open));
        assert!(!lacks_end_only(&[&open[..], b"\xff\xd9"].concat()));
        let progressive = [START, &marked(0xc2, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]), &scan].concat();
        assert!(!lacks_end_only(&progressive));
        let one_of_three = [START, &marked(0xc0, &[8, 0, 8, 0, 8, 3, 1, 0x11, 0]), &scan].concat();
        assert!(!lacks_end_only(&one_of_three));
    }
}
