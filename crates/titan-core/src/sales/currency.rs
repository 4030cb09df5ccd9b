//! Money: amounts in the smallest unit of a currency of ISO 4217, and how people write them.

use super::MAX_AMOUNT;
use crate::{Error, Result};

/// The currencies in use (ISO 4217, list one, without funds, metals and test codes).
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY \
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR \
    ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR \
    MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";
/// Those without a smaller unit, and those of which it is a thousandth.
const NO_DIGITS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const THREE_DIGITS: &str = "BHD IQD JOD KWD LYD OMR TND";
/// What is written around an amount besides its currency's own code: signs, and abbreviations where a currency has no sign.
const SIGNS: [&str; 30] = [
    "€", "$", "£", "¥", "₩", "₹", "₽", "₺", "₴", "₫", "₪", "₱", "₦", "₡", "₲", "₵", "₸", "₭", "₮", "₼", "₾", "฿", "¢",
    "fr.", "fr", "kr", "zł", "kč", "ft", "lei",
];

/// In capitals.
pub(crate) fn checked_currency(code: &str) -> Result<String> {
    let code = code.trim().to_ascii_uppercase();
    if has(CODES, &code) {
        return Ok(code);
    }
    Err(Error::invalid("currency", "must be a currency of ISO 4217 such as EUR or USD"))
}

fn has(codes: &str, code: &str) -> bool {
    codes.split_whitespace().any(|known| known == code)
}

pub(super) fn checked_amount(field: &'static str, amount: i64) -> Result<i64> {
    if (0..=MAX_AMOUNT).contains(&amount) {
        return Ok(amount);
    }
    let message = format!("must be between 0 and {MAX_AMOUNT}, in the smallest unit of the currency, and is {amount}");
    Err(Error::invalid(field, message))
}

/// How many digits stand behind the point.
fn digits(currency: &str) -> usize {
    match currency {
        _ if has(NO_DIGITS, currency) => 0,
        _ if has(THREE_DIGITS, currency) => 3,
        _ => 2,
    }
}

/// What somebody wrote: `1.234,50`, `1,234.50`, `1 234`, `49.9`, with or without the sign or the code of the currency around it.
/// The last mark is the decimal one unless three digits stand behind it, as they do behind one for thousands; nobody writes thousands
/// that begin with 0.
pub(super) fn parsed(written: &str, currency: &str) -> Result<i64> {
    let wrong = || Error::invalid("value", "must be an amount such as 1234.50");
    let is_mark = |c: char| matches!(c, '.' | ',');
    let bare: String = written.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’' | '_')).collect();
    let bare = bare.to_lowercase();
    let bare = without_signs(&bare, &currency.to_lowercase());
    if bare.is_empty() || !bare.chars().all(|c| c.is_ascii_digit() || is_mark(c)) {
        return Err(wrong());
    }
    let digits = digits(currency);
    let (whole, fraction) = match bare.rfind(is_mark) {
        Some(at) => {
            let behind = bare.get(at + 1..).unwrap_or_default();
            let mark = bare.get(at..=at).unwrap_or_default();
            let thousands =
                behind.len() == 3 && !bare.starts_with('0') && (digits != 3 || bare.matches(mark).count() > 1);
            if thousands { (bare, "") } else { (bare.get(..at).unwrap_or_default(), behind) }
        }
        None => (bare, ""),
    };
    if fraction.len() > digits && fraction.chars().skip(digits).any(|c| c != '0') {
        return Err(Error::invalid(
            "value",
            format!("must have at most {digits} digits behind the point in {currency}"),
        ));
    }
    let groups = whole.split(is_mark).enumerate().all(|(place, group)| place == 0 || group.len() == 3);
    if !groups || (whole.contains(is_mark) && whole.starts_with('0')) {
        return Err(wrong());
    }
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(digits).collect();
    let amount = format!("{whole}{fraction}").parse().map_err(|_| wrong())?;
    checked_amount("value", amount)
}

/// The same without what says the currency, before it and behind it.
fn without_signs<'a>(mut bare: &'a str, currency: &str) -> &'a str {
    let signs = || SIGNS.into_iter().chain([currency]).filter(|sign| !sign.is_empty());
    while let Some(less) = signs().find_map(|sign| bare.strip_prefix(sign).or_else(|| bare.strip_suffix(sign))) {
        bare = less;
    }
    bare
}

/// As a plain number: what [`parsed`] reads, and every table too.
pub(super) fn written(amount: i64, currency: &str) -> String {
    let digits = digits(currency);
    let padded = format!("{amount:0>width$}", width = digits + 1);
    match padded.split_at_checked(padded.len() - digits) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{whole}.{fraction}"),
        _ => padded,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_currency_is_one_of_the_list() {
        assert_eq!(checked_currency(" eur ").unwrap(), "EUR");
        for wrong in ["", "EU", "EURO", "XXX", "R E", "E U"] {
            assert!(checked_currency(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (written, currency, amount) in [
            ("1234.50", "EUR", 123_450),
            ("1.234,50 €", "EUR", 123_450),
            ("$1,234.5", "USD", 123_450),
            ("1 234", "EUR", 123_400),
            ("1'234.00", "CHF", 123_400),
            ("1.234.567", "EUR", 123_456_700),
            ("1,234", "JPY", 1234),
            ("1.234", "KWD", 1234),
            ("1.500", "EUR", 150_000),
            ("EUR 0,07", "EUR", 7),
            ("12.00", "JPY", 12),
            ("0.12", "EUR", 12),
            ("0.120", "EUR", 12),
            ("0.125", "KWD", 125),
            ("100 kr", "SEK", 10_000),
            ("Fr. 20", "CHF", 2000),
            ("20 chf", "CHF", 2000),
        ] {
            assert_eq!(parsed(written, currency).unwrap(), amount, "{written} {currency}");
        }
        for wrong in [
            "",
            "many",
            "1.2.3",
            "-5",
            "1,23,456",
            "12.345678",
            "99999999999999999999",
            "1.2345,6",
            "10k",
            "1.5M",
            "0.125",
            "0.125.000",
            "5 USD",
            "EUR",
        ] {
            assert!(parsed(wrong, "EUR").is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(amount in 0i64..=MAX_AMOUNT, currency in proptest::sample::select(vec!["EUR", "JPY", "KWD"])) {
            prop_assert_eq!(parsed(&written(amount, currency), currency).unwrap(), amount);
        }
    }
}
