//! Text is estimated, never counted: there is no tokenizer here.

use mediaprep_media::Modality;

use crate::count::{Bound, Evidence, TokenCount};

/// The estimate for a text of so many characters (Unicode scalar values): four a token, rounded up,
/// the vendor's rule of thumb. Always inferred; the exact figure comes from countTokens.
pub const fn estimate_text(characters: u64) -> TokenCount {
    TokenCount {
        tokens: characters.div_ceil(4),
        bound: Bound::Exact,
        reported_as: Modality::Text,
        evidence: Evidence::Inferred,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_characters_are_a_token_rounded_up() {
        assert_eq!([0, 1, 4, 5].map(|n| estimate_text(n).tokens), [0, 1, 1, 2]);
        assert_eq!(estimate_text(9).evidence, Evidence::Inferred);
    }
}
