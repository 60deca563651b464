//! A quick fingerprint of octets: of queue ids, addresses and replies that were met before.
//!
//! It keeps nobody out who wants two texts to look alike; where that would matter the texts
//! themselves are compared.

/// Odd, with its bits well spread: the golden ratio's.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// The fingerprint of these octets behind an earlier one.
pub(crate) fn hash(before: u64, octets: &[u8]) -> u64 {
    let mut sum = before ^ (octets.len() as u64).wrapping_mul(MIX);
    let (words, rest) = octets.as_chunks::<8>();
    for word in words {
        sum = mix(sum ^ u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    mix(sum ^ u64::from_le_bytes(last))
}

fn mix(value: u64) -> u64 {
    let product = u128::from(value ^ MIX).wrapping_mul(u128::from(MIX.rotate_left(23) | 1));
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_has_another_fingerprint() {
        let mut seen: Vec<u64> =
            (0..20_000_u32).map(|n| hash(0, format!("4F{n:X}").as_bytes())).collect();
        seen.extend([hash(0, b""), hash(0, b"\0"), hash(1, b""), hash(0, b"12345678")]);
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }
}
