/// Whether a text is base64 as protojson takes it: the standard or the URL-safe alphabet, not
/// both, with its padding or without, and no spaces. The empty text is.
pub(crate) fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let (mut standard, mut url_safe) = (false, false);
    for byte in digits.bytes() {
        match byte {
            b'+' | b'/' => standard = true,
            b'-' | b'_' => url_safe = true,
            _ if byte.is_ascii_alphanumeric() => {}
            _ => return false,
        }
    }
    let whole = digits.len() % 4 != 1 && (padding == 0 || text.len().is_multiple_of(4));
    whole && padding <= 2 && !(standard && url_safe)
}

/// The standard, padded base64 of some bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) & 63;
            let padded = place > group.len();
            text.push(if padded { '=' } else { char::from(ALPHABET[digit as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
            assert_eq!(encode(bytes.as_bytes()), text);
        }
        assert_eq!(encode(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn both_alphabets_but_not_together() {
        for good in ["", "Zg==", "Zg", "Zm8=", "+//+", "-__-", "Zm9vZg"] {
            assert!(is_base64(good), "{good}");
        }
        for bad in
            ["data:image/png;base64,Zg==", "Z", "Z===", "+/_-", "Zg=", "Zm9v\n", "Zm 9", "=g"]
        {
            assert!(!is_base64(bad), "{bad}");
        }
    }
}
