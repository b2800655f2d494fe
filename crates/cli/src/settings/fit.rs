//! The budget of a fit, what may be done to keep it, and what matters.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use mediaprep::tokens::Cost;
use mediaprep::{FitOptions, Lever, Levers, PathPattern, Weights};

use crate::args::{FittingArgs, LeverArg};
use crate::failure::Failure;

/// The options of a fit; `None` without a budget.
pub(crate) fn fit_options(args: &FittingArgs) -> Result<Option<FitOptions>, Failure> {
    if args.max_tokens.is_none() && args.max_cost.is_none() {
        return Ok(None);
    }
    let max_cost = args.max_cost.as_deref().map(dollars).transpose()?;
    let mut options = FitOptions { max_tokens: args.max_tokens, max_cost, ..FitOptions::default() };
    for weight in &args.weight {
        add_weight(weight, &mut options)?;
    }
    options.keep =
        args.keep.iter().map(|glob| pattern("--keep", glob)).collect::<Result<_, _>>()?;
    options.levers = levers(args);
    options.validate().map_err(|error| super::failure(&error))?;
    Ok(Some(options))
}

fn levers(args: &FittingArgs) -> Levers {
    let set = |allowed| move |levers: Levers, arg: &LeverArg| levers.with(lever(*arg), allowed);
    let allowed = args.allow.iter().fold(Levers::default(), set(true));
    args.without.iter().fold(allowed, set(false))
}

const fn lever(arg: LeverArg) -> Lever {
    match arg {
        LeverArg::MediaResolution => Lever::MediaResolution,
        LeverArg::ImageSize => Lever::ImageSize,
        LeverArg::Fps => Lever::Fps,
        LeverArg::AudioTrack => Lever::AudioTrack,
        LeverArg::Clip => Lever::Clip,
        LeverArg::Pages => Lever::Pages,
        LeverArg::Form => Lever::Form,
        LeverArg::SoundOnly => Lever::SoundOnly,
    }
}

/// `video=2` or `*.pdf=3`.
fn add_weight(text: &str, options: &mut FitOptions) -> Result<(), Failure> {
    let parsed = text.rsplit_once('=').and_then(|(what, weight)| Some((what, percent(weight)?)));
    let (what, percent) = parsed.ok_or_else(|| {
        let message = format!("--weight: `{text}` is no weight");
        Failure::option(message, "a kind or a pattern, `=`, and 0 to 100, such as '*.pdf=3'")
    })?;
    let Weights { image, video, audio, document } = &mut options.weights;
    match what {
        "image" => *image = percent,
        "video" => *video = percent,
        "audio" => *audio = percent,
        "document" => *document = percent,
        glob => options.path_weights.push((pattern("--weight", glob)?, percent)),
    }
    Ok(())
}

/// A weight of 0 to 100 in percent, with up to two decimals.
fn percent(text: &str) -> Option<u32> {
    let hundredths = scaled(text, 2)?;
    u32::try_from(hundredths).ok().filter(|&percent| percent <= Weights::MOST)
}

/// Dollars to the last of their twelve decimals.
fn dollars(text: &str) -> Result<Cost, Failure> {
    let plain = text.strip_prefix('$').unwrap_or(text);
    scaled(plain, 12).map(Cost).ok_or_else(|| {
        let message = format!("--max-cost: `{text}` is no amount of dollars");
        Failure::option(message, "a plain decimal, such as 0.25")
    })
}

/// A plain decimal times ten to the power of `decimals`; `None` where it has more of them.
fn scaled(text: &str, decimals: usize) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = !whole.is_empty() || !fraction.is_empty();
    let digits = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    let fits = fraction.len() <= decimals && whole.len() <= MOST_DIGITS;
    if !is_plain || !digits(whole) || !digits(fraction) || !fits {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// More digits than any budget has.
const MOST_DIGITS: usize = 15;

/// A pattern that is matched against a file's path from any folder on: `*.pdf` is every PDF,
/// `scans/**` everything below any folder of that name. Capital letters are told from small ones.
fn pattern(option: &str, glob: &str) -> Result<PathPattern, Failure> {
    let set = glob_set(glob).map_err(|error| {
        let message = format!("{option}: `{glob}` is no pattern: {}", error.kind());
        Failure::option(message, "such as '*.pdf' or 'scans/**'")
    })?;
    Ok(PathPattern::new(move |path| set.is_match(path)))
}

fn glob_set(glob: &str) -> Result<GlobSet, globset::Error> {
    let one = |text: &str| GlobBuilder::new(text).literal_separator(true).build();
    let anywhere = format!("**/{}", glob.trim_start_matches('/'));
    GlobSetBuilder::new().add(one(glob)?).add(one(&anywhere)?).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(scaled("0.25", 12), Some(250_000_000_000));
        assert_eq!(scaled(".5", 2), Some(50));
        assert_eq!(scaled("3", 2), Some(300));
        assert_eq!(scaled("1.", 2), Some(100));
        for bad in ["", ".", "-1", "1e3", "0.123", "1,5", "+2", "NaN"] {
            assert_eq!(scaled(bad, 2), None, "{bad}");
        }
        assert_eq!(percent("100"), Some(10_000));
        assert_eq!(percent("100.01"), None);
    }

    #[test]
    fn patterns_hold_from_any_folder_on() {
        let matches = |glob: &str, path: &str| pattern("--keep", glob).unwrap().matches(path);
        assert!(matches("*.pdf", "a.pdf") && matches("*.pdf", "/x/y/a.pdf"));
        assert!(matches("scans/**", "scans/a.jpg") && matches("scans/**", "in/scans/b/a.jpg"));
        assert!(matches("a/b.jpg", "./a/b.jpg") && matches("*.{jpg,png}", "x/c.png"));
        assert!(!matches("*.pdf", "a.PDF") && !matches("b*.jpg", "b/a.jpg"));
        assert!(pattern("--keep", "a[").is_err());
    }

    #[test]
    fn the_first_pattern_wins_over_later_ones() {
        let args = FittingArgs {
            max_tokens: Some(1),
            max_cost: None,
            weight: ["video=2", "a*=3", "*.pdf=0.5"].map(str::to_owned).into(),
            keep: Vec::new(),
            allow: vec![LeverArg::Clip],
            without: vec![LeverArg::Fps],
        };
        let options = fit_options(&args).unwrap().unwrap();
        assert_eq!((options.weights.video, options.weights.image), (200, 100));
        let weights: Vec<u32> = options.path_weights.iter().map(|(_, weight)| *weight).collect();
        assert_eq!(weights, [300, 50]);
        assert!(options.levers.allows(Lever::Clip) && !options.levers.allows(Lever::Fps));
        for bad in ["video", "video=", "=x", "video=-1", "video=101"] {
            assert!(add_weight(bad, &mut FitOptions::default()).is_err(), "{bad}");
        }
    }
}
