//! What a picture costs.

use std::fmt;

use derive_more::{Display, Error};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

/// Credits, times a million: whole, so that sums are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(i64);

/// A text that is no price.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("a price is 0 to 1000000 credits with at most 6 decimals, such as 0.04")]
pub struct PriceError;

const DECIMALS: usize = 6;
const MICRO: i64 = 1_000_000;
const MOST: i64 = 1_000_000;

impl Price {
    /// Of one picture, in credits times a million.
    #[must_use]
    pub fn micro_credits(self) -> i64 {
        self.0
    }

    /// Reads a decimal number digit by digit.
    ///
    /// # Errors
    /// [`PriceError`].
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || decimals.len() > DECIMALS || !digits(whole) || !digits(decimals) {
            return Err(PriceError);
        }
        let whole: i64 = whole.parse().map_err(|_| PriceError)?;
        let decimals = format!("{decimals:0<DECIMALS$}");
        let decimals: i64 = decimals.parse().map_err(|_| PriceError)?;
        let within = |credits: &i64| *credits < MOST || *credits == MOST && decimals == 0;
        let whole = Some(whole).filter(within).ok_or(PriceError)?;
        Ok(Self(whole * MICRO + decimals))
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Price;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a price in credits, such as 0.04")
            }

            fn visit_i64<E: de::Error>(self, credits: i64) -> Result<Price, E> {
                self.visit_str(&credits.to_string())
            }

            fn visit_u64<E: de::Error>(self, credits: u64) -> Result<Price, E> {
                self.visit_str(&credits.to_string())
            }

            // a number's shortest text is what was written, as far as prices go
            fn visit_f64<E: de::Error>(self, credits: f64) -> Result<Price, E> {
                self.visit_str(&credits.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Price, E> {
                Price::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_exactly() {
        for (text, micro) in [
            ("0", 0),
            ("0.04", 40_000),
            ("0.000001", 1),
            ("1", 1_000_000),
            ("2.5", 2_500_000),
            ("1000000", 1_000_000_000_000),
            ("999999.999999", 999_999_999_999),
        ] {
            assert_eq!(Price::parse(text).map(Price::micro_credits), Ok(micro));
            let number: Price = serde_json::from_str(text).unwrap();
            let quoted: Price = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!((number, quoted), (Price(micro), Price(micro)), "{text}");
        }
        for text in [
            "",
            ".5",
            "-1",
            "1e3",
            "0.0000001",
            "1000001",
            "1000000.1",
            "x",
        ] {
            assert_eq!(Price::parse(text), Err(PriceError), "{text}");
        }
        assert!(serde_json::from_str::<Price>("-0.5").is_err());
    }
}
