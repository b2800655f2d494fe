//! Exact lengths on the wire, computed from lengths alone.

/// Characters of standard padded base64 for `bytes` bytes: `4 * ceil(bytes / 3)`; saturates.
pub const fn base64_length(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Bytes of `{"inlineData":{"mimeType":"…","data":"…"}}` for media of `bytes` bytes.
///
/// `mime_type` is a MIME type, which never needs escaping.
pub const fn inline_data_length(mime_type: &str, bytes: u64) -> u64 {
    const FRAME: u64 = r#"{"inlineData":{"mimeType":"","data":""}}"#.len() as u64;
    base64_length(bytes).saturating_add(FRAME + mime_type.len() as u64)
}

/// The growing length of `{"contents":[{"parts":[…],"role":"user"}]}`, compact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestLength {
    parts: u64,
    bytes: u64,
}

impl RequestLength {
    /// A request without parts.
    pub const fn new() -> Self {
        Self { parts: 0, bytes: 0 }
    }

    /// Adds a part that takes `encoded` bytes.
    pub const fn add(&mut self, encoded: u64) {
        self.parts = self.parts.saturating_add(1);
        self.bytes = self.bytes.saturating_add(encoded);
    }

    /// The whole body in bytes, commas included.
    pub const fn bytes(&self) -> u64 {
        const FRAME: u64 = r#"{"contents":[{"parts":[],"role":"user"}]}"#.len() as u64;
        FRAME.saturating_add(self.bytes).saturating_add(self.parts.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Part;

    #[test]
    fn base64_grows_in_steps_of_four() {
        assert_eq!([0, 1, 2, 3, 4].map(base64_length), [0, 4, 4, 4, 8]);
        assert_eq!(base64_length(u64::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn lengths_are_those_of_the_written_body(
            sizes in proptest::collection::vec(0usize..200, 0..6), text in ".{0,40}",
        ) {
            let mut length = RequestLength::new();
            let mut parts = Vec::new();
            for size in sizes {
                let part = Part::inline("image/jpeg", vec![7; size]);
                prop_assert_eq!(part.encoded_length(), inline_data_length("image/jpeg", size as u64));
                length.add(part.encoded_length());
                parts.push(part);
            }
            parts.push(Part::text(&text));
            length.add(Part::text(&text).encoded_length());
            let body = serde_json::json!({"contents": [{"role": "user", "parts": parts}]});
            prop_assert_eq!(length.bytes(), body.to_string().len() as u64);
        }
    }
}
