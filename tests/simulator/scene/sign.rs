//! Signatures of reasoning: only the upstream account that made one accepts it again.

/// FNV-1a of 64 bits, as 16 hexadecimal digits: short, and made in three lines in any language.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// `sig-<8 digits of the token's fingerprint>-<the text's fingerprint>`.
pub(crate) fn sign(token: &str, text: &str) -> String {
    format!("{}{}", prefix(token), fingerprint(text.as_bytes()))
}

/// Whether this token's account made the signature, and of this very text.
pub(crate) fn is_signed(signature: &str, token: &str, text: &str) -> bool {
    signature == sign(token, text)
}

/// Whether this token's account made the signature, of whatever text.
pub(crate) fn signed_by(signature: &str, token: &str) -> bool {
    signature.starts_with(&prefix(token))
}

fn prefix(token: &str) -> String {
    let print = fingerprint(token.as_bytes());
    format!("sig-{}-", print.get(..8).unwrap_or_default())
}
