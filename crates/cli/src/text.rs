//! Numbers as people read them.

use mediaprep::media::Duration;

/// `1806` as `1,806`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length as `3m 41s`, `1h 02m` or `0.8s`.
pub(crate) fn length(length: Duration) -> String {
    let seconds = length.whole_seconds();
    match seconds {
        0..10 => format!("{:.1}s", length.as_seconds_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Pixels as `48.3 MP`, or in thousands for small pictures.
pub(crate) fn megapixels(pixels: u64) -> String {
    if pixels < 100_000 {
        return format!("{:.1} kP", pixels as f64 / 1e3);
    }
    format!("{:.1} MP", pixels as f64 / 1e6)
}

/// Bytes as `48.2 kB`, in powers of 1000 as file managers show them.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A share as `5.5 %`, with more digits the smaller it is.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 {
        "0 %".to_owned()
    } else if percent < 0.01 {
        "<0.01 %".to_owned()
    } else if percent < 1.0 {
        format!("{percent:.2} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// US dollars with at least two significant digits, and never fewer than four decimals below one.
pub(crate) fn dollars(amount: f64) -> String {
    if amount >= 1.0 || amount == 0.0 {
        format!("${amount:.2}")
    } else if amount >= 0.001 {
        format!("${amount:.4}")
    } else {
        format!("${amount:.6}")
    }
}

/// `text` cut to `width` columns from its beginning, where paths are alike.
pub(crate) fn keep_end(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(count - width.saturating_sub(1)).collect();
    format!("…{kept}")
}

/// A file's name without anything that could drive a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(1_048_576), "1,048,576");
        assert_eq!(length(Duration::from_seconds(221)), "3m 41s");
        assert_eq!(length(Duration::from_seconds(3720)), "1h 02m");
        assert_eq!(length(Duration::from_micros(834_000)), "0.8s");
        assert_eq!(megapixels(48_300_000), "48.3 MP");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(999_950), "1.0 MB");
        assert_eq!(percent(0.00172), "0.17 %");
        assert_eq!(dollars(0.000_180_6), "$0.000181");
        assert_eq!(dollars(0.0017), "$0.0017");
        assert_eq!(keep_end("some/long/path.jpg", 9), "…path.jpg");
        assert_eq!(printable("a\u{1b}[31m"), "a\u{fffd}[31m");
    }
}
